/** Owns the folder that archive and image share: the sources that run, their dependencies, the pages, and one platform's Node. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isThisMachine, type Platform } from './platforms.ts';

/** What a user does not need: tests, benches, and what only they import. */
const LEFT_OUT = /\.test\.ts$|^packages\/(testkit|[^/]+\/(test|testdata|bench|bed|scripts))\//;

export const root: string = path.dirname(path.dirname(import.meta.dirname));

const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  version: string;
  devDependencies: { node: string };
};

/** With its `v`, as in file names. */
export const version: string = `v${manifest.version}`;

/** Arguments of GNU tar that make the same bytes of the same commit: the commit's time, sorted, no owner. */
export function reproducible(): readonly string[] {
  const time = execFileSync('git', ['log', '-1', '--format=@%ct'], { cwd: root, encoding: 'utf8' }).trim();
  return ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', `--mtime=${time}`];
}

/** Fills `home` with what runs on the platform: `packages/`, `node_modules/`. */
export function stageSources(home: string, { os, cpu }: Platform): void {
  const known = execFileSync('git', ['ls-files', 'packages', 'package.json', 'package-lock.json', 'LICENSE'], {
    cwd: root,
    encoding: 'utf8',
  });
  const files = known.split('\n').filter((file) => file !== '' && !LEFT_OUT.test(file));
  // npm wants every workspace of the lock file to be there; git does not know the pages that were built.
  for (const file of [...files, 'packages/testkit/package.json', 'packages/dashboard/web/dist']) {
    cpSync(path.join(root, file), path.join(home, file), { recursive: true });
  }
  npm(home, ['ci', '--omit=dev', `--os=${os}`, `--cpu=${cpu}`]);
  rmSync(path.join(home, 'node_modules', '.bin'), { recursive: true, force: true });
}

/** The path of the platform's Node: this machine's own, or out of the npm package that carries it (kept in `work`). */
export function nodeOf({ os, cpu, nodePackage, ...rest }: Platform, work: string): string {
  const own = path.join(root, 'node_modules', 'node', 'bin', 'node');
  if (isThisMachine({ os, cpu, nodePackage, ...rest }) && existsSync(own)) return own;
  const folder = path.join(work, nodePackage);
  const node = path.join(folder, 'node_modules', nodePackage, 'bin', 'node');
  if (existsSync(node)) return node;
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{"private":true}');
  const spec = `${nodePackage}@${manifest.devDependencies.node}`;
  npm(folder, ['install', '--no-save', '--force', '--ignore-scripts', `--os=${os}`, `--cpu=${cpu}`, spec]);
  return node;
}

/** Compiled code of every program, beside the sources, for those who run the same Node on the same processor. */
export const CACHE = '.compile-cache';

/** Settings under which Node finds it wherever the folder is put; a read-only one serves as well. */
export const CACHE_SETTINGS: Readonly<Record<string, string>> = { NODE_COMPILE_CACHE_PORTABLE: '1' };

/** Only on the platform itself: Node refuses code compiled for another. */
export function warmCache(home: string): void {
  const env = { ...process.env, ...CACHE_SETTINGS, NODE_COMPILE_CACHE: path.join(home, CACHE) };
  const script = path.join(root, 'scripts', 'warm-cache.ts');
  execFileSync(process.execPath, [script, `--root=${home}`], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  // Node writes them for the user who compiled; every user of the release reads them.
  execFileSync('chmod', ['-R', 'a+rX', path.join(home, CACHE)]);
}

function npm(cwd: string, args: readonly string[]): void {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', [...args, ...quiet], { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}
