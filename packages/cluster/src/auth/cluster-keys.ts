/** Owns the key files of a cluster: CA, server, admin, service account signing key; makes what is missing or ends soon. */
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCertificateAuthority, issueCertificate } from './certificates.ts';
import type { KeyPair, LeafRequest } from './certificates.ts';

export interface ClusterKeys {
  readonly ca: KeyPair;
  readonly server: KeyPair;
  readonly admin: KeyPair;
  /** PEM, PKCS #8, EC P-256. */
  readonly serviceAccountKey: string;
}

const CA_SUBJECT = { commonName: 'kfctl-local-cluster' };
const CA_DAYS = 3650;
const LEAF_DAYS = 365;
const RENEW_BEFORE_MS = 60 * 86_400_000;

/** Reads or makes the keys below `directory` (0700, files 0600); `names` are what clients call the server. */
export async function prepareClusterKeys(
  directory: string,
  request: { readonly names: readonly string[]; readonly now: Date },
): Promise<ClusterKeys> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { names, now } = request;
  const files = { directory, now };
  const ca = await loadPair(files, 'ca', {
    isGood: () => true,
    make: () => createCertificateAuthority(CA_SUBJECT, { days: CA_DAYS, now }),
  });
  const issue = (leaf: Omit<LeafRequest, 'days' | 'now'>): KeyPair =>
    issueCertificate({ ...ca, subject: CA_SUBJECT }, { ...leaf, days: LEAF_DAYS, now });
  const isOurs = (certificate: X509Certificate): boolean =>
    certificate.verify(new X509Certificate(ca.certificate).publicKey);
  const [server, admin, serviceAccountKey] = await Promise.all([
    loadPair(files, 'server', {
      isGood: (certificate) => isOurs(certificate) && hasNames(certificate, names),
      make: () => issue({ subject: { commonName: 'kube-apiserver' }, usage: 'server', names }),
    }),
    loadPair(files, 'admin', {
      isGood: isOurs,
      make: () =>
        issue({ subject: { commonName: 'kubernetes-admin', organizations: ['system:masters'] }, usage: 'client' }),
    }),
    loadSigningKey(directory),
  ]);
  return { ca, server, admin, serviceAccountKey };
}

function hasNames(certificate: X509Certificate, names: readonly string[]): boolean {
  const present = (certificate.subjectAltName ?? '')
    .split(', ')
    .map((entry) => entry.replace(/^(?:DNS|IP Address):/, ''));
  return names.length === present.length && names.every((name) => present.includes(name));
}

interface Files {
  readonly directory: string;
  readonly now: Date;
}

interface PairSource {
  readonly isGood: (certificate: X509Certificate) => boolean;
  readonly make: () => KeyPair;
}

async function loadPair({ directory, now }: Files, name: string, { isGood, make }: PairSource): Promise<KeyPair> {
  const file = join(directory, `${name}.pem`);
  const text = await readOptional(file);
  const present = text === undefined ? undefined : splitPair(text);
  if (present !== undefined) {
    const certificate = new X509Certificate(present.certificate);
    if (isGood(certificate) && Date.parse(certificate.validTo) - now.getTime() > RENEW_BEFORE_MS) return present;
  }
  const made = make();
  await writePrivate(file, `${made.certificate}${made.key}`);
  return made;
}

function splitPair(text: string): KeyPair | undefined {
  const mark = text.indexOf('-----BEGIN PRIVATE KEY-----');
  return mark <= 0 ? undefined : { certificate: text.slice(0, mark), key: text.slice(mark) };
}

async function loadSigningKey(directory: string): Promise<string> {
  const file = join(directory, 'service-account.pem');
  const present = await readOptional(file);
  if (present !== undefined) return present;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const text = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  await writePrivate(file, text);
  return text;
}

async function readOptional(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Writes a file of mode 0600 whole or not at all. */
export async function writePrivate(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}.new`;
  await writeFile(temporary, text, { mode: 0o600 });
  await rename(temporary, file);
}
