/** Owns a certificate of this very address that nobody's system trusts. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import type { CleansUp } from './front-door/cleanup.ts';
import { temporaryDirectory } from './front-door/programs.ts';

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** For 127.0.0.1, its own authority. */
export async function makeCertificate(cleanup: CleansUp): Promise<CertificateFiles> {
  const directory = await temporaryDirectory(cleanup);
  const [certFile, keyFile] = [path.join(directory, 'cert.pem'), path.join(directory, 'key.pem')];
  const names = ['-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile];
  execFileSync('openssl', ['req', '-x509', '-days', '1', ...key, '-out', certFile, ...names], { stdio: 'ignore' });
  return { certFile, keyFile };
}
