/**
 * The first process of an osixia/openldap container: `start-slapd.ts DATA CONFIGURATION URL TLS_URL`. It makes what is missing and then
 * becomes slapd.
 *
 *   configuration empty ─► written from LDAP_* (again after the pod was replaced, when only the data lies on a volume)
 *   data empty ──────────► the tree's root
 *   both there ──────────► as they are
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { createLogger, describeError } from '@kfctl/core';
import { findSlapd } from './find-slapd.ts';
import type { Slapd } from './find-slapd.ts';
import { renderConfiguration, renderFirstEntries } from './render-directory.ts';
import { runWithInput } from './run-with-input.ts';
import { readSettings } from './settings.ts';
import type { DirectorySettings } from './settings.ts';

const log = createLogger({ fields: { component: 'openldap' } });

interface Places {
  readonly data: string;
  readonly configuration: string;
}

async function start([data = '', configuration = '', url = '', tlsUrl = '']: readonly string[]): Promise<void> {
  const slapd = findSlapd();
  if (slapd === undefined) throw new TypeError('slapd is not installed');
  const settings = withPresentFiles(readSettings(process.env));
  await prepare(slapd, settings, { data, configuration });
  // slapd needs none of the passwords.
  const {
    LDAP_ADMIN_PASSWORD: _admin,
    LDAP_CONFIG_PASSWORD: _config,
    LDAP_READONLY_USER_PASSWORD: _reader,
    ...env
  } = process.env;
  const urls = settings.tls === undefined ? url : `${url} ${tlsUrl}`;
  become([slapd.slapd, '-d', String(settings.logLevel), '-F', configuration, '-h', urls], env);
}

/** slapd takes memory for as many connections as it may have files open, which can be a million. */
const MAX_FILES = 1024;

function become(argv: readonly string[], env: NodeJS.ProcessEnv): void {
  if (process.execve === undefined) throw new TypeError('this platform cannot become another program');
  process.execve('/bin/sh', ['sh', '-c', `ulimit -n ${MAX_FILES}; exec "$0" "$@"`, ...argv], env);
}

/** LDAP_TLS without certificates is the image's default; it would make some, we say what is missing. */
function withPresentFiles(settings: DirectorySettings): DirectorySettings {
  const { tls } = settings;
  const missing = tls === undefined ? undefined : Object.values(tls).find((file) => !existsSync(file));
  if (missing === undefined) return settings;
  log.warn('LDAP_TLS is on, but there is no certificate: plain LDAP only', { missing });
  return { ...settings, tls: undefined };
}

async function prepare(slapd: Slapd, settings: DirectorySettings, { data, configuration }: Places): Promise<void> {
  for (const directory of [data, configuration]) await mkdir(directory, { recursive: true });
  if (await isEmpty(configuration)) {
    const ldif = renderConfiguration(settings, { ...slapd, data });
    await runWithInput([slapd.slapadd, '-n', '0', '-F', configuration], ldif);
    log.info('configuration written', { base: settings.baseDn });
  }
  if (await isEmpty(data)) {
    await runWithInput([slapd.slapadd, '-n', '1', '-F', configuration], renderFirstEntries(settings));
    log.info('directory made', { base: settings.baseDn, admin: `cn=admin,${settings.baseDn}` });
  }
}

/** Volumes of file systems have a directory of their own for lost files. */
async function isEmpty(directory: string): Promise<boolean> {
  return (await readdir(directory)).every((name) => name === 'lost+found');
}

try {
  await start(process.argv.slice(2));
} catch (error) {
  log.error('cannot start', { error: describeError(error) });
  process.exitCode = 1;
}
