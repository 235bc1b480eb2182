/** Owns the gateway's certificate: an own CA, and a leaf for the names and addresses by which the gateway is reached. */
import { randomBytes, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { Secret } from '@kfctl/core';
import type * as X509 from '@peculiar/x509';

export interface KeyPair {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: Secret;
}

const DAY_MS = 86_400_000;
const LEAF_DAYS = 365;
const CA_DAYS = 3650;
const RENEW_BEFORE_DAYS = 30;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** True when the certificate is of that CA, covers all names and addresses, and does not end within 30 days. */
export function isCertificateGood(
  pem: string,
  ca: string,
  wanted: { readonly names: readonly string[]; readonly now: number },
): boolean {
  try {
    const certificate = new X509Certificate(pem);
    const issuer = new X509Certificate(ca);
    const soon = wanted.now + RENEW_BEFORE_DAYS * DAY_MS;
    return (
      certificate.verify(issuer.publicKey) &&
      Date.parse(certificate.validTo) > soon &&
      wanted.names.every(
        (name) => (isIP(name) > 0 ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined,
      )
    );
  } catch {
    return false;
  }
}

/** True when the CA's certificate can be read and outlives a new leaf. */
export function isCaGood(pem: string, now: number): boolean {
  try {
    return Date.parse(new X509Certificate(pem).validTo) > now + LEAF_DAYS * DAY_MS;
  } catch {
    return false;
  }
}

/** A new CA of ten years, which signs leaves only. */
export async function createCa(deployment: string, now: number): Promise<KeyPair> {
  const x509 = await loadX509();
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ O: ['kfctl'] }, { CN: [`${deployment} gateway CA ${randomBytes(4).toString('hex')}`] }],
    ...validity(now, CA_DAYS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate.toString('pem')), key: await exportKey(keys.privateKey) };
}

/** A new P-256 leaf of one year for DNS names and IP addresses, signed by the CA. */
export async function createLeaf(ca: KeyPair, names: readonly string[], now: number): Promise<KeyPair> {
  const x509 = await loadX509();
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const issuer = new x509.X509Certificate(ca.certificate);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ O: ['kfctl'] }, { CN: ['gateway'] }],
    issuer: issuer.subjectName,
    ...validity(now, LEAF_DAYS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: await importKey(ca.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      // RFC 5280 4.2.1.12: id-kp-serverAuth
      new x509.ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.1']),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) > 0 ? ('ip' as const) : ('dns' as const), value })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return { certificate: pem(certificate.toString('pem')), key: await exportKey(keys.privateKey) };
}

async function loadX509(): Promise<typeof X509> {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

function validity(now: number, days: number): { notBefore: Date; notAfter: Date } {
  // An hour back, for clients whose clock is slow.
  return { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + days * DAY_MS) };
}

// RFC 5280 4.1.2.2: positive, at most 20 octets.
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

async function exportKey(key: CryptoKey): Promise<Secret> {
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', key)).toString('base64');
  const lines = der.match(/.{1,64}/g) ?? [];
  return new Secret(`-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`);
}

function importKey(key: Secret): Promise<CryptoKey> {
  const der = Buffer.from(key.reveal().replaceAll(/-----[A-Z ]+-----|\s/g, ''), 'base64');
  return crypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
}

function pem(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
