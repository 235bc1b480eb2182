/**
 * Owns a SAML identity provider for tests: keys, responses as text, signatures by xml-crypto, an implementation that shares nothing
 * with ours. Every part of a response can be made wrong.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { SignedXml } from 'xml-crypto';

export interface SamlKeys {
  /** PEM. */
  readonly key: string;
  readonly certificate: string;
}

/** A key pair with a certificate of its own, made by openssl in the directory. */
export function makeSamlKeys(directory: string, name: string, kind: 'rsa' | 'ec' | 'rsa1024' = 'rsa'): SamlKeys {
  const [key, certificate] = [path.join(directory, `${name}.key`), path.join(directory, `${name}.crt`)];
  const algorithms = {
    rsa: ['-newkey', 'rsa:2048'],
    rsa1024: ['-newkey', 'rsa:1024'],
    ec: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  };
  const rest = ['-nodes', '-keyout', key, '-out', certificate, '-subj', `/CN=${name}`, '-days', '3650'];
  execFileSync('openssl', ['req', '-x509', ...algorithms[kind], ...rest], { stdio: 'ignore' });
  return { key: readFileSync(key, 'utf8'), certificate: readFileSync(certificate, 'utf8') };
}

export interface ResponseParts {
  readonly destination: string;
  readonly audience: string;
  readonly requestId: string;
  readonly nowMs: number;
  readonly issuer?: string;
  readonly nameId?: string;
  readonly recipient?: string;
  readonly assertionRequestId?: string;
  readonly attributes?: Readonly<Record<string, readonly string[]>>;
  readonly assertionId?: string;
  readonly lifetimeMs?: number;
  /** Markup in the place of the usual. */
  readonly status?: string;
  readonly conditions?: string;
  readonly statement?: string;
  readonly method?: string;
}

export const SAML_ISSUER = 'https://idp.example.com/metadata';
const SUCCESS = '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>';

/** An unsigned response with one assertion; IDs are `_response` and `_assertion`. */
export function samlResponse(parts: ResponseParts): string {
  const { issuer = SAML_ISSUER, status = SUCCESS } = parts;
  const instant = new Date(parts.nowMs).toISOString();
  return `<?xml version="1.0" encoding="UTF-8"?>
<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_response" Version="2.0" IssueInstant="${instant}" Destination="${parts.destination}" InResponseTo="${parts.requestId}">
  <saml:Issuer>${issuer}</saml:Issuer>
  ${status}
  ${samlAssertion(parts)}
</samlp:Response>`;
}

export function samlAssertion(parts: ResponseParts): string {
  const { issuer = SAML_ISSUER, nameId = 'kim', assertionId = '_assertion', attributes = {} } = parts;
  const { recipient = parts.destination, method = 'urn:oasis:names:tc:SAML:2.0:cm:bearer' } = parts;
  const instant = new Date(parts.nowMs).toISOString();
  const end = new Date(parts.nowMs + (parts.lifetimeMs ?? 300_000)).toISOString();
  const {
    statement = `<saml:AuthnStatement AuthnInstant="${instant}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`,
    conditions = `<saml:Conditions NotBefore="${instant}" NotOnOrAfter="${end}"><saml:AudienceRestriction><saml:Audience>${parts.audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>`,
  } = parts;
  const given = Object.entries({
    name: ['Kim & Söhne'],
    mail: ['kim@example.com'],
    groups: ['admins', 'dev'],
    ...attributes,
  });
  const values = given.map(
    ([name, all]) =>
      `<saml:Attribute Name="${name}">${all.map((value) => `<saml:AttributeValue xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">${escape(value)}</saml:AttributeValue>`).join('')}</saml:Attribute>`,
  );
  return `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${assertionId}" Version="2.0" IssueInstant="${instant}">
    <saml:Issuer>${issuer}</saml:Issuer>
    <saml:Subject>
      <saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">${nameId}</saml:NameID>
      <saml:SubjectConfirmation Method="${method}"><saml:SubjectConfirmationData NotOnOrAfter="${end}" Recipient="${recipient}" InResponseTo="${parts.assertionRequestId ?? parts.requestId}"/></saml:SubjectConfirmation>
    </saml:Subject>
    ${conditions}
    ${statement}
    <saml:AttributeStatement>${values.join('')}</saml:AttributeStatement>
  </saml:Assertion>`;
}

export interface SigningOptions {
  readonly keys: SamlKeys;
  readonly what: 'Assertion' | 'Response';
  /** The last part of the algorithm's name. */
  readonly signature?: 'rsa-sha1' | 'rsa-sha256' | 'rsa-sha512' | 'ecdsa-sha256' | 'hmac-sha1';
  readonly digest?: 'sha1' | 'sha256' | 'sha512';
  readonly canonical?: 'exclusive' | 'inclusive';
  readonly transforms?: readonly string[];
  readonly withCertificate?: boolean;
}

export const C14N = {
  exclusive: 'http://www.w3.org/2001/10/xml-exc-c14n#',
  inclusive: 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315',
} as const;
export const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';
const DIGESTS = {
  sha1: 'http://www.w3.org/2000/09/xmldsig#sha1',
  sha256: 'http://www.w3.org/2001/04/xmlenc#sha256',
  sha512: 'http://www.w3.org/2001/04/xmlenc#sha512',
};

/** The document with an enveloped signature after the issuer, where SAML's schema has it. */
export function signSaml(xml: string, options: SigningOptions): string {
  const { keys, what, signature = 'rsa-sha256', digest = 'sha256', canonical = 'exclusive' } = options;
  const { withCertificate = true } = options;
  const old = ['rsa-sha1', 'hmac-sha1'].includes(signature);
  const signer = new SignedXml({
    privateKey: keys.key,
    ...(withCertificate ? { publicCert: keys.certificate } : { getKeyInfoContent: () => null }),
    signatureAlgorithm: `http://www.w3.org/${old ? '2000/09/xmldsig#' : '2001/04/xmldsig-more#'}${signature}`,
    canonicalizationAlgorithm: C14N[canonical],
  });
  if (signature === 'hmac-sha1') signer.enableHMAC();
  const ns = what === 'Response' ? 'protocol' : 'assertion';
  const xpath = `//*[local-name(.)='${what}' and namespace-uri(.)='urn:oasis:names:tc:SAML:2.0:${ns}']`;
  signer.SignatureAlgorithms['http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256'] ??= EcdsaSha256;
  signer.addReference({
    xpath,
    digestAlgorithm: DIGESTS[digest],
    transforms: [...(options.transforms ?? [ENVELOPED, C14N[canonical]])],
  });
  signer.computeSignature(xml, {
    prefix: 'ds',
    location: { reference: `${xpath}/*[local-name(.)='Issuer']`, action: 'after' },
  });
  return signer.getSignedXml();
}

// xml-crypto leaves elliptic curves to its users.
class EcdsaSha256 {
  getAlgorithmName(): string {
    return 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256';
  }

  getSignature(info: Buffer | string, key: string): string {
    const { sign } = process.getBuiltinModule('node:crypto');
    return sign('sha256', Buffer.from(info), { key, dsaEncoding: 'ieee-p1363' }).toString('base64');
  }

  verifySignature(): boolean {
    return false;
  }
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
