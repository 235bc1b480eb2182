/** Owns certificates of TLS servers in files: read again from time to time, and kept while the newer ones are broken. */
import { readFileSync } from 'node:fs';
import type { ServerTls } from '../istio/gateway.ts';
import { toCredential } from './credentials.ts';
import type { Credential } from './credentials.ts';

type FileTls = ServerTls & { readonly kind: 'files' };

export interface CertificateFiles {
  find(tls: FileTls): Credential | undefined;
}

export interface CertificateFilesOptions {
  /** Milliseconds that only grow. */
  readonly now: () => number;
  /** Called once for each problem with a certificate. */
  readonly report: (certificate: string, problem: string) => void;
}

const AGE_MS = 10_000;

interface Known {
  readonly at: number;
  readonly text: string;
  readonly credential: Credential | undefined;
  readonly problem: string | undefined;
}

export function createCertificateFiles({ now, report }: CertificateFilesOptions): CertificateFiles {
  const known = new Map<string, Known>();
  return {
    find(tls) {
      const id = `${tls.certificate}|${tls.key}|${tls.minVersion}`;
      const before = known.get(id);
      if (before !== undefined && now() - before.at < AGE_MS) return before.credential;
      const next = { ...read(tls, before), at: now() };
      if (next.problem !== undefined && next.problem !== before?.problem) report(tls.certificate, next.problem);
      known.set(id, next);
      return next.credential;
    },
  };
}

function read({ certificate, key, minVersion }: FileTls, before: Known | undefined): Omit<Known, 'at'> {
  const kept = before?.credential;
  const previous = before?.text ?? '';
  try {
    const pem = { cert: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
    const text = `${pem.cert} ${pem.key}`;
    if (before !== undefined && text === previous) return before;
    const made = toCredential(pem, minVersion);
    if (typeof made === 'string') return { text, credential: kept, problem: made };
    return { text, credential: made, problem: undefined };
  } catch {
    return { text: previous, credential: kept, problem: 'a file cannot be read' };
  }
}
