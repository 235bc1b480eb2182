/** Canonical XML against an independent implementation (xml-crypto), on documents made at random from a fixed seed. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { makeSamlKeys, signSaml } from '../../../../testkit/src/saml-idp.ts';
import type { SamlKeys } from '../../../../testkit/src/saml-idp.ts';
import { canonicalize } from './canonical-xml.ts';
import { parseXml } from './parse-xml.ts';
import { verifyEnveloped } from './xml-signature.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'canonical-'));
let keys: SamlKeys;
before(() => {
  keys = makeSamlKeys(directory, 'idp');
});
after(() => rmSync(directory, { recursive: true }));

const exclusive = (xml: string): string =>
  canonicalize(parseXml(Buffer.from(xml)), { exclusive: true, inclusivePrefixes: new Set() }).toString();
const inclusive = (xml: string): string =>
  canonicalize(parseXml(Buffer.from(xml)), { exclusive: false, inclusivePrefixes: new Set() }).toString();

// From the texts of the specifications' own examples, in our reduced XML.
const CASES: readonly (readonly [string, string, string])[] = [
  ['<a   b = "1"   a=\'2\'/>', '<a a="2" b="1"></a>', '<a a="2" b="1"></a>'],
  [
    '<a xmlns:x="u:x" xmlns="u:d"><x:b/><c/></a>',
    '<a xmlns="u:d"><x:b xmlns:x="u:x"></x:b><c></c></a>',
    '<a xmlns="u:d" xmlns:x="u:x"><x:b></x:b><c></c></a>',
  ],
  [
    '<a xmlns="u:d"><b xmlns=""><c xmlns="u:d"/></b></a>',
    '<a xmlns="u:d"><b xmlns=""><c xmlns="u:d"></c></b></a>',
    '<a xmlns="u:d"><b xmlns=""><c xmlns="u:d"></c></b></a>',
  ],
  [
    '<a xmlns:b="u:1" xmlns:a="u:2" b:z="1" a:z="2" z="3" b:y="4"/>',
    '<a xmlns:a="u:2" xmlns:b="u:1" z="3" b:y="4" b:z="1" a:z="2"></a>',
    '<a xmlns:a="u:2" xmlns:b="u:1" z="3" b:y="4" b:z="1" a:z="2"></a>',
  ],
  [
    '<a b="&lt;&amp;&quot;&#9;&#10;&#13;\n\'>">&lt;&gt;&amp;&quot;&#13;\r\n</a>',
    '<a b="&lt;&amp;&quot;&#x9;&#xA;&#xD; \'>">&lt;&gt;&amp;"&#xD;\n</a>',
    '<a b="&lt;&amp;&quot;&#x9;&#xA;&#xD; \'>">&lt;&gt;&amp;"&#xD;\n</a>',
  ],
  ['<a><![CDATA[<&]]>b</a>', '<a>&lt;&amp;b</a>', '<a>&lt;&amp;b</a>'],
];

test('canonical forms of the examples', () => {
  for (const [xml, expected, whole] of CASES) {
    assert.equal(exclusive(xml), expected);
    assert.equal(inclusive(xml), whole);
    assert.equal(exclusive(expected), expected);
  }
});

/** A small generator of numbers, so that a failure can be made again. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7f_ff_ff_ff;
    return (state >>> 8) % below;
  };
}

const TEXTS = ['x', ' ', '\n', 'é€', '&amp;', '&lt;', '&#13;', '"', '\u{1f600}', '>'];
const PREFIXES = ['', 'p', 'q', 'saml'];

function randomElement(pick: (below: number) => number, depth: number): string {
  const prefix = PREFIXES[pick(4)] ?? '';
  const name = `${prefix === '' ? '' : `${prefix}:`}e${pick(3)}`;
  const declarations = PREFIXES.filter((one) => one === prefix || pick(3) === 0).map(
    (one) => `${one === '' ? 'xmlns' : `xmlns:${one}`}="urn:${pick(3)}"`,
  );
  const attributes = ['a', 'B', 'c'].filter(() => pick(2) === 0).map((one) => `${one}="${TEXTS[pick(6)]}"`);
  const children = Array.from({ length: depth === 0 ? 0 : pick(4) }, () =>
    pick(2) === 0 ? randomElement(pick, depth - 1) : (TEXTS[pick(TEXTS.length)] ?? ''),
  );
  return `<${[name, ...declarations, ...attributes].join(pick(2) === 0 ? ' ' : '\n')}>${children.join('')}</${name}>`;
}

test('300 documents signed by xml-crypto in both forms verify, and not with a byte changed', () => {
  const certificates = [new X509Certificate(keys.certificate)];
  const policy = { certificates, allowSha1: false, nowMs: Date.now() };
  for (let seed = 1; seed <= 300; seed += 1) {
    const pick = numbers(seed);
    const inner = randomElement(pick, 3);
    const xml = `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:p="urn:9" xmlns:q="urn:8" ID="_a"><saml:Issuer>i</saml:Issuer>${inner}</saml:Assertion>`;
    const signed = signSaml(xml, { keys, what: 'Assertion', canonical: seed % 2 === 0 ? 'exclusive' : 'inclusive' });
    const verdict = verifyEnveloped(parseXml(Buffer.from(signed)), policy);
    assert.equal(verdict.kind === 'signed' ? '' : verdict.reason, '', `seed ${seed}: ${signed}`);
    const changed = signed.replace('<saml:Issuer>i', '<saml:Issuer>j');
    assert.equal(verifyEnveloped(parseXml(Buffer.from(changed)), policy).kind, 'refused');
  }
});
