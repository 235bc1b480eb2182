/**
 * Makes the package as it is published, in `dist/package` or the folder that is named: the library as one ES module with its types, and the
 * command as one script that a small launcher starts. `--if-stale` does nothing while no source has changed.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { InputOptions, OutputOptions } from 'rolldown';

const root = path.dirname(import.meta.dirname);
const named = process.argv.slice(2).find((argument) => !argument.startsWith('--'));
const dist = path.resolve(named ?? path.join(root, 'dist'));
const target = path.join(dist, 'package');
const stamp = path.join(dist, 'built');
const publishedFields = ['name', 'version', 'description', 'keywords', 'license', 'type', 'bin', 'engines'];

if (!process.argv.includes('--if-stale') || isStale()) await buildPackage();

/** The launcher of the checkout asks the same question, by the same rule. */
function isStale(): boolean {
  const built = statSync(stamp, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const inputs = globSync(['src/**/*.ts', 'scripts/**/*.ts', 'package.json'], { cwd: root });
  return inputs.some((file) => statSync(path.join(root, file)).mtimeMs > built);
}

async function buildPackage(): Promise<void> {
  const started = new Date();
  rmSync(target, { recursive: true, force: true });
  mkdirSync(path.join(target, 'bin'), { recursive: true });
  await buildCommand();
  writeFileSync(path.join(target, 'index.js'), await bundle({ input: source('index.ts') }, { format: 'esm' }));
  writeTypes();
  writeManifest();
  for (const [from, to] of [
    ['README.md', 'README.md'],
    ['../../LICENSE', 'LICENSE'],
  ] as const)
    copyFileSync(path.join(root, from), path.join(target, to));
  writeFileSync(stamp, started.toISOString());
}

function source(file: string): string {
  return path.join(root, 'src', file);
}

/** The code of one file; the bundler is loaded only when there is something to build. */
async function bundle(input: InputOptions, output: OutputOptions): Promise<string> {
  const { rolldown } = await import('rolldown');
  const build = await rolldown({ platform: 'node', logLevel: 'warn', ...input });
  const { output: chunks } = await build.generate(output);
  await build.close();
  if (chunks.length !== 1) throw new Error(`expected one file, not ${chunks.length}`);
  return chunks[0].code;
}

/** The program is a function of `require`, in a file named by its digest, because cached code must fit it exactly. */
async function buildCommand(): Promise<void> {
  const code = await bundle({ input: source('cli/main.ts') }, { format: 'cjs', minify: true });
  const program = `(function (require) {${code}\n})`;
  const digest = createHash('sha256').update(program).digest('hex').slice(0, 16);
  const name = `program-${digest}.cjs`;
  writeFileSync(path.join(target, 'bin', name), program);
  const launcher = await bundle(
    { input: source('launch/main.ts'), transform: { define: { PROGRAM_FILE: JSON.stringify(name) } } },
    { format: 'cjs', minify: true },
  );
  writeFileSync(path.join(target, 'bin', 'kustomize-js.cjs'), `#!/usr/bin/env node\n${launcher}`, { mode: 0o755 });
}

/** Declarations of the exported API and what it is made of; their imports name the files that are published. */
function writeTypes(): void {
  const types = path.join(target, 'types');
  const compiler = path.join(root, '../../node_modules/.bin/tsc');
  const options = ['--noEmit', 'false', '--emitDeclarationOnly', '--declaration', '--outDir', types];
  const settings = ['--module', 'nodenext', '--target', 'es2024', '--types', 'node', '--strict', '--skipLibCheck'];
  const language = ['--allowImportingTsExtensions', '--exactOptionalPropertyTypes', '--ignoreConfig'];
  const done = spawnSync(compiler, [source('index.ts'), ...options, ...settings, ...language], { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`tsc failed: ${done.stdout}${done.stderr}`);
  for (const file of globSync('**/*.d.ts', { cwd: types })) {
    const text = readFileSync(path.join(types, file), 'utf8');
    writeFileSync(path.join(types, file), text.replaceAll(/(from ')(\.[^']*)\.ts'/gu, "$1$2.js'"));
  }
}

function writeManifest(): void {
  const own = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
  const manifest = Object.fromEntries(publishedFields.map((field) => [field, own[field]]));
  manifest['exports'] = { '.': { types: './types/index.d.ts', default: './index.js' } };
  writeFileSync(path.join(target, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
}
