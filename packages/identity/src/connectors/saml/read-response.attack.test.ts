/** Every known way to get another person out of a response that somebody did sign, against signatures made by xml-crypto. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import {
  C14N,
  ENVELOPED,
  makeSamlKeys,
  SAML_ISSUER,
  samlAssertion,
  samlResponse,
  signSaml,
} from '../../../../testkit/src/saml-idp.ts';
import type { ResponseParts, SamlKeys, SigningOptions } from '../../../../testkit/src/saml-idp.ts';
import { readResponse } from './read-response.ts';
import type { ResponseRules, ResponseVerdict } from './read-response.ts';

// A little later than the certificates that are made now.
const NOW = Date.now() + 60_000;
const PARTS: ResponseParts = {
  destination: 'https://login.example.com/dex/callback',
  audience: 'https://login.example.com/dex/callback',
  requestId: '_request',
  nowMs: NOW,
};

let keys: SamlKeys;
let stranger: SamlKeys;
let curve: SamlKeys;
const directory = mkdtempSync(path.join(tmpdir(), 'saml-'));
before(() => {
  [keys, stranger, curve] = [
    makeSamlKeys(directory, 'idp'),
    makeSamlKeys(directory, 'stranger'),
    makeSamlKeys(directory, 'curve', 'ec'),
  ];
});
after(() => rmSync(directory, { recursive: true }));

function judge(
  xml: string,
  changes: Partial<ResponseRules> & { allowSha1?: boolean; by?: SamlKeys } = {},
): ResponseVerdict {
  const { allowSha1 = false, by = keys, ...rules } = changes;
  return readResponse(Buffer.from(xml), {
    signature: { certificates: [new X509Certificate(by.certificate)], allowSha1, nowMs: NOW },
    destination: PARTS.destination,
    audience: PARTS.audience,
    issuer: SAML_ISSUER,
    requestId: PARTS.requestId,
    nowMs: NOW,
    ...rules,
  });
}

function refused(xml: string, reason: RegExp, changes: Parameters<typeof judge>[1] = {}): void {
  const verdict = judge(xml, changes);
  assert.equal(verdict.kind, 'refused', JSON.stringify(verdict));
  assert.match(verdict.reason, reason);
}

function personOf(xml: string, changes: Parameters<typeof judge>[1] = {}): string {
  const verdict = judge(xml, changes);
  assert.equal(verdict.kind, 'good', JSON.stringify(verdict));
  return verdict.assertion.nameId;
}

const signed = (parts: Partial<ResponseParts> = {}, how: Partial<SigningOptions> = {}): string =>
  signSaml(samlResponse({ ...PARTS, ...parts }), { keys, what: 'Assertion', ...how });

test('a signed assertion is believed, and read as it was signed', () => {
  const verdict = judge(signed());
  assert.equal(verdict.kind, 'good', JSON.stringify(verdict));
  assert.equal(verdict.assertion.nameId, 'kim');
  assert.deepEqual(verdict.assertion.attributes.get('name'), ['Kim & Söhne']);
  assert.deepEqual(verdict.assertion.attributes.get('groups'), ['admins', 'dev']);
});

test('signed response, both signed, other algorithms and canonical forms, with and without a certificate inside', () => {
  assert.equal(personOf(signed({}, { what: 'Response' })), 'kim');
  assert.equal(personOf(signSaml(signed(), { keys, what: 'Response' })), 'kim');
  assert.equal(personOf(signed({}, { canonical: 'inclusive' })), 'kim');
  assert.equal(personOf(signed({}, { what: 'Response', canonical: 'inclusive' })), 'kim');
  assert.equal(personOf(signed({}, { transforms: [ENVELOPED], canonical: 'inclusive' })), 'kim');
  assert.equal(personOf(signed({}, { signature: 'rsa-sha512', digest: 'sha512' })), 'kim');
  assert.equal(personOf(signed({}, { keys: curve, signature: 'ecdsa-sha256' }), { by: curve }), 'kim');
  assert.equal(personOf(signed({}, { withCertificate: false })), 'kim');
});

test('an unsigned response is refused, and one whose signature is by somebody else', () => {
  refused(samlResponse(PARTS), /neither the response nor the assertion is signed/);
  refused(signed({}, { keys: stranger }), /not a configured one/);
  refused(signed({}, { keys: stranger, withCertificate: false }), /not by a configured certificate/);
  // The right certificate inside does not make the wrong key right.
  refused(
    signed({}, { keys: { key: stranger.key, certificate: keys.certificate } }),
    /not by a configured certificate/,
  );
  // Both signed: each must hold.
  refused(signSaml(signed({}, { keys: stranger }), { keys, what: 'Response' }), /not a configured one/);
});

test('a change of a single character anywhere in what is signed is refused', () => {
  const xml = signed();
  for (const [from, to] of [
    ['>kim<', '>kin<'],
    ['admins', 'Admins'],
    ['kim@example.com', 'kim@example.co'],
    ['Recipient="https', 'Recipient="http'],
    ['Version="2.0" IssueInstant', 'Version="2.0"  Extra="1" IssueInstant'],
  ] as const) {
    const at = xml.lastIndexOf(from);
    assert.ok(at > 0, from);
    refused(xml.slice(0, at) + to + xml.slice(at + from.length), /changed after signing|recipient/);
  }
});

test('HMAC with the public certificate as key is refused (key confusion)', () => {
  const confused = { key: keys.certificate, certificate: keys.certificate };
  refused(signed({}, { keys: confused, signature: 'hmac-sha1' }), /algorithm .*hmac-sha1 is not accepted/, {
    allowSha1: true,
  });
});

test('SHA-1 is refused unless allowed, as signature and as digest', () => {
  refused(signed({}, { signature: 'rsa-sha1' }), /SHA-1/);
  refused(signed({}, { digest: 'sha1' }), /SHA-1/);
  assert.equal(personOf(signed({}, { signature: 'rsa-sha1', digest: 'sha1' }), { allowSha1: true }), 'kim');
});

test('transforms that could make the signed part mean something else are refused', () => {
  const xml = signed();
  const xslt = '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/>';
  const xpath =
    '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>not(self::a)</ds:XPath></ds:Transform>';
  for (const extra of [xslt, xpath])
    refused(xml.replace('</ds:Transforms>', `${extra}</ds:Transforms>`), /signature|transforms/);
  refused(signed({}, { transforms: [C14N.exclusive] }), /transforms|changed/);
});

const EVIL = samlAssertion({ ...PARTS, nameId: 'admin', assertionId: '_evil' });
const ASSERTION = /<saml:Assertion .*<\/saml:Assertion>/s;
const SIGNATURE = /<ds:Signature .*<\/ds:Signature>/s;
const partOf = (xml: string, pattern: RegExp): string => pattern.exec(xml)?.[0] ?? assert.fail();

// The eight wrappings of Somorovsky and others, "On Breaking SAML: Be Whoever You Want to Be" (USENIX Security 2012), by their numbers.
const WRAPPINGS: Readonly<Record<string, () => string>> = {
  'XSW1: evil response around the signed one, inside its signature': () => {
    const xml = signed({}, { what: 'Response' });
    const original = xml.replace(/^<\?xml.*?\?>\s*/, '').replace(SIGNATURE, '');
    const evil = xml
      .replace('ID="_response"', 'ID="_evilResponse"')
      .replace('>kim<', '>admin<')
      .replace('"_assertion"', '"_evil"');
    return evil.replace('</ds:Signature>', `<ds:Object>${original}</ds:Object></ds:Signature>`);
  },
  'XSW2: evil response with the detached signed one beside its signature': () => {
    const xml = signed({}, { what: 'Response' });
    const original = xml.replace(/^<\?xml.*?\?>\s*/, '').replace(SIGNATURE, '');
    const evil = xml
      .replace('ID="_response"', 'ID="_evilResponse"')
      .replace('>kim<', '>admin<')
      .replace('"_assertion"', '"_evil"');
    return evil.replace('<ds:Signature ', `${original}<ds:Signature `);
  },
  'XSW3: evil assertion before the signed one': () => signed().replace('<saml:Assertion ', `${EVIL}<saml:Assertion `),
  'XSW4: evil assertion around the signed one': () => {
    const xml = signed();
    return xml.replace(ASSERTION, EVIL.replace('</saml:Assertion>', `${partOf(xml, ASSERTION)}</saml:Assertion>`));
  },
  'XSW5: evil assertion carries the signature, the signed one follows without': () => {
    const xml = signed();
    const original = partOf(xml, ASSERTION).replace(SIGNATURE, '');
    const evil = EVIL.replace('</saml:Issuer>', `</saml:Issuer>${partOf(xml, SIGNATURE)}`);
    return xml.replace(ASSERTION, `${evil}${original}`);
  },
  'XSW6: evil assertion carries the signature, which holds the signed one': () => {
    const xml = signed();
    const original = partOf(xml, ASSERTION).replace(SIGNATURE, '');
    const signature = partOf(xml, SIGNATURE).replace(
      '</ds:Signature>',
      `<ds:Object>${original}</ds:Object></ds:Signature>`,
    );
    return xml.replace(ASSERTION, EVIL.replace('</saml:Issuer>', `</saml:Issuer>${signature}`));
  },
  'XSW7: evil assertion in an extension': () =>
    signed().replace('<saml:Assertion ', `<samlp:Extensions>${EVIL}</samlp:Extensions><saml:Assertion `),
  'XSW8: the signed assertion in an object of the evil one’s signature': () => {
    const xml = signed();
    const original = partOf(xml, ASSERTION).replace(SIGNATURE, '');
    const signature = partOf(xml, SIGNATURE).replace(
      '</ds:Signature>',
      `<ds:Object>${original}</ds:Object></ds:Signature>`,
    );
    const evil = EVIL.replace('ID="_evil"', 'ID="_assertion"').replace('</saml:Issuer>', `</saml:Issuer>${signature}`);
    return xml.replace(ASSERTION, evil);
  },
  'the same ID twice': () =>
    signed().replace('<saml:Assertion ', `${EVIL.replace('_evil', '_assertion')}<saml:Assertion `),
  'the signed assertion below an element of nobody': () => {
    const xml = signed();
    return xml.replace(ASSERTION, `${EVIL}<x:x xmlns:x="urn:x">${partOf(xml, ASSERTION)}</x:x>`);
  },
  'a second assertion in another namespace': () =>
    signed().replace(
      '<saml:Assertion ',
      `${EVIL.replace('SAML:2.0:assertion', 'SAML:2.0:assertions')}<saml:Assertion `,
    ),
  'a second signature on the assertion': () => {
    const xml = signed();
    return xml.replace('<ds:Signature ', `${partOf(xml, SIGNATURE)}<ds:Signature `);
  },
};

for (const [name, build] of Object.entries(WRAPPINGS)) {
  test(`refuses wrapping: ${name}`, () => {
    const xml = build();
    assert.match(xml, /admin<|Signature.*Signature/s);
    assert.equal(judge(xml).kind, 'refused');
  });
}

test('a reference to anything but the element that holds the signature is refused', () => {
  const xml = signed();
  for (const uri of ['', '#_response', '#', '#xpointer(/)', "#xpointer(id('_assertion'))", 'https://evil.example/'])
    refused(xml.replace('URI="#_assertion"', `URI="${uri}"`), /signature/);
  const reference = /<ds:Reference .*<\/ds:Reference>/s.exec(xml)?.[0] ?? '';
  refused(xml.replace(reference, reference + reference), /signature/);
  refused(xml.replace(reference, ''), /signature/);
});

test('a comment cannot cut a name short', () => {
  const xml = signed({ nameId: 'admin@example.com.evil.example' });
  refused(xml.replace('admin@example.com.evil', 'admin@example.com<!-- -->.evil'), /something other than elements/);
  const cdata = signed({ nameId: 'admin@example.com.evil.example' });
  assert.equal(
    personOf(cdata.replace('admin@example.com.evil.example', 'admin@example.com<![CDATA[.evil]]>.example')),
    'admin@example.com.evil.example',
  );
  // An element inside a name leaves two readings of it.
  refused(signed({ nameId: 'admin<x xmlns="urn:x"/>.evil' }), /NameID holds no text/);
});

test('document types, external entities and entity bombs are refused unread', () => {
  const xml = signed();
  const bomb = `<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>`;
  const external = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>';
  for (const type of [bomb, external, '<!DOCTYPE r SYSTEM "http://evil.example/x.dtd">']) {
    refused(xml.replace('?>\n', `?>\n${type}`), /something other than elements/);
    refused(type + xml.replace(/^<\?xml.*?\?>/, ''), /something other than elements/);
  }
  refused(xml.replace('>kim<', '>&x;<'), /entity/);
  refused(xml.replace('>kim<', '>k<?php x?>im<'), /something other than elements/);
});

test('oversized, deep and broken documents are refused in little time', () => {
  refused(`<a>${'<b>'.repeat(50)}`, /nested/);
  refused(`<a ${Array.from({ length: 60 }, (_, index) => `a${index}=""`).join(' ')}/>`, /attributes/);
  refused(`<a>${'<b/>'.repeat(30_000)}</a>`, /too many elements/);
  refused(' '.repeat(1_000_001), /too long/);
  for (const xml of [
    '',
    '<',
    '<a',
    '<a>',
    '<a></b>',
    '<a/><b/>',
    'x',
    '<a b="1" b="2"/>',
    '<a b=1/>',
    '<p:a/>',
    '<a xmlns:p=""/>',
  ])
    refused(xml, /./);
  const verdict = readResponse(Buffer.from([0x3c, 0xff, 0xfe]), { ...PARTS, signature: undefined, issuer: '' });
  assert.equal(verdict.kind, 'refused');
});

test('encrypted assertions are refused in words that help', () => {
  const xml = samlResponse(PARTS).replace(ASSERTION, '<saml:EncryptedAssertion><x/></saml:EncryptedAssertion>');
  refused(xml, /encrypted content is not supported/);
});

test('a response for another audience, address, request or from another issuer is refused though signed', () => {
  for (const what of ['Assertion', 'Response'] as const) {
    refused(signed({ audience: 'https://other.example' }, { what }), /audience/);
    refused(signed({ destination: 'https://evil.example/' }, { what }), /sent to/);
    refused(signed({ recipient: 'https://evil.example/' }, { what }), /recipient/);
    refused(signed({ requestId: '_other' }, { what }), /another request/);
    refused(signed({ assertionRequestId: '_other' }, { what }), /another request/);
    refused(signed({ issuer: 'https://evil.example/' }, { what }), /issuer/);
    refused(signed({ method: 'urn:oasis:names:tc:SAML:2.0:cm:sender-vouches' }, { what }), /bearer/);
  }
  // Unsolicited: no request at all.
  refused(signed().replace(' InResponseTo="_request"', ''), /another request/);
});

test('time: expired, not yet valid, an ended session, nonsense', () => {
  refused(signed({ nowMs: NOW - 400_000 }), /expired/);
  refused(signed({ nowMs: NOW + 60_000 }), /valid only from/);
  assert.equal(personOf(signed({ nowMs: NOW + 20_000 })), 'kim');
  const ended = new Date(NOW - 60_000).toISOString();
  refused(
    signed({ statement: `<saml:AuthnStatement AuthnInstant="${ended}" SessionNotOnOrAfter="${ended}"/>` }),
    /session/,
  );
  refused(signed({ statement: `<saml:AuthnStatement SessionNotOnOrAfter="tomorrow"/>` }), /no time/);
  refused(signed({ statement: '' }), /does not say that anybody logged in/);
});

test('conditions that are missing or not understood are not met', () => {
  refused(signed({ conditions: '' }), /Conditions/);
  refused(signed({ conditions: '<saml:Conditions/>' }), /audience/);
  const audience = (name: string): string =>
    `<saml:AudienceRestriction><saml:Audience>${name}</saml:Audience></saml:AudienceRestriction>`;
  const both = audience(PARTS.audience) + audience('https://other.example');
  refused(signed({ conditions: `<saml:Conditions>${both}</saml:Conditions>` }), /audience/);
  const strange = `<saml:Conditions>${audience(PARTS.audience)}<saml:Condition/></saml:Conditions>`;
  refused(signed({ conditions: strange }), /not understood/);
});

test('a refusal by the identity provider is a refusal', () => {
  const status =
    '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"/></samlp:StatusCode><samlp:StatusMessage>no\u{1b}[31m</samlp:StatusMessage></samlp:Status>';
  refused(signed({ status: status.replace('\u{1b}', '') }), /AuthnFailed no/);
  refused(signed({ status: '' }), /Status/);
});

test('an expired certificate signs nothing', () => {
  const certificates = [new X509Certificate(keys.certificate)];
  const verdict = judge(signed(), { signature: { certificates, allowSha1: false, nowMs: NOW + 4000 * 86_400_000 } });
  assert.equal(verdict.kind, 'refused');
  assert.match(verdict.reason, /expired/);
});
