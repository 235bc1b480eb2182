/** Owns a real OpenLDAP server for tests: Debian's slapd on a free loopback port, with its data in a temporary directory. */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const SLAPD = ['/usr/sbin/slapd', '/usr/local/libexec/slapd'].find((file) => existsSync(file));

/** Why tests with slapd cannot run here; undefined when they can. */
export const SLAPD_MISSING: string | undefined =
  SLAPD === undefined ? 'slapd is not installed (apt-get install slapd)' : undefined;

export interface SlapdOptions {
  readonly suffix: string;
  readonly rootDN: string;
  readonly rootPassword: string;
  /** Entries to start with, in LDIF. */
  readonly ldif: string;
  /** More lines of slapd.conf for the database (access rules, referrals). */
  readonly database?: string;
  /** Offer TLS: ldaps on its own port, StartTLS on the plain one, with a certificate for `localhost` and 127.0.0.1. */
  readonly tls?: boolean;
  /** Whether clients of TLS must show a certificate of the same authority; `client.pem` and `client.key` in `directory` are one. */
  readonly clientCertificates?: 'try' | 'demand';
  /** Lines of slapd.conf for more schema. */
  readonly schema?: string;
  /** Modules that `database` names overlays of. */
  readonly modules?: readonly string[];
}

export interface Slapd {
  readonly port: number;
  readonly tlsPort: number;
  /** PEM file of the authority behind the server's certificate. */
  readonly caFile: string;
  readonly directory: string;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function startSlapd(options: SlapdOptions): Promise<Slapd> {
  const directory = mkdtempSync(path.join(tmpdir(), 'slapd-'));
  const [port, tlsPort] = [await freePort(), await freePort()];
  mkdirSync(path.join(directory, 'data'));
  if (options.tls === true) makeCertificates(directory);
  const conf = path.join(directory, 'slapd.conf');
  writeFileSync(conf, configuration(directory, options));
  writeFileSync(path.join(directory, 'start.ldif'), options.ldif);
  execFileSync(path.join(path.dirname(SLAPD ?? ''), 'slapadd'), [
    '-q',
    '-f',
    conf,
    '-l',
    path.join(directory, 'start.ldif'),
  ]);
  const urls = [`ldap://127.0.0.1:${port}/`, ...(options.tls === true ? [`ldaps://127.0.0.1:${tlsPort}/`] : [])];
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    child = spawn(SLAPD ?? '', ['-f', conf, '-h', urls.join(' '), '-d', '0'], { stdio: 'ignore' });
    await untilListening(port, child);
  };
  const halt = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  await start();
  return {
    port,
    tlsPort,
    caFile: path.join(directory, 'ca.pem'),
    directory,
    start,
    stop: async () => {
      await halt();
    },
  };
}

/** Stops the server and removes its data. */
export async function removeSlapd(slapd: Slapd): Promise<void> {
  await slapd.stop();
  rmSync(slapd.directory, { recursive: true, force: true });
}

function configuration(directory: string, options: SlapdOptions): string {
  const { suffix, rootDN, rootPassword, database = '', schema = '', tls, clientCertificates = 'try' } = options;
  const modules = ['back_mdb', ...(options.modules ?? [])];
  const schemas = ['core', 'cosine', 'nis', 'inetorgperson'];
  const secured =
    tls === true
      ? [
          'TLSCACertificateFile ca.pem',
          'TLSCertificateFile server.pem',
          'TLSCertificateKeyFile server.key',
          `TLSVerifyClient ${clientCertificates}`,
        ]
      : [];
  return [
    ...schemas.map((name) => `include /etc/ldap/schema/${name}.schema`),
    schema,
    'modulepath /usr/lib/ldap',
    ...modules.map((name) => `moduleload ${name}`),
    `pidfile ${directory}/slapd.pid`,
    ...secured.map((line) => line.replace(/ (\S+\.(?:pem|key))$/, ` ${directory}/$1`)),
    'database mdb',
    `suffix "${suffix}"`,
    `rootdn "${rootDN}"`,
    `rootpw ${rootPassword}`,
    `directory ${directory}/data`,
    'index objectClass,uid,cn,mail,member,memberUid,gidNumber eq',
    database,
    '',
  ].join('\n');
}

function makeCertificates(directory: string): void {
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test CA', '-days', '2');
  writeFileSync(path.join(directory, 'san.cnf'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  const issue = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'san.cnf'];
  for (const [name, subject] of [
    ['server', '/CN=localhost'],
    ['client', '/CN=identity'],
  ] as const) {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
    openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...issue);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`slapd ended with ${child.exitCode}`);
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
