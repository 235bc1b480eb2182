/** Owns whether a rule of an AuthorizationPolicy matches a request. Absent values match no positive list. */
import { findField } from '@kfctl/http';
import type { FieldList } from '@kfctl/http';
import type { Condition, Operation, PolicyRule, Source, ValueLists } from '../istio/authorization-policy.ts';
import { isInBlocks } from './cidr.ts';

export interface PolicyRequest {
  readonly method: string;
  /** Normalised, without query. */
  readonly path: string;
  readonly host: string;
  readonly authority: string;
  /** Of the listener, or of the workload where a policy of the destination is judged. */
  readonly port: number;
  readonly fields: FieldList;
  readonly sourceIp: string;
  /** The client behind trusted proxies. */
  readonly remoteIp: string;
  readonly sni: string;
  /** Identity of the peer workload; empty for clients from outside. */
  readonly principal: string;
  readonly namespace: string;
  readonly jwt: VerifiedToken | undefined;
}

/** A token that a RequestAuthentication accepted. */
export interface VerifiedToken {
  readonly issuer: string;
  readonly subject: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

export function matchesRule(rule: PolicyRule, request: PolicyRequest): boolean {
  return (
    (rule.from.length === 0 || rule.from.some((source) => matchesSource(source, request))) &&
    (rule.to.length === 0 || rule.to.some((operation) => matchesOperation(operation, request))) &&
    rule.when.every((condition) => matchesCondition(condition, request))
  );
}

function matchesSource(source: Source, request: PolicyRequest): boolean {
  return (
    matchesText(source.principals, request.principal) &&
    (isOpen(source.requestPrincipals) || matchesText(source.requestPrincipals, requestPrincipal(request))) &&
    matchesText(source.namespaces, request.namespace) &&
    matchesBlocks(source.ipBlocks, request.sourceIp) &&
    matchesBlocks(source.remoteIpBlocks, request.remoteIp)
  );
}

function matchesOperation(operation: Operation, request: PolicyRequest): boolean {
  const { hosts, ports, methods, paths } = operation;
  return (
    (isOpen(hosts) || matchesLists(lowerCase(hosts), [request.host, request.authority])) &&
    (isOpen(ports) || matchesText(ports, String(request.port))) &&
    matchesText(methods, request.method) &&
    matchesText(paths, request.path)
  );
}

function matchesCondition({ key, values }: Condition, request: PolicyRequest): boolean {
  switch (key.kind) {
    case 'source.ip':
      return matchesBlocks(values, request.sourceIp);
    case 'remote.ip':
      return matchesBlocks(values, request.remoteIp);
    case 'header':
      return matchesLists(values, [findField(request.fields, key.name) ?? '']);
    case 'claim':
      return matchesLists(values, claimValues(request.jwt, key.path));
    default:
      return matchesLists(values, plainValues(key.kind, request));
  }
}

type ValueKey = Exclude<Condition['key']['kind'], 'source.ip' | 'remote.ip' | 'header' | 'claim'>;

function plainValues(key: ValueKey, request: PolicyRequest): readonly string[] {
  switch (key) {
    case 'source.namespace':
      return [request.namespace];
    case 'source.principal':
      return [request.principal];
    case 'request.auth.principal':
      return [requestPrincipal(request)];
    case 'request.auth.audiences':
      return claimValues(request.jwt, ['aud']);
    case 'request.auth.presenter':
      return claimValues(request.jwt, ['azp']);
    case 'destination.port':
      return [String(request.port)];
    case 'connection.sni':
      return [request.sni];
  }
}

function requestPrincipal({ jwt }: PolicyRequest): string {
  return jwt === undefined ? '' : `${jwt.issuer}/${jwt.subject}`;
}

/** Values of a claim: a string (split at spaces, as scopes are), or the strings of a list. */
function claimValues(jwt: VerifiedToken | undefined, path: readonly string[]): readonly string[] {
  let value: unknown = jwt?.claims;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return [];
    value = (value as Record<string, unknown>)[name];
  }
  if (typeof value === 'string') return [value, ...(value.includes(' ') ? value.split(' ') : [])];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** Nothing is asked of the value. */
function isOpen({ any, not }: ValueLists): boolean {
  return any === undefined && not === undefined;
}

/** `matchesLists` for one value, as nearly all are. */
function matchesText({ any, not }: ValueLists, value: string): boolean {
  if (any !== undefined && !any.some((pattern) => matchesValue(pattern, value))) return false;
  return not === undefined || !not.some((pattern) => matchesValue(pattern, value));
}

/** One of the positive values matches and none of the negative ones does. */
function matchesLists({ any, not }: ValueLists, actual: readonly string[]): boolean {
  const matches = (pattern: string): boolean => actual.some((value) => matchesValue(pattern, value));
  return (any === undefined || any.some(matches)) && (not === undefined || !not.some(matches));
}

/** `*` (present), `prefix*`, `*suffix` or the value itself. */
function matchesValue(pattern: string, value: string): boolean {
  if (pattern === '*') return value !== '';
  if (pattern.endsWith('*')) return value.startsWith(pattern.slice(0, -1));
  if (pattern.startsWith('*')) return value.endsWith(pattern.slice(1));
  return value === pattern;
}

function matchesBlocks({ any, not }: ValueLists, address: string): boolean {
  return (any === undefined || isInBlocks(address, any)) && (not === undefined || !isInBlocks(address, not));
}

function lowerCase({ any, not }: ValueLists): ValueLists {
  return { any: any?.map((value) => value.toLowerCase()), not: not?.map((value) => value.toLowerCase()) };
}
