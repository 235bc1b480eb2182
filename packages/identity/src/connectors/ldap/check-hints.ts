/** Owns what to change when a step of the walk through a directory fails. */
import { describeError, isAppError } from '@kfctl/core';
import type { LdapConfig } from './ldap-config.ts';
import { resultCode } from './ldap-connection.ts';

type Security = Pick<LdapConfig, 'security' | 'bindDN'>;

/** What the directory's answer itself tells, whatever the step is. */
const BY_CODE: Readonly<Record<number, string>> = {
  1: 'The directory wants to know who asks: set bindDN and bindPW.',
  8: 'The directory takes this over TLS only: set startTLS: true, or port 636, without insecureNoSSL.',
  10: 'This part of the tree lives on another server: set host to that one.',
  13: 'The directory takes this over TLS only: set startTLS: true, or port 636, without insecureNoSSL.',
  50: 'The service account may not read this: give it the right, or set another bindDN.',
  51: 'The directory is busy; try again.',
  52: 'The directory is starting or stopping; try again.',
};

export function hintFor(step: string, error: unknown, config: Security): string {
  if (isAppError(error) && error.hint !== undefined) return error.hint;
  const code = resultCode(error);
  const known = code === undefined ? undefined : BY_CODE[code];
  if (known !== undefined) return known;
  if (step === 'connect') return hintForConnect(describeError(error), code, config);
  if (step === 'bind') return hintForBind(code);
  if (step === 'user search') return 'Correct userSearch.baseDN.';
  if (step === 'user bind') return 'The directory refuses this password for this entry.';
  return 'Check groupSearch.';
}

function hintForConnect(text: string, code: number | undefined, { security }: Security): string {
  if (/cannot read|certificates found/.test(text)) return 'Correct the file that is named.';
  if (/altname/i.test(text)) return 'Set host to a name that is in the certificate of the server.';
  if (/certificate|self.signed/i.test(text))
    return 'Set rootCA (a PEM file) or rootCAData (its base64) to the authority that signed the certificate of the server.';
  if (code !== undefined && security === 'starttls')
    return 'The server has no StartTLS there: set startTLS: false and port 636, or insecureNoSSL: true where nobody listens.';
  if (/ENOTFOUND|EAI_AGAIN/.test(text))
    return 'No such name is known here: correct host. A name of a cluster is known inside it only: run the check in the pod.';
  if (/ECONNREFUSED/.test(text)) return 'Nothing listens there: correct host and port.';
  if (/took too long|timeout|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/i.test(text))
    return 'Nothing answers there: correct host and port, or open the firewall in between.';
  return HINT_FOR_PROTOCOL[security];
}

/** The port is open and speaks something else. */
const HINT_FOR_PROTOCOL: Readonly<Record<LdapConfig['security'], string>> = {
  ldaps: 'The port does not speak TLS: set startTLS: true for port 389, or correct the port (636).',
  none: 'The port may speak TLS: remove insecureNoSSL for port 636, or correct the port (389).',
  starttls: 'The port may speak TLS from the first byte: set startTLS: false for port 636, or correct the port (389).',
};

function hintForBind(code: number | undefined): string {
  if (code === 34) return 'bindDN is no DN: write the whole name, such as cn=admin,dc=example,dc=com.';
  if (code === 53) return 'Set bindPW: a name without a password is not asked for.';
  return 'Check bindDN and bindPW; a $ in bindPW must come through an environment variable.';
}
