/** Owns the settings that name a PEM file of certificate authorities: read and judged at the start, where a mistake can still be told. */
import { readFileSync } from 'node:fs';
import { describeError } from '@kfctl/core';
import type { EnvReader } from '@kfctl/core';

const { X509Certificate } = process.getBuiltinModule('node:crypto');

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The text of the file that `path`, the value of the setting, names; undefined where none is named. */
export function readAuthorities(reader: EnvReader, name: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    const text = readFileSync(path, 'utf8');
    const certificates = (text.match(CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem));
    if (certificates.length > 0) return text;
    reader.problem(name, `"${path}" holds no certificate in PEM form`);
  } catch (error) {
    reader.problem(name, `"${path}" cannot be used: ${describeError(error)}`);
  }
  return undefined;
}
