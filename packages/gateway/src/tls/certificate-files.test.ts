import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../../../testkit/src/front-door/programs.ts';
import { selfSigned } from '../rig/certificates.ts';
import { createCertificateFiles } from './certificate-files.ts';

test('a certificate in files is read again after a while, and kept while the newer one is broken', async (t) => {
  const directory = await temporaryDirectory(t);
  const tls = {
    kind: 'files',
    certificate: path.join(directory, 'cert'),
    key: path.join(directory, 'key'),
    minVersion: 'TLSv1.2',
  } as const;
  let now = 0;
  const reports: string[] = [];
  const files = createCertificateFiles({ now: () => now, report: (_file, problem) => void reports.push(problem) });
  const put = async ({ cert, key }: { cert: string; key: string }): Promise<void> => {
    await writeFile(tls.certificate, cert);
    await writeFile(tls.key, key);
  };
  const certificate = (): string | undefined => files.find(tls)?.pem.cert.toString();
  assert.equal(certificate(), undefined);
  const [first, second] = [await selfSigned(['a']), await selfSigned(['a'])];
  await put(first);
  assert.equal(certificate(), undefined);
  now += 10_000;
  assert.equal(certificate(), first.cert);
  await put({ cert: second.cert, key: first.key });
  now += 10_000;
  assert.equal(certificate(), first.cert);
  now += 10_000;
  assert.equal(certificate(), first.cert);
  await put(second);
  now += 10_000;
  assert.equal(certificate(), second.cert);
  await rm(tls.key);
  now += 10_000;
  assert.equal(certificate(), second.cert);
  assert.deepEqual(reports, [
    'a file cannot be read',
    'certificate and key are not a PEM pair that belongs together',
    'a file cannot be read',
  ]);
});
