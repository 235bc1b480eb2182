/** Owns the rows of logins at a directory: Debian's slapd on loopback with 5,000 people and 50 groups, connections kept. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { removeSlapd, SLAPD_MISSING, startSlapd } from '../../testkit/src/slapd.ts';
import type { Slapd } from '../../testkit/src/slapd.ts';
import { startProvider } from './provider-process.ts';

const run = promisify(execFile);
const PEOPLE = 5000;
const GROUPS = 50;
const LANES = 4;
const SECONDS = 4;
const BASE = 'dc=example,dc=com';

export async function directoryRows(): Promise<string[][]> {
  if (SLAPD_MISSING !== undefined) return [[`LDAP logins: ${SLAPD_MISSING}`, '', '', '', '', '']];
  const slapd = await startSlapd({ suffix: BASE, rootDN: `cn=admin,${BASE}`, rootPassword: 'admin', ldif: ldif() });
  try {
    const provider = await startProvider({ more: connectorOf(slapd) });
    try {
      const before = provider.cpuSeconds();
      const load = path.join(import.meta.dirname, 'directory-load.ts');
      const args = [load, provider.origin, String(LANES), String(SECONDS), String(PEOPLE)];
      const { stdout } = await run(process.execPath, args, { maxBuffer: 1e8 });
      const waits = (JSON.parse(stdout) as number[]).toSorted((a, b) => a - b);
      const at = (share: number): string => (waits[Math.floor(waits.length * share)] ?? 0).toFixed(1);
      const cpuMs = ((provider.cpuSeconds() - before) / (waits.length * (1 + 2 / SECONDS))) * 1000;
      return [
        [
          `LDAP logins per second, ${LANES} at once, from /auth to the code`,
          String(Math.round(waits.length / SECONDS)),
          '',
          '',
          '1000',
          '',
        ],
        [
          'LDAP login, p50 / p99; CPU of the provider',
          `${at(0.5)} / ${at(0.99)} ms; ${cpuMs.toFixed(2)} ms`,
          '',
          '',
          '15 ms',
          '',
        ],
      ];
    } finally {
      await provider.stop();
    }
  } finally {
    await removeSlapd(slapd);
  }
}

function ldif(): string {
  const entry = (lines: readonly string[]): string => `${lines.join('\n')}\n\n`;
  const unit = (name: string): string =>
    entry([`dn: ou=${name},${BASE}`, 'objectClass: organizationalUnit', `ou: ${name}`]);
  const person = (_: unknown, index: number): string =>
    entry([
      `dn: uid=user${index},ou=People,${BASE}`,
      'objectClass: inetOrgPerson',
      `uid: user${index}`,
      `cn: User ${index}`,
      `sn: ${index}`,
      `mail: user${index}@example.com`,
      `userPassword: password${index}`,
    ]);
  const group = (_: unknown, index: number): string => {
    const members = Array.from({ length: PEOPLE / GROUPS }, (_member, at) => at * GROUPS + index);
    return entry([
      `dn: cn=group${index},ou=Groups,${BASE}`,
      'objectClass: groupOfNames',
      `cn: group${index}`,
      ...members.map((member) => `member: uid=user${member},ou=People,${BASE}`),
    ]);
  };
  return [
    entry([`dn: ${BASE}`, 'objectClass: dcObject', 'objectClass: organization', 'dc: example', 'o: Example']),
    unit('People'),
    unit('Groups'),
    ...Array.from({ length: PEOPLE }, person),
    ...Array.from({ length: GROUPS }, group),
  ].join('');
}

function connectorOf({ port }: Slapd): string {
  const config = {
    host: `127.0.0.1:${port}`,
    insecureNoSSL: true,
    bindDN: `cn=admin,${BASE}`,
    bindPW: 'admin',
    userSearch: {
      baseDN: `ou=People,${BASE}`,
      filter: '(objectClass=inetOrgPerson)',
      username: 'uid',
      idAttr: 'uid',
      emailAttr: 'mail',
      nameAttr: 'cn',
    },
    groupSearch: {
      baseDN: `ou=Groups,${BASE}`,
      filter: '(objectClass=groupOfNames)',
      nameAttr: 'cn',
      userMatchers: [{ userAttr: 'DN', groupAttr: 'member' }],
    },
  };
  return `connectors: [${JSON.stringify({ type: 'ldap', id: 'ldap', name: 'LDAP', config })}]\n`;
}
