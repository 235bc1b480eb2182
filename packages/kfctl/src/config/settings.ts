/** Owns what kfctl reads from the environment; the only place that names the variables. */
import { homedir } from 'node:os';
import path from 'node:path';
import { Secret } from '@kfctl/core';
import type { Environment } from '@kfctl/core';
import { kfctlError } from '../errors.ts';

export interface Settings {
  /** KUBEFLOW_USER_EMAIL, judged. */
  readonly email: string | undefined;
  /** KUBEFLOW_PASSWORD, judged. */
  readonly password: Secret | undefined;
  /** Where `kfctl up` keeps its data: KFCTL_HOME, else $XDG_DATA_HOME/kfctl, else ~/.local/share/kfctl. */
  readonly dataDirectory: string;
  /** The whole environment, for what is started and for the kubeconfig rules. */
  readonly env: Environment;
}

// bcrypt reads 72 bytes; a longer password would be cut without a word.
const MAX_PASSWORD_BYTES = 72;

/** Reads and judges the environment; throws `EMAIL_INVALID` or `PASSWORD_INVALID`. */
export function readSettings(env: Environment): Settings {
  return {
    email: readEmail(env['KUBEFLOW_USER_EMAIL']),
    password: readPassword(env['KUBEFLOW_PASSWORD']),
    dataDirectory: path.resolve(env['KFCTL_HOME'] || path.join(dataHome(env), 'kfctl')),
    env,
  };
}

/** Throws `EMAIL_INVALID` unless the text is an address that can be a user id in a header, a YAML file and a token. */
export function requireEmail(text: string, source: string): string {
  // One @ with something on both sides, no white space, control characters, double quotes or list separators.
  if (/^[^\s@"<>,;\\\p{Cc}]+@[^\s@"<>,;\\\p{Cc}]+$/u.test(text) && text.length <= 254) return text;
  throw kfctlError('EMAIL_INVALID', `${source}: ${JSON.stringify(text)} is not an e-mail address`, {
    hint: 'Write it as name@domain, for example admin@kubeflow.org.',
  });
}

function readEmail(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : requireEmail(text, 'KUBEFLOW_USER_EMAIL');
}

function readPassword(text: string | undefined): Secret | undefined {
  if (text === undefined || text === '') return undefined;
  if (Buffer.byteLength(text) > MAX_PASSWORD_BYTES || text.includes('\0')) {
    throw kfctlError('PASSWORD_INVALID', 'KUBEFLOW_PASSWORD cannot be hashed with bcrypt', {
      hint: `Use a password of at most ${MAX_PASSWORD_BYTES} bytes without NUL characters.`,
    });
  }
  return new Secret(text);
}

function dataHome(env: Environment): string {
  return env['XDG_DATA_HOME'] || path.join(env['HOME'] || homedir(), '.local', 'share');
}
