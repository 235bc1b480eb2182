/** Owns the settings of the directory server: the names of the osixia/openldap image, read once, all mistakes at once. */
import { createEnvReader, Secret } from '@kfctl/core';
import type { Environment, EnvReader } from '@kfctl/core';

export interface DirectorySettings {
  readonly organisation: string;
  /** Distinguished name of the tree's root: `dc=example,dc=com`. */
  readonly baseDn: string;
  readonly adminPassword: Secret;
  /** Of `cn=admin,cn=config`; undefined: nobody logs in there. */
  readonly configPassword: Secret | undefined;
  /** May read everything but passwords; undefined: there is no such account. */
  readonly reader: { readonly name: string; readonly password: Secret } | undefined;
  /** slapd's debug level. */
  readonly logLevel: number;
  readonly tls: TlsFiles | undefined;
}

export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}

/** Where the image keeps certificates that somebody mounts. */
const CERTIFICATES = '/container/service/slapd/assets/certs';

/** Reads the settings; throws one error that lists every mistake. Unlike the image there is no default password. */
export function readSettings(env: Environment): DirectorySettings {
  const reader = createEnvReader(env);
  const domain = reader.string('LDAP_DOMAIN', 'example.org');
  if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(domain))
    reader.problem('LDAP_DOMAIN', `"${domain}" is no DNS name such as example.com`);
  const backend = reader.string('LDAP_BACKEND', 'mdb');
  if (backend !== 'mdb') reader.problem('LDAP_BACKEND', `"${backend}" is not there any more in slapd 2.5; use mdb`);
  if (reader.boolean('LDAP_REPLICATION', false))
    reader.problem('LDAP_REPLICATION', 'is not supported on the local cluster; use false');
  const configPassword = reader.optional('LDAP_CONFIG_PASSWORD');
  const settings = {
    organisation: reader.string('LDAP_ORGANISATION', 'Example Inc.'),
    baseDn: readBase(reader, domain),
    adminPassword: reader.secret('LDAP_ADMIN_PASSWORD'),
    configPassword: configPassword === undefined ? undefined : new Secret(configPassword),
    reader: readReader(reader),
    logLevel: reader.integer('LDAP_LOG_LEVEL', { fallback: 256, min: 0, max: 65_535 }),
    tls: readTls(reader),
  };
  reader.finish();
  return settings;
}

function readBase(reader: EnvReader, domain: string): string {
  const derived = domain
    .split('.')
    .map((label) => `dc=${label}`)
    .join(',');
  const base = reader.string('LDAP_BASE_DN', derived);
  if (!/^dc=[a-z0-9-]+(,[a-z]+=[^,+"\\<>;=\r\n]+)*$/i.test(base))
    reader.problem('LDAP_BASE_DN', `"${base}" is no name such as dc=example,dc=com`);
  return base;
}

function readReader(reader: EnvReader): DirectorySettings['reader'] {
  if (!reader.boolean('LDAP_READONLY_USER', false)) return undefined;
  const name = reader.string('LDAP_READONLY_USER_USERNAME', 'readonly');
  if (!/^[\w.-]+$/.test(name))
    reader.problem('LDAP_READONLY_USER_USERNAME', 'may have letters, digits, ".", "_" and "-"');
  return { name, password: reader.secret('LDAP_READONLY_USER_PASSWORD') };
}

function readTls(reader: EnvReader): TlsFiles | undefined {
  if (!reader.boolean('LDAP_TLS', true)) return undefined;
  const file = (name: string, fallback: string): string => `${CERTIFICATES}/${reader.string(name, fallback)}`;
  return {
    certificate: file('LDAP_TLS_CRT_FILENAME', 'ldap.crt'),
    key: file('LDAP_TLS_KEY_FILENAME', 'ldap.key'),
    authority: file('LDAP_TLS_CA_CRT_FILENAME', 'ca.crt'),
  };
}
