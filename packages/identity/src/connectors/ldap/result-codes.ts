/** Owns what a directory's answer is called: the names of RFC 4511 §4.1.9 instead of numbers in hexadecimal. */
import { AppError, describeError, isAppError } from '@kfctl/core';
import { IDENTITY_ERRORS } from '../../errors.ts';
import { resultCode } from './ldap-connection.ts';

const NAMES: Readonly<Record<number, string>> = {
  1: 'operationsError',
  2: 'protocolError',
  3: 'timeLimitExceeded',
  4: 'sizeLimitExceeded',
  7: 'authMethodNotSupported',
  8: 'strongerAuthRequired',
  10: 'referral',
  11: 'adminLimitExceeded',
  13: 'confidentialityRequired',
  16: 'noSuchAttribute',
  17: 'undefinedAttributeType',
  18: 'inappropriateMatching',
  19: 'constraintViolation',
  32: 'noSuchObject',
  34: 'invalidDNSyntax',
  48: 'inappropriateAuthentication',
  49: 'invalidCredentials',
  50: 'insufficientAccessRights',
  51: 'busy',
  52: 'unavailable',
  53: 'unwillingToPerform',
  80: 'other',
};

/** `noSuchObject (32)`, and what the server says beside it; of anything else, what any error says. */
export function describeLdapError(error: unknown): string {
  const code = resultCode(error);
  if (code === undefined || !(error instanceof Error)) return describeError(error);
  const said = error.message.replace(/\s*Code: 0x[0-9a-f]+$/i, '').trim();
  return `${NAMES[code] ?? 'result code'} (${code})${said === '' ? '' : `: ${said}`}`;
}

/** For `catch`: the failure of what was being done, in words. Errors that have some are passed on. */
export function failedTo(what: string): (error: unknown) => never {
  return (error) => {
    if (isAppError(error)) throw error;
    throw new AppError(IDENTITY_ERRORS.connectorFailed, `ldap: ${what}: ${describeLdapError(error)}`);
  };
}
