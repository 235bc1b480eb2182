/**
 * Owns the judgement of an enveloped XML signature (XML Signature 1.1, in the narrow form of SAML Core §5.4). It never says "the
 * document is good": it gives back the very bytes that were signed, read anew, and callers believe those and nothing else.
 */
import type { KeyObject, X509Certificate } from 'node:crypto';
import { canonicalize } from './canonical-xml.ts';
import type { Canonicalization } from './canonical-xml.ts';
import { parseXml } from './parse-xml.ts';
import { attributeOf, childrenOf, elementsOf, textOf } from './xml-tree.ts';
import type { XmlElement } from './xml-tree.ts';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { createHash, verify } = process.getBuiltinModule('node:crypto');

export interface SignaturePolicy {
  /** Certificates of the identity provider: exactly these sign, no authority vouches for others. */
  readonly certificates: readonly X509Certificate[];
  readonly allowSha1: boolean;
  readonly nowMs: number;
}

/** What the signature covers, out of the signed bytes. The reason is for the log. */
export type SignatureVerdict =
  | { readonly kind: 'signed'; readonly element: XmlElement }
  | { readonly kind: 'refused'; readonly reason: string };

export const DSIG = 'http://www.w3.org/2000/09/xmldsig#';
const MORE = 'http://www.w3.org/2001/04/xmldsig-more#';
const XMLENC = 'http://www.w3.org/2001/04/xmlenc#';
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const INCLUSIVE = 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315';
const ENVELOPED = `${DSIG}enveloped-signature`;

interface Algorithm {
  readonly key: 'rsa' | 'ec';
  readonly hash: string;
}

// No HMAC: its "key" would be the public one, which everybody has. No DSA, no MD5.
const SIGNATURES: ReadonlyMap<string, Algorithm> = new Map([
  [`${DSIG}rsa-sha1`, { key: 'rsa', hash: 'sha1' }],
  [`${MORE}rsa-sha256`, { key: 'rsa', hash: 'sha256' }],
  [`${MORE}rsa-sha384`, { key: 'rsa', hash: 'sha384' }],
  [`${MORE}rsa-sha512`, { key: 'rsa', hash: 'sha512' }],
  [`${MORE}ecdsa-sha256`, { key: 'ec', hash: 'sha256' }],
  [`${MORE}ecdsa-sha384`, { key: 'ec', hash: 'sha384' }],
  [`${MORE}ecdsa-sha512`, { key: 'ec', hash: 'sha512' }],
]);

const DIGESTS: ReadonlyMap<string, string> = new Map([
  [`${DSIG}sha1`, 'sha1'],
  [`${XMLENC}sha256`, 'sha256'],
  [`${MORE}sha384`, 'sha384'],
  [`${XMLENC}sha512`, 'sha512'],
]);

const INCLUSIVE_FORM: Canonicalization = { exclusive: false, inclusivePrefixes: new Set() };

class Refusal extends Error {}

/** Judges the one signature that is a child of `element` and must cover exactly `element`. */
export function verifyEnveloped(element: XmlElement, policy: SignaturePolicy): SignatureVerdict {
  try {
    const signature = only(element, 'Signature');
    const info = verifySignedInfo(signature, policy);
    return { kind: 'signed', element: verifyReference(element, signature, { info, policy }) };
  } catch (error) {
    if (error instanceof Refusal) return { kind: 'refused', reason: error.message };
    throw error;
  }
}

/** The SignedInfo, out of the bytes that the signature value proves. */
function verifySignedInfo(signature: XmlElement, policy: SignaturePolicy): XmlElement {
  const claimed = only(signature, 'SignedInfo');
  const bytes = canonicalForm(claimed, formOf(only(claimed, 'CanonicalizationMethod')));
  const info = parseXml(bytes);
  const name = algorithmOf(only(info, 'SignatureMethod'));
  const algorithm = SIGNATURES.get(name);
  if (algorithm === undefined) throw new Refusal(`signature algorithm ${printable(name)} is not accepted`);
  requireStrong(algorithm.hash, policy);
  const value = base64(only(signature, 'SignatureValue'));
  const good = candidates(signature, policy).some((key) => isSignedBy(key, algorithm, { bytes, value }));
  if (!good) throw new Refusal('the signature is not by a configured certificate');
  return info;
}

function isSignedBy(key: KeyObject, { key: type, hash }: Algorithm, signed: { bytes: Buffer; value: Buffer }): boolean {
  if (key.asymmetricKeyType !== type) return false;
  // RFC 4050 and XML Signature §6.4.3: r and s side by side, not DER.
  return verify(hash, signed.bytes, { key, dsaEncoding: 'ieee-p1363' }, signed.value);
}

/** The configured keys that may have signed: a certificate in the signature narrows the choice and never widens it. */
function candidates(signature: XmlElement, { certificates, nowMs }: SignaturePolicy): readonly KeyObject[] {
  const valid = certificates.filter((one) => Date.parse(one.validFrom) <= nowMs && nowMs <= Date.parse(one.validTo));
  if (valid.length === 0) throw new Refusal('every configured certificate has expired, or is not valid yet');
  const embedded = childrenOf(signature, { namespace: DSIG, name: 'KeyInfo' })
    .flatMap((info) => childrenOf(info, { namespace: DSIG, name: 'X509Data' }))
    .flatMap((data) => childrenOf(data, { namespace: DSIG, name: 'X509Certificate' }))
    .map((certificate) => base64(certificate));
  const named = embedded.length === 0 ? valid : valid.filter(({ raw }) => embedded.some((one) => one.equals(raw)));
  if (named.length === 0) throw new Refusal('the certificate in the signature is not a configured one');
  return named.map(({ publicKey }) => publicKey);
}

interface Proof {
  readonly info: XmlElement;
  readonly policy: SignaturePolicy;
}

/** SAML Core §5.4.2: one reference, by the ID of the element that holds the signature. */
function verifyReference(element: XmlElement, signature: XmlElement, { info, policy }: Proof): XmlElement {
  const reference = only(info, 'Reference');
  const id = attributeOf(element, 'ID') ?? '';
  if (id === '' || attributeOf(reference, 'URI') !== `#${id}`) throw new Refusal('the signature covers something else');
  const name = algorithmOf(only(reference, 'DigestMethod'));
  const hash = DIGESTS.get(name);
  if (hash === undefined) throw new Refusal(`digest algorithm ${printable(name)} is not accepted`);
  requireStrong(hash, policy);
  const bytes = canonicalForm(element, { ...transformsOf(reference), without: signature });
  const digest = createHash(hash).update(bytes).digest();
  // Neither is secret: whoever sent the document knows both.
  if (!digest.equals(base64(only(reference, 'DigestValue'))))
    throw new Refusal('the content was changed after signing');
  return parseXml(bytes);
}

/** SAML Core §5.4.4: enveloped signature, then canonical XML; no other transform could be understood safely. */
function transformsOf(reference: XmlElement): Canonicalization {
  const transforms = elementsOf(only(reference, 'Transforms'));
  const [enveloped, form, ...more] = transforms;
  const known = transforms.every(({ name, namespace }) => name === 'Transform' && namespace === DSIG);
  if (!known || more.length > 0 || enveloped === undefined || algorithmOf(enveloped) !== ENVELOPED)
    throw new Refusal('the signature uses transforms that are not accepted');
  // XML Signature §4.4.3.2: without a second one the canonical form is inclusive.
  return form === undefined ? INCLUSIVE_FORM : formOf(form);
}

function formOf(method: XmlElement): Canonicalization {
  const name = algorithmOf(method);
  // The forms with comments differ by comments alone, which our documents do not have.
  if ([INCLUSIVE, `${INCLUSIVE}#WithComments`].includes(name)) return INCLUSIVE_FORM;
  if (![EXCLUSIVE, `${EXCLUSIVE}WithComments`].includes(name))
    throw new Refusal(`canonical form ${printable(name)} is not accepted`);
  const lists = childrenOf(method, { namespace: EXCLUSIVE, name: 'InclusiveNamespaces' });
  const prefixes = lists.flatMap((list) => (attributeOf(list, 'PrefixList') ?? '').split(/\s+/));
  return {
    exclusive: true,
    inclusivePrefixes: new Set(
      prefixes.filter((prefix) => prefix !== '').map((prefix) => (prefix === '#default' ? '' : prefix)),
    ),
  };
}

/** The inclusive form takes over `xml:` attributes of the surroundings; nobody sends such, so they are refused. */
function canonicalForm(element: XmlElement, form: Canonicalization): Buffer {
  for (let outer = element.parent; outer !== undefined && !form.exclusive; outer = outer.parent) {
    if (outer.attributes.some(({ prefix }) => prefix === 'xml'))
      throw new Refusal('xml: attributes around a signature');
  }
  return canonicalize(element, form);
}

function requireStrong(hash: string, { allowSha1 }: SignaturePolicy): void {
  if (hash === 'sha1' && !allowSha1) throw new Refusal('SHA-1 is not accepted (insecureAllowSHA1 would)');
}

function only(parent: XmlElement, name: string): XmlElement {
  const [child, ...more] = childrenOf(parent, { namespace: DSIG, name });
  if (child === undefined || more.length > 0) throw new Refusal(`the signature does not have exactly one ${name}`);
  return child;
}

function algorithmOf(element: XmlElement): string {
  return attributeOf(element, 'Algorithm') ?? '';
}

function base64(element: XmlElement): Buffer {
  const text = (textOf(element) ?? '').replaceAll(/\s/g, '');
  if (!/^[A-Za-z\d+/]+={0,2}$/.test(text)) throw new Refusal(`${element.name} is not base64`);
  return Buffer.from(text, 'base64');
}

function printable(text: string): string {
  return text.slice(0, 100).replaceAll(/[^\x21-\x7e]/g, '?');
}
