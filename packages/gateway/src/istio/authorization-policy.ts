/** Owns reading of security.istio.io AuthorizationPolicy objects. What it does not know makes the whole policy unusable. */
import type { UnknownObject } from '@kfctl/kube';
import { isCidr } from '../policy/cidr.ts';
import { Fields } from './fields.ts';
import type { Problems } from './fields.ts';
import { objectKey } from './object-key.ts';

export type PolicyAction = 'ALLOW' | 'DENY' | 'CUSTOM' | 'AUDIT';

export interface PolicyModel {
  readonly key: string;
  readonly namespace: string;
  readonly selector: ReadonlyMap<string, string>;
  readonly action: PolicyAction;
  /** Of CUSTOM. */
  readonly provider: string;
  /** Absent rules match nothing; an empty rule matches everything. */
  readonly rules: readonly PolicyRule[];
}

/** A rule matches when one source, one operation and all conditions match; an empty list matches. */
export interface PolicyRule {
  readonly from: readonly Source[];
  readonly to: readonly Operation[];
  readonly when: readonly Condition[];
}

/** Undefined lists do not take part. */
export interface ValueLists {
  readonly any: readonly string[] | undefined;
  readonly not: readonly string[] | undefined;
}

export interface Source {
  readonly principals: ValueLists;
  readonly requestPrincipals: ValueLists;
  readonly namespaces: ValueLists;
  readonly ipBlocks: ValueLists;
  readonly remoteIpBlocks: ValueLists;
}

export interface Operation {
  readonly hosts: ValueLists;
  readonly ports: ValueLists;
  readonly methods: ValueLists;
  readonly paths: ValueLists;
}

export interface Condition {
  readonly key: ConditionKey;
  readonly values: ValueLists;
}

export type ConditionKey =
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'claim'; readonly path: readonly string[] }
  | { readonly kind: PlainKey };

export type PlainKey = (typeof PLAIN_KEYS)[number];

const PLAIN_KEYS = [
  'source.ip',
  'remote.ip',
  'source.namespace',
  'source.principal',
  'request.auth.principal',
  'request.auth.audiences',
  'request.auth.presenter',
  'destination.port',
  'connection.sni',
] as const;

const ACTIONS: readonly string[] = ['ALLOW', 'DENY', 'CUSTOM', 'AUDIT'];

export function parseAuthorizationPolicy(object: UnknownObject, problems: Problems, notes: string[] = []): PolicyModel {
  const spec = new Fields(object['spec'] ?? {}, 'spec', { problems, notes });
  const action = spec.string('action') ?? 'ALLOW';
  if (!ACTIONS.includes(action)) spec.problem('action', `"${action}" is not one of ${ACTIONS.join(', ')}`);
  if (action === 'AUDIT') spec.note('action', 'AUDIT has no effect: the access log has every request');
  const provider = spec.child('provider');
  const name = provider?.requiredString('name') ?? '';
  provider?.done();
  if (action === 'CUSTOM' && name === '') spec.problem('provider', 'is required for CUSTOM');
  const selector = spec.child('selector');
  const labels = selector?.stringMap('matchLabels') ?? new Map<string, string>();
  selector?.done();
  const rules = (spec.children('rules') ?? []).map(parseRule);
  spec.done();
  return {
    key: objectKey(object),
    namespace: object.metadata.namespace ?? '',
    selector: labels,
    action: ACTIONS.includes(action) ? (action as PolicyAction) : 'DENY',
    provider: name,
    rules,
  };
}

function parseRule(fields: Fields): PolicyRule {
  const rule = {
    from: (fields.children('from') ?? []).map((item) => inner(item, 'source', parseSource)),
    to: (fields.children('to') ?? []).map((item) => inner(item, 'operation', parseOperation)),
    when: (fields.children('when') ?? []).map(parseCondition),
  };
  fields.done();
  return rule;
}

function inner<T>(fields: Fields, name: string, parse: (fields: Fields) => T): T {
  const child = fields.child(name);
  if (child === undefined) fields.problem(name, 'is required');
  fields.done();
  return parse(child ?? fields);
}

function parseSource(fields: Fields): Source {
  const source = {
    principals: lists(fields, 'principals'),
    requestPrincipals: lists(fields, 'requestPrincipals'),
    namespaces: lists(fields, 'namespaces'),
    ipBlocks: cidrLists(fields, 'ipBlocks'),
    remoteIpBlocks: cidrLists(fields, 'remoteIpBlocks'),
  };
  fields.done();
  return source;
}

function parseOperation(fields: Fields): Operation {
  const operation = {
    hosts: lists(fields, 'hosts'),
    ports: lists(fields, 'ports'),
    methods: lists(fields, 'methods'),
    paths: lists(fields, 'paths'),
  };
  fields.done();
  for (const path of [...(operation.paths.any ?? []), ...(operation.paths.not ?? [])]) {
    if (/[{}]/.test(path)) fields.problem('paths', 'path templates are not supported');
  }
  return operation;
}

function parseCondition(fields: Fields): Condition {
  const key = fields.requiredString('key');
  const values = { any: fields.strings('values'), not: fields.strings('notValues') };
  fields.done();
  if (values.any === undefined && values.not === undefined) fields.problem('values', 'is required');
  const parsed = parseKey(key);
  if (parsed === undefined) fields.problem('key', `"${key}" is not supported`);
  if (parsed?.kind === 'source.ip' || parsed?.kind === 'remote.ip') checkCidrs(fields, 'values', values);
  return { key: parsed ?? { kind: 'source.principal' }, values };
}

function parseKey(key: string): ConditionKey | undefined {
  const header = /^request\.headers\[([^[\]]+)\]$/.exec(key)?.[1];
  if (header !== undefined) return { kind: 'header', name: header.toLowerCase() };
  const claims = /^request\.auth\.claims((?:\[[^[\]]+\])+)$/.exec(key)?.[1];
  if (claims !== undefined) return { kind: 'claim', path: claims.slice(1, -1).split('][') };
  const plain = PLAIN_KEYS.find((known) => known === key);
  return plain === undefined ? undefined : { kind: plain };
}

function lists(fields: Fields, name: string): ValueLists {
  return { any: fields.strings(name), not: fields.strings(`not${name[0]?.toUpperCase()}${name.slice(1)}`) };
}

function cidrLists(fields: Fields, name: string): ValueLists {
  const values = lists(fields, name);
  checkCidrs(fields, name, values);
  return values;
}

function checkCidrs(fields: Fields, name: string, values: ValueLists): void {
  for (const block of [...(values.any ?? []), ...(values.not ?? [])]) {
    if (!isCidr(block)) fields.problem(name, `"${block}" is not an address block`);
  }
}
