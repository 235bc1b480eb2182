/** Runs the machine's kubectl and our build on the same files, and says where they differ. */

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { KustomizeError, build, renderYaml } from '../../src/index.ts';
import type { Case } from './case.ts';

export interface Verdict {
  readonly kind:
    | 'same'
    | 'same but for documented hashes'
    | 'both refuse'
    | 'different'
    | 'only we refuse'
    | 'only kubectl refuses';
  readonly expected: string;
  readonly actual: string;
}

/** True when a kubectl with kustomize 5.5 is on the PATH. */
export async function hasKubectl(): Promise<boolean> {
  const { output } = await run(['version', '--client', '-o', 'json']);
  return output.includes('"kustomizeVersion": "v5.5.');
}

function run(args: readonly string[]): Promise<{ failed: boolean; output: string; errors: string }> {
  return new Promise((done) => {
    execFile('kubectl', args.slice(), { maxBuffer: 1 << 28 }, (error, output, errors) =>
      done({ failed: error !== null, output, errors }),
    );
  });
}

export async function withFiles<T>(
  files: Readonly<Record<string, string>>,
  use: (root: string) => Promise<T>,
): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), 'kustomize-case-'));
  try {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), content);
    }
    return await use(root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

export function buildOurs(directory: string): { failed: boolean; output: string } {
  try {
    return { failed: false, output: renderYaml(build({ directory }).nodes) };
  } catch (error) {
    if (!(error instanceof KustomizeError)) throw error;
    return { failed: true, output: `${error.code}: ${error.message}` };
  }
}

/** What kubectl makes of a case. */
export function runKubectl(one: Case): Promise<{ failed: boolean; output: string }> {
  return withFiles(one.files, (root) => run(['kustomize', join(root, one.directory)]));
}

export function compare(one: Case): Promise<Verdict> {
  return withFiles(one.files, async (root) => {
    const directory = join(root, one.directory);
    const theirs = await run(['kustomize', directory]);
    const ours = buildOurs(directory);
    const expected = theirs.failed ? theirs.errors : theirs.output;
    return { kind: judge(theirs, ours), expected, actual: ours.output };
  });
}

function judge(
  theirs: { failed: boolean; output: string },
  ours: { failed: boolean; output: string },
): Verdict['kind'] {
  if (theirs.failed) return ours.failed ? 'both refuse' : 'only kubectl refuses';
  if (ours.failed) return 'only we refuse';
  if (theirs.output === ours.output) return 'same';
  return isSameButForHashes(theirs.output, ours.output) ? 'same but for documented hashes' : 'different';
}

const hash = /-([bcdfghkmt2456789]{10})$/u;

/**
 * True when nothing differs but the hashes of generated objects that a patch made another kind of: kubectl then hashes the places and
 * quotes of the patch's text (see the README).
 */
function isSameButForHashes(theirs: string, ours: string): boolean {
  const documented = new Set<string>();
  for (const document of ours.split('\n---\n')) {
    const name = hash.exec(/^ {2}name: (.*)$/mu.exec(document)?.[1] ?? '');
    if (name?.[1] !== undefined && !/^kind: (?:ConfigMap|Secret)$/mu.test(document)) documented.add(name[1]);
  }
  const right = ours.split('\n');
  const left = theirs.split('\n');
  return left.length === right.length && left.every((line, at) => isSameLine(line, right[at] ?? '', documented));
}

function isSameLine(theirs: string, ours: string, documented: ReadonlySet<string>): boolean {
  if (theirs === ours) return true;
  const found = hash.exec(ours)?.[1];
  return found !== undefined && documented.has(found) && theirs.replace(hash, '') === ours.replace(hash, '');
}

/** Runs `work` for every item, a few at a time. */
export async function eachOf<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
