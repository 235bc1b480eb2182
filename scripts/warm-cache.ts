/**
 * Fills Node's compile cache with every module of the processes, so that the first start of the platform is a warm one: half the
 * time, and 25 MB less for each process, because the type stripper is not loaded. Does nothing while no source has changed.
 * `--root=FOLDER` warms another copy of the sources.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import path from 'node:path';
import { WAITING_FLAGS, WAITING_PROGRAMS } from '../packages/core/src/index.ts';

const root = process.argv.find((word) => word.startsWith('--root='))?.slice(7) ?? path.dirname(import.meta.dirname);
const cache = process.env['NODE_COMPILE_CACHE'];
const PODS = ['authservice', 'dashboard', 'gateway', 'identity', 'load-balancer', 'profiles'];
const LIBRARIES = ['core', 'http', 'kube', 'oidc'];
const ALL = [...PODS, ...LIBRARIES, 'cluster', 'kfctl', 'kustomize'];

const imports = process.argv.find((word) => word.startsWith('--import='))?.slice(9);
if (imports !== undefined) await importAll(imports.split(','));
else if (cache !== undefined) await warm(path.join(cache, 'warmed-for'));

async function warm(stamp: string): Promise<void> {
  const digest = digestOf(sources(ALL));
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  const importer = [import.meta.filename, `--root=${root}`];
  await run([...importer, `--import=${ALL.join(',')}`]);
  // Compiled code serves one set of V8's flags.
  await run([...WAITING_FLAGS, ...importer, `--import=${[...WAITING_PROGRAMS, ...LIBRARIES].join(',')}`]);
  // Without a configuration every process ends at once, with its modules compiled.
  const mainOf = (place: string): string => path.join(root, 'packages', place, 'main.ts');
  for (const name of PODS) {
    await run([...(WAITING_PROGRAMS.includes(name) ? WAITING_FLAGS : []), mainOf(`${name}/src`)]);
  }
  await run([...WAITING_FLAGS, mainOf('kfctl/src/local/supervisor'), '/dev/null/nowhere']);
  for (const place of ['cluster/src', 'kfctl/src', 'kfctl/src/local/install']) {
    await run([mainOf(place), '/dev/null/nowhere']);
  }
  // `kfctl kustomize` runs as it is published: bundled.
  await run([path.join(root, 'packages/kustomize/scripts/build-package.ts'), '--if-stale']);
  writeFileSync(stamp, digest);
}

/** Modules have no effects when they are imported; mains do, and tests are not needed. */
async function importAll(packages: readonly string[]): Promise<void> {
  for (const file of sources(packages)) {
    if (!file.endsWith('/main.ts')) await import(path.join(root, file)).catch(() => undefined);
  }
  flushCompileCache();
  process.exit(0);
}

function sources(packages: readonly string[]): string[] {
  const all = globSync(`packages/{${packages.join(',')}}/src/**/*.ts`, { cwd: root });
  return all.filter((file) => !file.endsWith('.test.ts')).toSorted();
}

function digestOf(files: readonly string[]): string {
  const hash = createHash('sha256').update(process.version);
  for (const file of files) {
    const { mtimeMs, size } = statSync(path.join(root, file));
    hash.update(`${file} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex');
}

function run(args: readonly string[]): Promise<void> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: '/nonexistent',
    NODE_COMPILE_CACHE: cache ?? '',
    NODE_COMPILE_CACHE_PORTABLE: '1',
  };
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...args], { env, stdio: 'ignore', timeout: 20_000 });
    child.on('error', () => resolve());
    child.on('exit', () => resolve());
  });
}
