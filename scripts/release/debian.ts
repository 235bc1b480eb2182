/** Owns the fetching of Debian packages of any architecture into a folder, without touching this machine's own package lists. */
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const SUITE = 'bookworm';
const SOURCES = [
  `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian ${SUITE} main`,
  `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian-security ${SUITE}-security main`,
].join('\n');

/** Extracts the packages' files (none of their scripts run) into `rootfs`. Needs apt and dpkg; throws what they print. */
export function extractDebianPackages(names: readonly string[], architecture: string, rootfs: string): void {
  const work = mkdtempSync(path.join(tmpdir(), 'kfctl-debian-'));
  try {
    for (const name of ['lists/partial', 'cache/archives/partial', 'out'])
      mkdirSync(path.join(work, name), { recursive: true });
    writeFileSync(path.join(work, 'sources.list'), `${SOURCES}\n`);
    writeFileSync(path.join(work, 'status'), '');
    writeFileSync(path.join(work, 'apt.conf'), settings(work, architecture));
    const env = { ...process.env, APT_CONFIG: path.join(work, 'apt.conf') };
    const run = (args: readonly string[]) =>
      execFileSync('apt-get', ['-q', ...args], {
        cwd: path.join(work, 'out'),
        env,
        stdio: ['ignore', 'ignore', 'inherit'],
      });
    run(['update']);
    run(['download', ...names]);
    for (const file of globSync('out/*.deb', { cwd: work }).toSorted()) {
      execFileSync('dpkg-deb', ['-x', path.join(work, file), rootfs]);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function settings(work: string, architecture: string): string {
  return `APT::Architecture "${architecture}";
APT::Architectures { "${architecture}"; };
APT::Sandbox::User "root";
Dir::Etc::SourceList "${work}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "${work}/lists";
Dir::State::status "${work}/status";
Dir::Cache "${work}/cache";
`;
}
