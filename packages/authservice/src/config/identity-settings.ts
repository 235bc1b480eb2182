/** Owns the settings of who a person is: claims in, headers out. */
import type { EnvReader, Secret } from '@kfctl/core';
import { ASSERTION_HEADER, parseAssertionKeys } from '@kfctl/oidc';
import type { UserIdTransformer } from '../login/identity-of.ts';
import type { Config } from './config.ts';

type IdentitySettings = Pick<
  Config,
  | 'authMethodHeader'
  | 'removedHeaders'
  | 'sessionHeader'
  | 'bearerHeader'
  | 'userIdHeader'
  | 'groupsHeader'
  | 'gatewayCopiesGroups'
  | 'assertionKeys'
  | 'userIdClaim'
  | 'identityRules'
>;

export function readIdentitySettings(reader: EnvReader): IdentitySettings {
  const userIdClaim = reader.string('USERID_CLAIM', 'email');
  const userIdHeader = readHeaderName(reader, 'USERID_HEADER', 'kubeflow-userid');
  const groupsHeader = readHeaderName(reader, 'GROUPS_HEADER', 'kubeflow-groups');
  const authMethodHeader = readOptionalHeader(reader, 'AUTH_METHOD_HEADER');
  const tokenHeader = readOptionalHeader(reader, 'USERID_TOKEN_HEADER');
  requireDistinct(reader, [
    ['USERID_HEADER', userIdHeader],
    ['GROUPS_HEADER', groupsHeader],
    ['AUTH_METHOD_HEADER', authMethodHeader],
    ['USERID_TOKEN_HEADER', tokenHeader],
  ]);
  const userIdPrefix = reader.optional('USERID_PREFIX') ?? '';
  if (!/^[\x21-\x7e]*$/.test(userIdPrefix))
    reader.problem('USERID_PREFIX', 'has characters that do not fit in a header');
  return {
    userIdHeader,
    groupsHeader,
    assertionKeys: readAssertionKeys(reader),
    authMethodHeader,
    // The reference passed the ID token on. It is nobody's business upstream; what a client sends there must not be believed either.
    removedHeaders: tokenHeader === undefined ? [] : [tokenHeader],
    sessionHeader: readOptionalHeader(reader, 'AUTH_HEADER'),
    bearerHeader: readOptionalHeader(reader, 'ID_TOKEN_HEADER') ?? 'authorization',
    gatewayCopiesGroups: reader.boolean('GATEWAY_COPIES_GROUPS', false),
    userIdClaim,
    identityRules: {
      userIdClaim,
      userIdPrefix,
      userIdTransformers: readTransformers(reader),
      groupsClaim: reader.string('GROUPS_CLAIM', 'groups'),
      allowUnverifiedEmail: reader.boolean('ALLOW_UNVERIFIED_EMAIL', false),
    },
  };
}

function requireDistinct(
  reader: EnvReader,
  named: readonly (readonly [setting: string, name: string | undefined])[],
): void {
  const seen = new Map<string, string>();
  for (const [setting, name] of named) {
    if (name === undefined) continue;
    const other = seen.get(name);
    if (other !== undefined) reader.problem(setting, `is the same as ${other}`);
    seen.set(name, setting);
  }
}

/** Headers that belong to the connection or to the client: an identity in one of them would not arrive. */
const RESERVED = new Set([
  'host',
  'cookie',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'location',
  ASSERTION_HEADER,
]);

function readHeaderName(reader: EnvReader, name: string, fallback: string): string {
  const value = reader.string(name, fallback).toLowerCase();
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(value) || RESERVED.has(value)) {
    reader.problem(name, `"${value}" is not usable as a header name`);
  }
  return value;
}

function readOptionalHeader(reader: EnvReader, name: string): string | undefined {
  return reader.optional(name) === undefined ? undefined : readHeaderName(reader, name, '');
}

function readAssertionKeys(reader: EnvReader): readonly Secret[] {
  const name = 'IDENTITY_ASSERTION_KEY';
  const text = reader.optional(name);
  if (text === undefined) return [];
  const keys = parseAssertionKeys(text);
  if (keys === undefined) reader.problem(name, 'has less than 32 characters; make one with: openssl rand -base64 32');
  return keys ?? [];
}

/** `[{"matches": "<regular expression>", "replaces": "<text>"}]`, the reference's form. */
function readTransformers(reader: EnvReader): readonly UserIdTransformer[] {
  const name = 'USERID_TRANSFORMERS';
  const text = reader.optional(name);
  if (text === undefined) return [];
  const listed = parseJson(text);
  if (!Array.isArray(listed)) {
    reader.problem(name, 'is not a JSON list such as [{"matches": "@example\\\\.com$", "replaces": ""}]');
    return [];
  }
  return listed.flatMap((item: unknown, index) => {
    const { matches, replaces } = (item ?? {}) as { readonly matches?: unknown; readonly replaces?: unknown };
    const expression = typeof matches === 'string' ? compile(matches) : undefined;
    if (expression !== undefined && typeof replaces === 'string') return [{ matches: expression, replaces }];
    reader.problem(name, `item ${index} needs "matches", a regular expression, and "replaces", a text`);
    return [];
  });
}

function compile(source: string): RegExp | undefined {
  try {
    return new RegExp(source, 'gu');
  } catch {
    return undefined;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
