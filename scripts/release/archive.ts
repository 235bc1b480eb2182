/** Owns `kfctl_v<version>_<platform>.tar.gz`: the command, and beside it the folder that it needs. */
import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CACHE, reproducible, version } from './stage.ts';

/** Name of the folder beside the command. */
export const HOME: string = `kfctl-${version}`;

/** Packs `stage`, which holds the folder `HOME`, and gives the archive's name. */
export function packArchive(stage: string, platform: string, output: string): string {
  writeFileSync(path.join(stage, 'kfctl'), launcher());
  chmodSync(path.join(stage, 'kfctl'), 0o755);
  const archive = `kfctl_${version}_${platform}.tar.gz`;
  execFileSync('tar', [...reproducible(), '-czf', path.join(output, archive), '-C', stage, 'kfctl', HOME]);
  return archive;
}

/** The launcher finds its folder through links; compiled code lies beside the sources, where it may be read-only. */
function launcher(): string {
  return `#!/bin/sh
# kfctl ${version}
set -eu
here=$0
while [ -L "$here" ]; do
  link=$(readlink "$here")
  case $link in /*) here=$link ;; *) here=$(dirname "$here")/$link ;; esac
done
home=$(cd "$(dirname "$here")" && pwd -P)/${HOME}
if [ ! -x "$home/bin/node" ]; then
  echo "kfctl: $home is missing: keep the command and its folder together, or link to the command" >&2
  exit 1
fi
if [ -z "\${NODE_COMPILE_CACHE:-}" ]; then
  export NODE_COMPILE_CACHE="$home/${CACHE}" NODE_COMPILE_CACHE_PORTABLE=1
fi
exec "$home/bin/node" "$home/packages/kfctl/src/main.ts" "$@"
`;
}
