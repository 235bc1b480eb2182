/** Owns the TLS of connections to destinations: which certificates, which names, and who is believed. */
import { readFileSync } from 'node:fs';
import { checkServerIdentity, createSecureContext } from 'node:tls';
import type { ConnectionOptions, PeerCertificate, SecureContext } from 'node:tls';
import { AppError } from '@kfctl/core';
import type { SecretObject } from '@kfctl/kube';
import type { ClientTls, TlsCredential } from '../../istio/traffic-policy/client-tls.ts';
import type { Source } from '../../istio/sources.ts';

/** Options for one connection; throws when what they need is not there. Certificates that were renewed are seen by the next connection. */
export type UpstreamTls = (protocols: readonly string[]) => ConnectionOptions;

export interface UpstreamTlsOptions {
  readonly tls: ClientTls & { readonly kind: 'tls' };
  /** The destination's host, whose name the certificate must have unless the policy names others. */
  readonly host: string;
  readonly secrets: Pick<Source<SecretObject>, 'get'>;
  /** The gateway's own namespace: credentials are read nowhere else. */
  readonly namespace: string;
  readonly now: () => number;
}

/** Files are looked at again after this long. */
const FILE_AGE_MS = 10_000;

interface Material {
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly ca: string | undefined;
}

export function createUpstreamTls(options: UpstreamTlsOptions): UpstreamTls {
  const { tls, host } = options;
  const context = createContextReader(options);
  const servername = tls.sni ?? host;
  return (protocols) => ({
    secureContext: context(),
    servername,
    ALPNProtocols: [...protocols],
    rejectUnauthorized: !tls.insecureSkipVerify,
    checkServerIdentity: (_name, certificate) => checkIdentity(tls.subjectAltNames, servername, certificate),
  });
}

/** Istio: where the policy lists names, one of them must be in the certificate; otherwise the server's name must. */
function checkIdentity(names: readonly string[], servername: string, certificate: PeerCertificate): Error | undefined {
  if (names.length === 0) return checkServerIdentity(servername, certificate);
  const stated = (certificate.subjectaltname ?? '').split(', ');
  const isStated = (name: string): boolean => stated.includes(`URI:${name}`) || stated.includes(`DNS:${name}`);
  if (names.some((name) => isStated(name) || (!name.includes(':') && isName(name, certificate)))) return undefined;
  return new AppError('UPSTREAM_IDENTITY', 'the certificate has none of the names that the policy lists');
}

function isName(name: string, certificate: PeerCertificate): boolean {
  return checkServerIdentity(name, certificate) === undefined;
}

function createContextReader({ tls, secrets, namespace, now }: UpstreamTlsOptions): () => SecureContext {
  const { credential } = tls;
  const files = createFileReader(now);
  let known: { readonly key: string; readonly context: SecureContext } | undefined;
  return () => {
    const material = readMaterial(credential, files, (name) => secrets.get(name, namespace));
    const key = `${material.cert} ${material.key} ${material.ca}`;
    if (known?.key !== key) known = { key, context: createContext(material) };
    return known.context;
  };
}

function createContext({ cert, key, ca }: Material): SecureContext {
  try {
    return createSecureContext({ minVersion: 'TLSv1.2', ...present({ cert, key, ca }) });
  } catch {
    // The library's message may quote what it could not read.
    throw new AppError('UPSTREAM_CREDENTIAL', 'certificate, key or authorities are no PEM that belongs together');
  }
}

function present(material: Material): { cert?: string; key?: string; ca?: string } {
  const { cert, key, ca } = material;
  return {
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(ca === undefined ? {} : { ca }),
  };
}

function readMaterial(
  credential: TlsCredential,
  files: (path: string) => string,
  secret: (name: string) => SecretObject | undefined,
): Material {
  switch (credential.kind) {
    case 'system':
      return { cert: undefined, key: undefined, ca: undefined };
    case 'files': {
      const { certificate, key, authorities } = credential;
      return { cert: certificate && files(certificate), key: key && files(key), ca: authorities && files(authorities) };
    }
    case 'secret':
      return readSecret(credential, secret);
  }
}

/** The keys of both kinds of Secret that Istio takes; the authorities may be in a Secret of their own, `<name>-cacert`. */
function readSecret(
  { name, mutual }: TlsCredential & { kind: 'secret' },
  find: (name: string) => SecretObject | undefined,
): Material {
  const secret = find(name);
  const authorities = find(`${name}-cacert`);
  const ca =
    text(authorities, 'cacert') ?? text(authorities, 'ca.crt') ?? text(secret, 'ca.crt') ?? text(secret, 'cacert');
  const cert = mutual ? (text(secret, 'tls.crt') ?? text(secret, 'cert')) : undefined;
  const key = mutual ? (text(secret, 'tls.key') ?? text(secret, 'key')) : undefined;
  if (secret === undefined && authorities === undefined) throw missing(name);
  if (mutual && (cert === undefined || key === undefined)) throw missing(name);
  return { cert, key, ca };
}

function missing(name: string): AppError {
  return new AppError('UPSTREAM_CREDENTIAL', `Secret ${name} is missing or has no certificate and key`);
}

function text(secret: SecretObject | undefined, key: string): string | undefined {
  const value = secret?.data?.[key];
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
}

function createFileReader(now: () => number): (path: string) => string {
  const known = new Map<string, { readonly at: number; readonly text: string }>();
  return (path) => {
    const previous = known.get(path);
    if (previous !== undefined && now() - previous.at < FILE_AGE_MS) return previous.text;
    try {
      const read = { at: now(), text: readFileSync(path, 'utf8') };
      known.set(path, read);
      return read.text;
    } catch {
      // A file in the middle of its replacement: the one before is still good.
      if (previous !== undefined) return previous.text;
      throw new AppError('UPSTREAM_CREDENTIAL', `${path} cannot be read`);
    }
  };
}
