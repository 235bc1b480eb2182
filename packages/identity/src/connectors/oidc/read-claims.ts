/** Owns what another provider's claims mean for us. */
import { AppError } from '@kfctl/core';
import { IDENTITY_ERRORS } from '../../errors.ts';
import type { Identity, LoginOutcome } from '../connector.ts';
import type { OidcConfig } from './oidc-config.ts';

export type UpstreamClaims = Readonly<Record<string, unknown>>;

/** Throws naming the claim that is missing; denies people outside the allowed groups. */
export function readUpstream(claims: UpstreamClaims, config: OidcConfig): LoginOutcome {
  const identity = readIdentity(claims, config);
  const { allowedGroups } = config;
  const allowed = allowedGroups.length === 0 || identity.groups.some((group) => allowedGroups.includes(group));
  if (!allowed) return { kind: 'denied', reason: 'not in an allowed group', outsider: true };
  const kept =
    allowedGroups.length === 0 ? identity.groups : identity.groups.filter((group) => allowedGroups.includes(group));
  return { kind: 'authenticated', identity: { ...identity, groups: kept } };
}

function readIdentity(claims: UpstreamClaims, config: OidcConfig): Identity {
  const email = mapped(claims, config, 'email');
  const wantsEmail = config.scopes.includes('email');
  if (wantsEmail && typeof email !== 'string') throw missing(config.claimMapping.email || 'email');
  return {
    userId: requireText(claims, config.userIDKey),
    username: requireText(claims, config.userNameKey),
    preferredUsername: textOf(mapped(claims, config, 'preferred_username')),
    email: textOf(email),
    emailVerified: readVerified(claims, config),
    groups: readGroups(claims, config),
  };
}

// Saying nothing about verification is not the same as having verified.
function readVerified(claims: UpstreamClaims, config: OidcConfig): boolean {
  const value = claims['email_verified'];
  if (typeof value === 'boolean') return value;
  // Some providers write the boolean as text.
  if (value === 'true' || value === 'false') return value === 'true';
  if (config.insecureSkipEmailVerified || !config.scopes.includes('email')) return config.insecureSkipEmailVerified;
  throw missing('email_verified');
}

function readGroups(claims: UpstreamClaims, config: OidcConfig): readonly string[] {
  const { newGroupFromClaims, filterGroupClaims, modifyGroupNames } = config.claimModifications;
  const given = config.insecureEnableGroups ? groupNames(mapped(claims, config, 'groups')) : [];
  const filter = new RegExp(filterGroupClaims.groupsFilter);
  const renamed = given
    .filter((name) => filterGroupClaims.groupsFilter === '' || filter.test(name))
    .map((name) => modifyGroupNames.prefix + name + modifyGroupNames.suffix);
  const made = newGroupFromClaims.flatMap(({ claims: names, delimiter, clearDelimiter, prefix }) => {
    const values = names.map((name) => claims[name]).filter((value): value is string => typeof value === 'string');
    const clean = values.map((value) => (clearDelimiter && delimiter !== '' ? value.replaceAll(delimiter, '') : value));
    return clean.length === 0 ? [] : [[prefix, ...clean].filter((part) => part !== '').join(delimiter)];
  });
  return [...renamed, ...made];
}

/** An array of strings or of objects with a name, or one string. */
function groupNames(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: unknown) => {
    if (typeof item === 'string') return [item];
    const name = typeof item === 'object' && item !== null && 'name' in item ? item.name : undefined;
    return typeof name === 'string' ? [name] : [];
  });
}

// A mapping stands in where the standard claim is missing, or always when it overrides.
function mapped(claims: UpstreamClaims, config: OidcConfig, name: keyof OidcConfig['claimMapping']): unknown {
  const other = config.claimMapping[name];
  const standard = claims[name];
  if (other === '') return standard;
  return standard === undefined || config.overrideClaimMapping ? claims[other] : standard;
}

function requireText(claims: UpstreamClaims, name: string): string {
  const value = claims[name];
  if (typeof value === 'string' && value !== '') return value;
  if (typeof value === 'number') return String(value);
  throw missing(name);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function missing(name: string): AppError {
  return new AppError(IDENTITY_ERRORS.connectorFailed, `oidc: the provider did not send the claim ${name}`, {
    hint: 'Ask for the right scopes, or map another claim.',
  });
}
