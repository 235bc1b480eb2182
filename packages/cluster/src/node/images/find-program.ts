/** Owns the search for programs installed on this machine. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** Where programs are looked for, inside of containers too. */
export const PROGRAM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const MORE = ['/opt/homebrew/bin', '/opt/homebrew/sbin', '/usr/local/opt/openldap/libexec'];

/** The absolute path of a program, or undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  for (const directory of [...PROGRAM_PATH.split(':'), ...MORE]) {
    const path = join(directory, name);
    if (isExecutable(path)) return path;
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The command that installs what is missing, as this machine's package manager wants it. */
export function installCommand({ apt, brew }: { readonly apt: string; readonly brew: string }): string {
  return process.platform === 'darwin' ? `brew install ${brew}` : `sudo apt-get install ${apt}`;
}
