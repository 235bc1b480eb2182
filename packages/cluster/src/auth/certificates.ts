/** Owns making of X.509 v3 certificates (RFC 5280) with EC P-256 keys: a CA, and leaves signed by it. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { bitString, boolean, context, integer, octetString, oid, sequence, set, time, utf8String } from './der.ts';

export interface KeyPair {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

export interface Subject {
  readonly commonName: string;
  readonly organizations?: readonly string[];
}

export interface LeafRequest {
  readonly subject: Subject;
  readonly usage: 'server' | 'client';
  /** DNS names and IP addresses of a server. */
  readonly names?: readonly string[];
  readonly days: number;
  readonly now: Date;
}

const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const USAGES = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;
const DAY_MS = 86_400_000;
const BACKDATE_MS = 5 * 60_000;

export function createCertificateAuthority(
  subject: Subject,
  validity: { readonly days: number; readonly now: Date },
): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const extensions = [
    extension('2.5.29.19', sequence(boolean(true)), true),
    extension('2.5.29.15', bitString(Buffer.from([0x06]), 1), true),
    extension('2.5.29.14', octetString(keyIdentifier(publicKey)), false),
  ];
  const body = tbs({ issuer: subject, subject, publicKey, extensions, ...validity });
  return { certificate: signBody(body, privateKey), key: exportKey(privateKey) };
}

/** A certificate for a fresh key, signed by the CA. */
export function issueCertificate(ca: KeyPair & { readonly subject: Subject }, request: LeafRequest): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = createPrivateKey(ca.key);
  const extensions = [
    extension('2.5.29.19', sequence(), true),
    extension('2.5.29.15', bitString(Buffer.from([0x80]), 7), true),
    extension('2.5.29.37', sequence(oid(USAGES[request.usage])), false),
    extension('2.5.29.35', sequence(context(0, keyIdentifier(createPublicKey(signer)), false)), false),
    ...(request.names === undefined ? [] : [extension('2.5.29.17', alternativeNames(request.names), false)]),
  ];
  const body = tbs({
    issuer: ca.subject,
    subject: request.subject,
    publicKey,
    extensions,
    days: request.days,
    now: request.now,
  });
  return { certificate: signBody(body, signer), key: exportKey(privateKey) };
}

interface Body {
  readonly issuer: Subject;
  readonly subject: Subject;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Buffer[];
  readonly days: number;
  readonly now: Date;
}

function tbs({ issuer, subject, publicKey, extensions, days, now }: Body): Buffer {
  const start = new Date(now.getTime() - BACKDATE_MS);
  const end = new Date(now.getTime() + days * DAY_MS);
  return sequence(
    context(0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ECDSA_SHA256,
    distinguishedName(issuer),
    sequence(time(start), time(end)),
    distinguishedName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    context(3, sequence(...extensions)),
  );
}

function distinguishedName({ commonName, organizations = [] }: Subject): Buffer {
  const attribute = (type: string, value: string): Buffer => set(sequence(oid(type), utf8String(value)));
  return sequence(...organizations.map((name) => attribute('2.5.4.10', name)), attribute('2.5.4.3', commonName));
}

function extension(id: string, value: Buffer, critical: boolean): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(value));
}

function alternativeNames(names: readonly string[]): Buffer {
  const parts = names.map((name) => {
    if (isIP(name) === 4) return context(7, Buffer.from(name.split('.').map(Number)), false);
    if (isIP(name) === 6) throw new Error('IPv6 names are not written');
    return context(2, Buffer.from(name, 'ascii'), false);
  });
  return sequence(...parts);
}

function keyIdentifier(publicKey: KeyObject): Buffer {
  return createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
}

function signBody(body: Buffer, key: KeyObject): string {
  const certificate = sequence(body, ECDSA_SHA256, bitString(sign('sha256', body, key)));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function exportKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
