/** Owns the certificates of TLS servers: read from Secrets, checked, and kept while a newer version is broken. */
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import type { SecretObject } from '@kfctl/kube';
import type { ServerTls } from '../istio/gateway.ts';
import type { Source } from '../istio/sources.ts';
import type { PemCredential } from '../server/listener.ts';
import type { CertificateFiles } from './certificate-files.ts';

export interface Credential {
  readonly pem: PemCredential;
  readonly context: SecureContext;
}

type TlsVersion = ServerTls['minVersion'];

export interface CredentialsOptions {
  readonly secrets: Source<SecretObject>;
  /** The gateway's own namespace: Istio reads credentials nowhere else. */
  readonly namespace: string;
  readonly report: (secret: SecretObject, problem: string) => void;
  readonly files: CertificateFiles;
}

export interface Credentials {
  find(tls: ServerTls): Credential | undefined;
}

/** Looks certificates up by Secret; each version of a Secret is parsed once. */
export function createCredentials({ secrets, namespace, report, files }: CredentialsOptions): Credentials {
  const loaded = new Map<string, { readonly secret: SecretObject; readonly credential: Credential | undefined }>();
  return {
    find(tls) {
      const name = secretName(tls);
      const secret = name === undefined ? undefined : secrets.get(name, namespace);
      if (name === undefined || secret === undefined) return tls.kind === 'files' ? files.find(tls) : undefined;
      const key = `${name} ${tls.minVersion}`;
      const previous = loaded.get(key);
      if (previous?.secret === secret) return previous.credential;
      const read = readCredential(secret, tls);
      if (typeof read === 'string') report(secret, read);
      const credential = typeof read === 'string' ? previous?.credential : read;
      loaded.set(key, { secret, credential });
      return credential;
    },
  };
}

/** Files mounted at `/etc/istio/<name>/` come from the Secret `istio-<name>`: where it is, it is read directly, so that rotation needs no remount. */
function secretName(tls: ServerTls): string | undefined {
  if (tls.kind === 'secret') return tls.name;
  const directory = /^\/etc\/istio\/([a-z0-9-]+)\/[\w.-]+$/.exec(tls.certificate)?.[1];
  return directory === undefined ? undefined : `istio-${directory}`;
}

function readCredential(secret: SecretObject, tls: ServerTls): Credential | string {
  const cert = decode(secret, 'tls.crt') ?? decode(secret, 'cert');
  const key = decode(secret, 'tls.key') ?? decode(secret, 'key');
  if (cert === undefined || key === undefined) return 'has no tls.crt and tls.key';
  return toCredential({ cert, key }, tls.minVersion);
}

/** The pair, or why it is none. */
export function toCredential(pem: PemCredential, minVersion: TlsVersion): Credential | string {
  try {
    return { pem, context: createSecureContext({ ...pem, minVersion }) };
  } catch {
    // The library's message may quote what it could not read.
    return 'certificate and key are not a PEM pair that belongs together';
  }
}

function decode(secret: SecretObject, name: string): string | undefined {
  const value = secret.data?.[name];
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
}
