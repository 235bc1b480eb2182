/** Owns what a new directory consists of: slapd's configuration (cn=config) and the first entries, both as LDIF (RFC 2849). */
import type { Secret } from '@kfctl/core';
import type { DirectorySettings } from './settings.ts';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { createHash, randomBytes } = process.getBuiltinModule('node:crypto');

/** What slapd finds on this machine. */
export interface SlapdPlaces {
  /** Directory of `core.ldif` and others. */
  readonly schemas: string;
  /** Directory of loadable modules; undefined where everything is built in. */
  readonly modules: string | undefined;
  /** Whether the modules have the one that hashes passwords which are added in the clear. */
  readonly hashesPasswords: boolean;
  /** Where the tree's data lies. */
  readonly data: string;
}

const SCHEMAS = ['core', 'cosine', 'nis', 'inetorgperson'];
const MAX_BYTES = 1_073_741_824;
const INDEXES = ['objectClass eq', 'cn,uid,mail,sn eq,sub', 'member,uniqueMember,memberUid eq'];

/** LDIF for `slapadd -n 0`. */
export function renderConfiguration(settings: DirectorySettings, places: SlapdPlaces): string {
  const { tls, configPassword } = settings;
  const tlsLines = tls === undefined ? [] : tlsAttributes(tls);
  return [
    entry('cn=config', [['objectClass', 'olcGlobal'], ['cn', 'config'], ...tlsLines]),
    ...moduleEntry(places),
    entry('cn=schema,cn=config', [
      ['objectClass', 'olcSchemaConfig'],
      ['cn', 'schema'],
    ]),
    ...SCHEMAS.map((name) => `include: file://${places.schemas}/${name}.ldif\n`),
    entry('olcDatabase={-1}frontend,cn=config', [
      ['objectClass', 'olcDatabaseConfig'],
      ['objectClass', 'olcFrontendConfig'],
      ['olcDatabase', '{-1}frontend'],
      // Clients ask the root and the schema what the server can do; neither says anything about people.
      ['olcAccess', '{0}to dn.base="" by * read'],
      ['olcAccess', '{1}to dn.base="cn=subschema" by * read'],
    ]),
    entry('olcDatabase={0}config,cn=config', [
      ['objectClass', 'olcDatabaseConfig'],
      ['olcDatabase', '{0}config'],
      ['olcRootDN', 'cn=admin,cn=config'],
      ...(configPassword === undefined ? [] : [['olcRootPW', hashPassword(configPassword)] as const]),
      ['olcAccess', '{0}to * by * none'],
    ]),
    databaseEntry(settings, places),
    ...overlayEntry(places),
  ].join('\n');
}

/** LDIF for `slapadd -n 1`: the tree's root, and the account that may read. */
export function renderFirstEntries({ baseDn, organisation, reader }: DirectorySettings): string {
  const [, dc = ''] = /^dc=([^,]+)/i.exec(baseDn) ?? [];
  const root = entry(baseDn, [
    ['objectClass', 'top'],
    ['objectClass', 'dcObject'],
    ['objectClass', 'organization'],
    ['o', organisation],
    ['dc', dc],
  ]);
  if (reader === undefined) return root;
  const account = entry(`cn=${reader.name},${baseDn}`, [
    ['objectClass', 'simpleSecurityObject'],
    ['objectClass', 'organizationalRole'],
    ['cn', reader.name],
    ['description', 'LDAP read only user'],
    ['userPassword', hashPassword(reader.password)],
  ]);
  return `${root}\n${account}`;
}

type Attribute = readonly [name: string, value: string];

function tlsAttributes({ certificate, key, authority }: NonNullable<DirectorySettings['tls']>): readonly Attribute[] {
  return [
    ['olcTLSCertificateFile', certificate],
    ['olcTLSCertificateKeyFile', key],
    ['olcTLSCACertificateFile', authority],
  ];
}

function moduleEntry({ modules, hashesPasswords }: SlapdPlaces): string[] {
  if (modules === undefined) return [];
  const load = ['back_mdb', ...(hashesPasswords ? ['ppolicy'] : [])];
  return [
    entry('cn=module{0},cn=config', [
      ['objectClass', 'olcModuleList'],
      ['cn', 'module{0}'],
      ['olcModulePath', modules],
      ...load.map((name): Attribute => ['olcModuleLoad', name]),
    ]),
  ];
}

/** The image's own rules: nobody reads passwords, everybody changes their own, nobody but the accounts above reads people. */
function databaseEntry({ baseDn, adminPassword, reader }: DirectorySettings, { data }: SlapdPlaces): string {
  const admin = `cn=admin,${baseDn}`;
  const readers = reader === undefined ? '' : ` by dn.exact="cn=${reader.name},${baseDn}" read`;
  return entry('olcDatabase={1}mdb,cn=config', [
    ['objectClass', 'olcDatabaseConfig'],
    ['objectClass', 'olcMdbConfig'],
    ['olcDatabase', '{1}mdb'],
    ['olcSuffix', baseDn],
    ['olcDbDirectory', data],
    ['olcDbMaxSize', String(MAX_BYTES)],
    ['olcRootDN', admin],
    ['olcRootPW', hashPassword(adminPassword)],
    ['olcAccess', '{0}to attrs=userPassword,shadowLastChange by self =xw by anonymous auth by * none'],
    ['olcAccess', `{1}to * by self read${readers} by * none`],
    ...INDEXES.map((index): Attribute => ['olcDbIndex', index]),
  ]);
}

function overlayEntry({ hashesPasswords }: SlapdPlaces): string[] {
  if (!hashesPasswords) return [];
  return [
    entry('olcOverlay={0}ppolicy,olcDatabase={1}mdb,cn=config', [
      ['objectClass', 'olcOverlayConfig'],
      ['objectClass', 'olcPPolicyConfig'],
      ['olcOverlay', '{0}ppolicy'],
      ['olcPPolicyHashCleartext', 'TRUE'],
    ]),
  ];
}

/** Values in base64: no character of theirs can be taken for LDIF's own. */
function entry(dn: string, attributes: readonly Attribute[]): string {
  const line = (name: string, value: string): string =>
    /^[A-Za-z0-9{][\x20-\x7e]*[\x21-\x7e]$|^[A-Za-z0-9]$/.test(value)
      ? `${name}: ${value}`
      : `${name}:: ${Buffer.from(value, 'utf8').toString('base64')}`;
  return `${[line('dn', dn), ...attributes.map(([name, value]) => line(name, value))].join('\n')}\n`;
}

/** RFC 2307's form with a salt, the strongest that every slapd checks without a module more. */
function hashPassword(password: Secret): string {
  const salt = randomBytes(16);
  const digest = createHash('sha1').update(password.reveal(), 'utf8').update(salt).digest();
  return `{SSHA}${Buffer.concat([digest, salt]).toString('base64')}`;
}
