/** Owns the image osixia/openldap: the machine's slapd, set up from LDAP_* variables in directories that are the pod's own. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mount } from '../../sandbox/sandbox.ts';
import type { LocalProgram, PreparedProgram, ProgramRequest } from '../program.ts';
import { installCommand } from '../find-program.ts';
import { findSlapd } from './find-slapd.ts';

const DATA = '/var/lib/ldap';
const CONFIGURATION = '/etc/ldap/slapd.d';

const START = fileURLToPath(new URL('start-slapd.ts', import.meta.url));

export function createOpenldapProgram(node: string): LocalProgram {
  return {
    description: 'slapd, set up from LDAP_* variables',
    missing: () =>
      findSlapd() === undefined
        ? `slapd is not installed on this machine: ${installCommand({ apt: 'slapd ldap-utils', brew: 'openldap' })}`
        : undefined,
    prepare: (request) => prepare(node, request),
  };
}

async function prepare(node: string, request: ProgramRequest): Promise<PreparedProgram> {
  // Without volumes of its own the pod would write where the machine's own slapd keeps its data.
  const own = await Promise.all(
    [DATA, CONFIGURATION]
      .filter((target) => !request.mounts.some((mount) => mount.target === target))
      .map((target) => ownDirectory(request.directory, target)),
  );
  // The client's tools in this container talk to this server, as they would where localhost is the pod's own.
  const [plain, tls] = await Promise.all([request.place(389), request.place(636)]);
  const server = `ldap://${plain.host}:${plain.port}`;
  const env = { LDAPURI: server };
  if (request.command.length > 0) return { argv: [...request.command, ...request.args], mounts: own, env };
  return { argv: [node, START, DATA, CONFIGURATION, server, `ldaps://${tls.host}:${tls.port}`], mounts: own, env };
}

/** Lives as long as the container, as an image's own file system does. */
async function ownDirectory(directory: string, target: string): Promise<Mount> {
  const source = join(directory, target.replaceAll('/', '-').slice(1));
  await mkdir(source, { recursive: true, mode: 0o700 });
  return { source, target, kind: 'directory', readOnly: false };
}
