/** Owns `kfctl generate`: writes kustomize/<app>/, keeps what a person edited and says so. */
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { applicationDirectory, KUSTOMIZE_DIRECTORY } from './app-directory.ts';
import type { App } from './app-directory.ts';
import { digest, readRecord, writeRecord } from './generated-record.ts';
import { renderApplication } from './render-application.ts';
import type { Files } from './render-application.ts';
import type { Scope } from './scope.ts';
import { inScope } from './scope.ts';
import { writeFileAtomically } from './write-file.ts';

export interface GenerateResult {
  readonly applications: readonly string[];
  readonly written: readonly string[];
  readonly removed: readonly string[];
  /** Files that a person edited, of which the package now says something else. */
  readonly kept: readonly string[];
}

/** Generates the applications in scope. Everything is rendered before the first file is written. */
export async function generateApp(app: App, scope: Scope = 'all'): Promise<GenerateResult> {
  const chosen = app.kfdef.applications.filter((application) => inScope(application, scope));
  const rendered = chosen.map((application) => [application.name, renderApplication(app.kfdef, application)] as const);
  const record = await readRecord(app.directory);
  const next: Record<string, Record<string, string>> = {};
  const result = { applications: chosen.map(({ name }) => name), written: [], removed: [], kept: [] } as Outcome;
  for (const [name, digests] of Object.entries(record)) {
    const known = app.kfdef.applications.some((application) => application.name === name);
    if (known) next[name] = { ...digests };
    else await place({ directory: applicationDirectory(app, name), name, files: new Map(), digests }, result);
  }
  for (const [name, files] of rendered) {
    const directory = applicationDirectory(app, name);
    next[name] = await place({ directory, name, files, digests: record[name] ?? {} }, result);
  }
  await writeRecord(app.directory, next);
  return result;
}

interface Outcome {
  applications: string[];
  written: string[];
  removed: string[];
  kept: string[];
}

interface Placement {
  readonly directory: string;
  readonly name: string;
  /** What is wanted; empty when the application is gone. */
  readonly files: Files;
  /** What was written last time. */
  readonly digests: Readonly<Record<string, string>>;
}

async function place(
  { directory, name, files, digests }: Placement,
  outcome: Outcome,
): Promise<Record<string, string>> {
  const next: Record<string, string> = {};
  for (const [file, content] of files) {
    const shown = path.posix.join(KUSTOMIZE_DIRECTORY, name, file);
    const target = path.join(directory, file);
    const present = await readFile(target).catch(() => undefined);
    const wanted = digest(content);
    const found = present === undefined ? undefined : digest(present);
    if (found === wanted) {
      next[file] = wanted;
    } else if (found === undefined || found === digests[file]) {
      await writeFileAtomically(target, content);
      outcome.written.push(shown);
      next[file] = wanted;
    } else {
      // The digest of our last version stays: the file counts as edited until it is ours again.
      next[file] = digests[file] ?? '';
      outcome.kept.push(shown);
    }
  }
  for (const [file, known] of Object.entries(digests)) {
    if (!files.has(file)) await removeStale(path.join(directory, file), { known, name, file }, outcome);
  }
  if (files.size === 0) await removeEmpty(directory);
  return next;
}

interface Stale {
  readonly known: string;
  readonly name: string;
  readonly file: string;
}

async function removeStale(target: string, { known, name, file }: Stale, outcome: Outcome): Promise<void> {
  const shown = path.posix.join(KUSTOMIZE_DIRECTORY, name, file);
  const present = await readFile(target).catch(() => undefined);
  if (present === undefined) return;
  if (digest(present) !== known) {
    outcome.kept.push(shown);
    return;
  }
  await rm(target);
  outcome.removed.push(shown);
}

async function removeEmpty(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeEmpty(path.join(directory, entry.name));
  await rmdir(directory).catch(() => undefined);
}
