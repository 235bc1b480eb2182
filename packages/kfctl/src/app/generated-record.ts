/** Owns the record of what `generate` wrote, by which edits of a person are told from our own files. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomically } from './write-file.ts';

/** SHA-256 by path inside the application's directory, by application. */
export type GeneratedRecord = Readonly<Record<string, Readonly<Record<string, string>>>>;

const RECORD_FILE = path.join('.kfctl', 'generated.json');

export function digest(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** An unreadable record counts as none: then every present file counts as edited, which is the safe side. */
export async function readRecord(directory: string): Promise<GeneratedRecord> {
  try {
    const parsed = JSON.parse(await readFile(path.join(directory, RECORD_FILE), 'utf8')) as unknown;
    const applications = (parsed as { applications?: unknown }).applications;
    return isRecord(applications) ? applications : {};
  } catch {
    return {};
  }
}

/** The paths in it are removed when they are stale: none may lead out of the application's directory. */
function isRecord(value: unknown): value is GeneratedRecord {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).every(
    ([application, digests]) =>
      isPlain(application) &&
      typeof digests === 'object' &&
      digests !== null &&
      Object.entries(digests).every(([file, known]) => file.split('/').every(isPlain) && typeof known === 'string'),
  );
}

function isPlain(segment: string): boolean {
  return segment !== '' && segment !== '.' && segment !== '..' && !/[/\\]/.test(segment);
}

export async function writeRecord(directory: string, record: GeneratedRecord): Promise<void> {
  const text = `${JSON.stringify({ version: 1, applications: record }, undefined, 1)}\n`;
  const file = path.join(directory, RECORD_FILE);
  const present = await readFile(file, 'utf8').catch(() => '');
  if (present !== text) await writeFileAtomically(file, text);
}
