/**
 * Makes what users download into `dist/`: for each platform `kfctl_v<version>_<platform>.tar.gz` (the command with its own Node;
 * sources run as they are), for Linux the container image too, `metallb.yaml`, and `SHA256SUMS`. Publishes nothing.
 *
 *   npm run release                               for this machine
 *   npm run release -- linux-arm64 darwin-arm64   for others; also `all`, and `--output=FOLDER`
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { HOME, packArchive } from './archive.ts';
import { packImage } from './image.ts';
import { choosePlatforms, isThisMachine, PLATFORMS, type Platform } from './platforms.ts';
import { nodeOf, root, stageSources, warmCache } from './stage.ts';

const words = process.argv.slice(2);
const output = path.resolve(words.find((word) => word.startsWith('--output='))?.slice(9) ?? path.join(root, 'dist'));
const chosen = choosePlatforms(words.filter((word) => !word.startsWith('--')));

if ('unknown' in chosen) {
  const names = PLATFORMS.map(({ name }) => name).join(', ');
  process.stderr.write(`no such platform: ${chosen.unknown.join(', ')}; there are ${names} and all\n`);
  process.exitCode = 1;
} else {
  release(chosen);
}

function release(platforms: readonly Platform[]): void {
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  const work = mkdtempSync(path.join(tmpdir(), 'kfctl-release-'));
  try {
    writeFileSync(path.join(output, 'metallb.yaml'), buildLoadBalancer());
    for (const platform of platforms) releasePlatform(platform, work);
    writeFileSync(path.join(output, 'SHA256SUMS'), checksums());
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function releasePlatform(platform: Platform, work: string): void {
  const stage = path.join(work, platform.name);
  const home = path.join(stage, HOME);
  stageSources(home, platform);
  if (isThisMachine(platform)) warmCache(home);
  if (platform.os === 'linux') say(packImage({ platform, home, work, output }));
  cpSync(nodeOf(platform, work), path.join(home, 'bin', 'node'));
  say(packArchive(stage, platform.name, output));
}

function say(file: string): void {
  process.stdout.write(`${path.relative(process.cwd(), path.join(output, file))}\n`);
}

/** What stands where the document says `kubectl apply -f …/metallb.yaml`. */
function buildLoadBalancer(): string {
  const folder = path.join(root, 'packages/manifests/metallb/overlays/standalone');
  const args = [path.join(root, 'packages/kfctl/src/main.ts'), 'kustomize', folder];
  return execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function checksums(): string {
  const sum = (file: string) =>
    createHash('sha256')
      .update(readFileSync(path.join(output, file)))
      .digest('hex');
  const files = globSync('*', { cwd: output }).toSorted();
  return files.map((file) => `${sum(file)}  ${file}\n`).join('');
}
