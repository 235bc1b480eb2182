/**
 * The test command: system packages, then format, lint, types and generated files, then every test.
 * `--long` runs the longer suites instead; `--check` stops after the checks; other arguments are test files.
 */
import { spawn, spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import path from 'node:path';
import { styleText } from 'node:util';

const root = path.dirname(import.meta.dirname);
const bin = path.join(root, 'node_modules', '.bin');
const args = process.argv.slice(2);
const long = args.includes('--long');
const files = args.filter((argument) => !argument.startsWith('--'));

const extraPath = installSystemPackages();
const env = {
  ...process.env,
  PATH: [bin, ...extraPath, process.env['PATH'] ?? '', '/usr/sbin'].join(path.delimiter),
  NODE_NO_WARNINGS: '1',
};

if (!long && files.length === 0) await runChecks();
if (args.includes('--check')) process.exit(0);
const code = await run('node', testArguments());
if (code === 0) process.stderr.write(`${styleText('green', 'all tests passed')}\n`);
process.exit(code);

/** Runs the idempotent installation script; gives the directories that it wants on PATH. */
function installSystemPackages(): string[] {
  if (process.platform !== 'linux') return [];
  const result = spawnSync('bash', [path.join(root, 'scripts', 'system-packages.sh')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
  return result.stdout.split('\n').filter((line) => line !== '');
}

async function runChecks(): Promise<void> {
  const checks: readonly (readonly [string, readonly string[]])[] = [
    ['oxfmt', ['--check', '.']],
    ['oxlint', ['--quiet']],
    ['tsc', ['-p', '.']],
    ['tsc', ['-p', 'packages/dashboard/web']],
  ];
  const codes = await Promise.all(checks.map(([command, parameters]) => run(command, parameters)));
  const failed = checks.filter((_check, index) => codes[index] !== 0).map(([command]) => command);
  if (failed.length > 0) {
    process.stderr.write(`${styleText('red', `failed: ${failed.join(', ')}`)}\n`);
    process.exit(1);
  }
  process.stderr.write('checks passed: format, lint, types\n');
}

function testArguments(): string[] {
  const all = globSync(['packages/*/{src,test,web}/**/*.test.ts', 'scripts/**/*.test.ts', 'e2e/**/*.test.ts'], {
    cwd: root,
    exclude: (name) => name === 'node_modules' || name === 'testdata',
  });
  const chosen = files.length > 0 ? files : all.filter((file) => isLong(file) === long).toSorted();
  return [
    '--test',
    '--test-concurrency=3',
    '--test-timeout=300000',
    `--test-reporter=${long || process.env['CI'] === 'true' ? 'spec' : 'dot'}`,
    ...chosen,
  ];
}

function isLong(file: string): boolean {
  return file.endsWith('.long.test.ts');
}

function run(command: string, parameters: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(path.join(bin, command), [...parameters], {
      cwd: root,
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.on('error', (error) => {
      process.stderr.write(`${command}: ${error.message}\n`);
      resolve(1);
    });
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
