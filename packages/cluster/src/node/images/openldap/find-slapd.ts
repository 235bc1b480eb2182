/** Owns the search for slapd and what belongs to it on this machine: Debian's places, other distributions', Homebrew's. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../find-program.ts';

export interface Slapd {
  readonly slapd: string;
  readonly slapadd: string;
  readonly schemas: string;
  readonly modules: string | undefined;
  readonly hashesPasswords: boolean;
}

const SCHEMAS = [
  '/etc/ldap/schema',
  '/etc/openldap/schema',
  '/opt/homebrew/etc/openldap/schema',
  '/usr/local/etc/openldap/schema',
];
const MODULES = ['/usr/lib/ldap', '/usr/lib64/openldap', '/usr/lib/openldap'];

/** Undefined when slapd is not installed. */
export function findSlapd(): Slapd | undefined {
  const [slapd, slapadd] = [findProgram('slapd'), findProgram('slapadd')];
  const schemas = SCHEMAS.find((path) => existsSync(join(path, 'inetorgperson.ldif')));
  if (slapd === undefined || slapadd === undefined || schemas === undefined) return undefined;
  const modules = MODULES.find((path) => existsSync(join(path, 'back_mdb.so')));
  // Before 2.5 the module needs a schema of its own beside it.
  const hashesPasswords =
    modules !== undefined && existsSync(join(modules, 'ppolicy.so')) && !existsSync(join(schemas, 'ppolicy.ldif'));
  return { slapd, slapadd, schemas, modules, hashesPasswords };
}
