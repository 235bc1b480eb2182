/** Owns root directories of images, made of this machine's own programs: no registry and no container engine is needed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Found by name at run time, so that `ldd` does not tell them. */
const NAME_SERVICE = ['libnss_dns.so.2', 'libnss_files.so.2', 'libresolv.so.2'];

/** A folder with the programs (`place in the image: file here`), what they are linked against, and users. */
export function createRootDirectory(folder: string, programs: Readonly<Record<string, string>>): void {
  for (const name of ['tmp', 'etc', 'bin', 'usr/local/bin']) mkdirSync(path.join(folder, name), { recursive: true });
  execFileSync('chmod', ['1777', path.join(folder, 'tmp')]);
  for (const [place, file] of Object.entries(programs)) addProgram(folder, place, realpathSync(file));
  writeFileSync(
    path.join(folder, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/:/bin/sh\nkfctl:x:1001:1001:kfctl:/app:/bin/sh\n',
  );
  writeFileSync(path.join(folder, 'etc/group'), 'root:x:0:\nwww-data:x:33:\nkfctl:x:1001:\n');
  writeFileSync(path.join(folder, 'etc/nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files dns\n');
}

function addProgram(folder: string, place: string, file: string): void {
  const { stdout } = spawnSync('ldd', [file], { encoding: 'utf8' });
  const linked = [...stdout.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? '');
  const libc = linked.find((name) => path.basename(name).startsWith('libc.so'));
  const named = libc === undefined ? [] : NAME_SERVICE.map((name) => path.join(path.dirname(libc), name));
  for (const [target, source] of [
    [place, file] as const,
    ...[...linked, ...named].map((name) => [name, name] as const),
  ]) {
    const copy = path.join(folder, target);
    mkdirSync(path.dirname(copy), { recursive: true });
    copyFileSync(source, copy);
    chmodSync(copy, 0o755);
  }
}
