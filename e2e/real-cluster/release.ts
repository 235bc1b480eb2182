/** Owns the release that the suites install: made once by the release's own script, unpacked as a user does. */
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const SCRIPT = path.resolve(import.meta.dirname, '../../scripts/release/main.ts');

export interface Release {
  /** Folder with the unpacked command `kfctl`. */
  readonly commands: string;
  /** The platform's image, as an archive. */
  readonly image: string;
}

let made: Release | undefined;

export function release(): Release {
  made ??= makeRelease();
  return made;
}

function makeRelease(): Release {
  const folder = mkdtempSync(path.join(tmpdir(), 'kfctl-release-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const dist = path.join(folder, 'dist');
  execFileSync(process.execPath, [SCRIPT, `--output=${dist}`], { stdio: 'pipe' });
  const [image = ''] = globSync(`${dist}/kfctl-platform_*.tar.gz`);
  const [archive = ''] = globSync(`${dist}/kfctl_*.tar.gz`);
  execFileSync('gunzip', [image]);
  const commands = path.join(folder, 'bin');
  mkdirSync(commands);
  execFileSync('tar', ['-xf', archive, '-C', commands]);
  return { commands, image: image.replace(/\.gz$/, '') };
}
