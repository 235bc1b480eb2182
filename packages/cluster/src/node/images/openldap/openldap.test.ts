import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { delay } from '@kfctl/core';
import { findSlapd } from './find-slapd.ts';
import { readSettings } from './settings.ts';

const skip = findSlapd() === undefined ? 'slapd is not installed (apt-get install slapd ldap-utils)' : false;
const START = path.join(import.meta.dirname, 'start-slapd.ts');
/** As the seed's manifest has them. */
const ENV = {
  LDAP_LOG_LEVEL: '256',
  LDAP_ORGANISATION: 'Exämple: "Ltd" ',
  LDAP_DOMAIN: 'example.com',
  LDAP_ADMIN_PASSWORD: 'admin $1\\ pass',
  LDAP_CONFIG_PASSWORD: 'config',
  LDAP_BACKEND: 'mdb',
  LDAP_TLS: 'false',
  LDAP_REPLICATION: 'false',
  KEEP_EXISTING_CONFIG: 'false',
  LDAP_REMOVE_CONFIG_AFTER_SETUP: 'true',
};
const BASE = 'dc=example,dc=com';
const ADMIN = ['-D', `cn=admin,${BASE}`, '-w', ENV.LDAP_ADMIN_PASSWORD];
const PEOPLE = `dn: ou=People,${BASE}
objectClass: organizationalUnit
ou: People

dn: cn=Nick Kiliadis,ou=People,${BASE}
objectClass: person
objectClass: inetOrgPerson
sn: Kiliadis
cn: Nick Kiliadis
uid: nkili
mail: nkili@example.com
userpassword: 12341234
`;

interface Directory {
  readonly output: () => string;
  readonly pid: number;
  ask(tool: string, args: readonly string[], input?: string): { code: number; text: string };
  stop(): Promise<void>;
}

interface Places {
  readonly data: string;
  readonly configuration: string;
}

function places(t: TestContext): Places {
  const make = (): string => {
    const directory = mkdtempSync(path.join(tmpdir(), 'kfctl-openldap-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    return directory;
  };
  return { data: make(), configuration: make() };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const answered = new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  return answered.finally(() => socket.destroy());
}

/** The container's own first process; resolves when slapd answers. */
async function start(t: TestContext, { data, configuration }: Places, env: object = ENV): Promise<Directory> {
  const port = await freePort();
  const url = `ldap://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [START, data, configuration, url], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  t.after(stop);
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(output);
    await delay(20);
  }
  return {
    output: () => output,
    pid: child.pid ?? 0,
    ask: (tool, args, input = '') => {
      const { status, stdout, stderr } = spawnSync(tool, ['-x', '-H', url, ...args], { input, encoding: 'utf8' });
      return { code: status ?? -1, text: stdout + stderr };
    },
    stop,
  };
}

test('a new directory has its root, its administrator, and takes the entries of the seed', { skip }, async (t) => {
  const { ask } = await start(t, places(t));
  const root = ask('ldapsearch', [...ADMIN, '-LLL', '-b', BASE, '-s', 'base', 'o']).text;
  assert.match(root, new RegExp(`o:: ${Buffer.from(ENV.LDAP_ORGANISATION).toString('base64')}`));
  assert.equal(ask('ldapadd', ADMIN, PEOPLE).code, 0);
  assert.equal(ask('ldapwhoami', ['-D', `cn=Nick Kiliadis,ou=People,${BASE}`, '-w', '12341234']).code, 0);
  assert.equal(ask('ldapwhoami', ['-D', `cn=admin,${BASE}`, '-w', 'admin']).code, 49);
  assert.equal(ask('ldapwhoami', ['-D', 'cn=admin,cn=config', '-w', 'config']).code, 0);
});

test('nobody reads passwords, a stranger reads nothing, and none is kept in the clear', { skip }, async (t) => {
  const place = places(t);
  const env = { ...ENV, LDAP_READONLY_USER: 'true', LDAP_READONLY_USER_PASSWORD: 'reading' };
  const { ask, pid } = await start(t, place, env);
  ask('ldapadd', ADMIN, PEOPLE);
  const nick = ['-D', `cn=Nick Kiliadis,ou=People,${BASE}`, '-w', '12341234'];
  const reader = ['-D', `cn=readonly,${BASE}`, '-w', 'reading'];
  const search = (who: readonly string[]): string =>
    ask('ldapsearch', [...who, '-LLL', '-b', BASE, '(uid=nkili)', 'mail', 'userPassword']).text;
  assert.doesNotMatch(search([]), /nkili|userPassword/i, 'a stranger');
  assert.match(search(reader), /mail: nkili@example.com/);
  for (const who of [reader, nick]) assert.doesNotMatch(search(who), /userPassword/i);
  const [, stored = ''] = /userPassword:: (\S+)/.exec(search(ADMIN)) ?? [];
  assert.match(Buffer.from(stored, 'base64').toString(), /^\{SSHA\}/);
  const others = `dn: cn=Nick Kiliadis,ou=People,${BASE}\nchangetype: modify\nreplace: mail\nmail: root@x.org\n`;
  for (const who of [reader, nick, []]) assert.notEqual(ask('ldapmodify', who, others).code, 0);
  const written = readdirSync(place.configuration, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');
  assert.doesNotMatch(written, /admin \$1/, 'the configuration holds no password in the clear');
  const running = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'utf8')).join('\n');
  assert.doesNotMatch(running, /LDAP_ADMIN_PASSWORD|admin \$1/, 'nor has slapd any');
});

test('the data outlives the pod: with an empty configuration it is written anew, entries stay', { skip }, async (t) => {
  const place = places(t);
  const first = await start(t, place);
  first.ask('ldapadd', ADMIN, PEOPLE);
  await first.stop();
  const next = await start(t, { ...places(t), data: place.data }, { ...ENV, LDAP_ADMIN_PASSWORD: 'another' });
  const admin = ['-D', `cn=admin,${BASE}`, '-w', 'another'];
  assert.match(next.ask('ldapsearch', [...admin, '-LLL', '-b', BASE, '(uid=nkili)', 'mail']).text, /nkili@example.com/);
  assert.notEqual(next.ask('ldapwhoami', ADMIN).code, 0, 'the password is the one of now');
  await next.stop();
  const kept = await start(t, place);
  assert.doesNotMatch(kept.output(), /configuration written|directory made/);
});

test('a mistake in the settings ends the container with all of them named', { skip }, async (t) => {
  const wrong = { LDAP_DOMAIN: 'not a domain', LDAP_BACKEND: 'hdb', LDAP_REPLICATION: 'true' };
  await assert.rejects(start(t, places(t), wrong), (error: Error) => {
    for (const name of ['LDAP_DOMAIN', 'LDAP_BACKEND', 'LDAP_REPLICATION', 'LDAP_ADMIN_PASSWORD'])
      assert.match(error.message, new RegExp(name));
    return true;
  });
});

test('the base comes from the domain or is given, and cannot carry LDIF of its own', () => {
  const base = (env: Record<string, string>): string => readSettings({ LDAP_ADMIN_PASSWORD: 'x', ...env }).baseDn;
  assert.equal(base({ LDAP_DOMAIN: 'ldap.corp.example.com' }), 'dc=ldap,dc=corp,dc=example,dc=com');
  assert.equal(base({ LDAP_BASE_DN: 'dc=corp,o=Example' }), 'dc=corp,o=Example');
  assert.equal(base({}), 'dc=example,dc=org');
  for (const bad of ['ou=x', 'dc=a\nolcAccess: to * by * write', 'dc=a,', 'dc=a"'])
    assert.throws(() => base({ LDAP_BASE_DN: bad }), /LDAP_BASE_DN/);
});
