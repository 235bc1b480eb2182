/**
 * Owns the platform's container image as an archive (`docker load`, `podman load`, `ctr images import` read it), made without any
 * container engine: three layers, of Debian's C library with a small shell, Node, and the application.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { extractDebianPackages } from './debian.ts';
import type { Platform } from './platforms.ts';
import { CACHE, CACHE_SETTINGS, nodeOf, reproducible, root, version } from './stage.ts';

/** What Node is linked against, and a shell with the usual commands: `kubectl exec` and `kubectl cp` want them. */
const DEBIAN = ['libc6', 'libgcc-s1', 'libstdc++6', 'libatomic1', 'busybox-static'];
const COMMANDS =
  'sh ash cat cp date df dirname echo env grep head hostname id less ls mkdir mv nc netstat nslookup ping'
    .concat(' printenv ps pwd readlink rm sed sleep sort tail tar top touch tr uname vi wc wget which xargs')
    .split(' ');

const CONFIG = {
  User: '1001:1001',
  WorkingDir: '/app',
  Env: [
    'PATH=/usr/local/bin:/usr/bin:/bin',
    'NODE_ENV=production',
    'MALLOC_ARENA_MAX=1',
    `NODE_COMPILE_CACHE=/app/${CACHE}`,
    ...Object.entries(CACHE_SETTINGS).map(([name, value]) => `${name}=${value}`),
  ],
  Cmd: ['kfctl', '--help'],
};

export interface ImageParts {
  readonly platform: Platform;
  /** Folder with `packages/` and `node_modules/` of the platform. */
  readonly home: string;
  readonly work: string;
  readonly output: string;
}

/** Packs the image of a Linux platform as `kfctl/platform:<version>` and gives the archive's name. */
export function packImage({ platform, home, work, output }: ImageParts): string {
  const folder = path.join(work, `image-${platform.name}`);
  const layers = [baseLayer(folder, platform), nodeLayer(folder, platform, work), applicationLayer(folder, home)];
  const config = JSON.stringify({
    architecture: platform.architecture,
    os: platform.os,
    config: CONFIG,
    rootfs: { type: 'layers', diff_ids: layers.map((digest) => `sha256:${digest}`) },
    history: layers.map(() => ({ created: '1970-01-01T00:00:00Z', created_by: 'kfctl release' })),
  });
  const configFile = `${createHash('sha256').update(config).digest('hex')}.json`;
  writeFileSync(path.join(folder, configFile), config);
  const tag = `kfctl/platform:${version.slice(1)}`;
  const list = [{ Config: configFile, RepoTags: [tag], Layers: layers.map((digest) => `${digest}.tar`) }];
  writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify(list));
  const archive = `kfctl-platform_${version}_${platform.name}.tar.gz`;
  const files = ['manifest.json', configFile, ...layers.map((digest) => `${digest}.tar`)];
  execFileSync('tar', [...reproducible(), '-czf', path.join(output, archive), '-C', folder, ...files]);
  return archive;
}

function baseLayer(folder: string, platform: Platform): string {
  const rootfs = path.join(folder, 'base');
  for (const name of ['bin', 'etc', 'tmp']) mkdirSync(path.join(rootfs, name), { recursive: true });
  extractDebianPackages(DEBIAN, platform.architecture, rootfs);
  for (const name of COMMANDS) symlinkSync('busybox', path.join(rootfs, 'bin', name));
  writeFileSync(
    path.join(rootfs, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nkfctl:x:1001:1001:kfctl:/app:/bin/sh\n',
  );
  writeFileSync(path.join(rootfs, 'etc/group'), 'root:x:0:\nkfctl:x:1001:\n');
  writeFileSync(path.join(rootfs, 'etc/nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files dns\n');
  return pack(folder, 'base', [
    '--exclude=./usr/share/doc',
    '--exclude=./usr/share/man',
    '--exclude=./usr/share/lintian',
  ]);
}

function nodeLayer(folder: string, platform: Platform, work: string): string {
  const place = path.join(folder, 'node/usr/local/bin/node');
  mkdirSync(path.dirname(place), { recursive: true });
  cpSync(nodeOf(platform, work), place);
  return pack(folder, 'node');
}

function applicationLayer(folder: string, home: string): string {
  const rootfs = path.join(folder, 'application');
  for (const name of ['packages', 'node_modules', 'package.json', 'LICENSE', CACHE]) {
    if (!existsSync(path.join(home, name))) continue;
    cpSync(path.join(home, name), path.join(rootfs, 'app', name), { recursive: true, verbatimSymlinks: true });
  }
  cpSync(path.join(root, 'images/bin'), path.join(rootfs, 'usr/local/bin'), { recursive: true });
  return pack(folder, 'application');
}

/** Makes a layer of a folder; its digest is its name. */
function pack(folder: string, name: string, options: readonly string[] = []): string {
  const file = path.join(folder, `${name}.tar`);
  execFileSync('tar', [...reproducible(), '--mode=go-w', ...options, '-cf', file, '-C', path.join(folder, name), '.']);
  const digest = createHash('sha256').update(readFileSync(file)).digest('hex');
  renameSync(file, path.join(folder, `${digest}.tar`));
  return digest;
}
