/** Owns reading of networking.istio.io VirtualService objects into an ordered list of routes. */
import type { UnknownObject } from '@kfctl/kube';
import type { StringMatch } from '../match/string-match.ts';
import { parseStringMatch } from '../match/string-match.ts';
import { parseDelegation } from './delegation.ts';
import type { Delegation } from './delegation.ts';
import { Fields } from './fields.ts';
import type { Problems } from './fields.ts';
import { byAge, objectKey } from './object-key.ts';
import { parseRouteAction } from './route-action.ts';
import type { RouteAction } from './route-action.ts';

export interface VirtualServiceModel {
  readonly key: string;
  readonly namespace: string;
  /** None: it is for others to delegate to. */
  readonly hosts: readonly string[];
  /** `namespace/name` of the Gateways it binds to; `mesh` entries are left out. */
  readonly gateways: readonly string[];
  /** Namespaces it is visible in; undefined means all. */
  readonly exportTo: readonly string[] | undefined;
  readonly routes: readonly Route[];
  /** Rules that another VirtualService completes: see `resolveDelegations`. */
  readonly delegations: readonly Delegation[];
  readonly object: UnknownObject;
}

/** One match block with its action: first match wins, in order. */
export interface Route {
  /** For logs: `namespace/name[rule]` or the rule's own name. */
  readonly id: string;
  readonly match: RouteMatch;
  readonly action: RouteAction;
}

export interface RouteMatch {
  readonly uri: StringMatch | undefined;
  readonly ignoreUriCase: boolean;
  readonly method: StringMatch | undefined;
  readonly authority: StringMatch | undefined;
  readonly scheme: StringMatch | undefined;
  readonly port: number | undefined;
  readonly gateways: readonly string[] | undefined;
  /** Of the gateway itself, where `gateways` does not decide. */
  readonly sourceLabels: ReadonlyMap<string, string> | undefined;
  readonly sourceNamespace: string | undefined;
  readonly headers: readonly NamedMatch[];
  readonly withoutHeaders: readonly NamedMatch[];
  readonly query: readonly NamedMatch[];
}

/** `match` undefined means: present, whatever the value. */
export interface NamedMatch {
  readonly name: string;
  readonly match: StringMatch | undefined;
}

export const MATCH_ALL: RouteMatch = {
  uri: undefined,
  ignoreUriCase: false,
  method: undefined,
  authority: undefined,
  scheme: undefined,
  port: undefined,
  gateways: undefined,
  sourceLabels: undefined,
  sourceNamespace: undefined,
  headers: [],
  withoutHeaders: [],
  query: [],
};

const MAX_ROUTES = 2000;
const PORT = { min: 1, max: 65_535 };

/** The routes of a VirtualService; problems name fields that are wrong or not supported. */
export function parseVirtualService(
  object: UnknownObject,
  problems: Problems,
  notes: string[] = [],
): VirtualServiceModel {
  const namespace = object.metadata.namespace ?? '';
  const key = objectKey(object);
  const spec = new Fields(object['spec'], 'spec', { problems, notes });
  const hosts = (spec.strings('hosts') ?? []).map((host) => host.toLowerCase());
  const gateways = qualifyGateways(spec.strings('gateways') ?? ['mesh'], namespace);
  const exportTo = spec.strings('exportTo')?.map((item) => (item === '.' ? namespace : item));
  const routes: Route[] = [];
  const delegations: Delegation[] = [];
  for (const [index, rule] of (spec.children('http') ?? []).entries()) {
    const parsed = parseRule(rule, { key, namespace, index, routes: routes.length });
    if (Array.isArray(parsed)) routes.push(...parsed);
    else delegations.push(parsed);
  }
  if (routes.length > MAX_ROUTES) spec.problem('http', `has more than ${MAX_ROUTES} matches`);
  // A VirtualService may carry them beside its http routes.
  for (const name of ['tls', 'tcp']) spec.withoutEffect(name, 'no effect: the gateway opens no ports for these');
  spec.done();
  return { key, namespace, hosts, gateways, exportTo, routes, delegations, object };
}

export function byVirtualServiceAge(left: VirtualServiceModel, right: VirtualServiceModel): number {
  return byAge(left.object, right.object);
}

interface RulePlace {
  readonly key: string;
  readonly namespace: string;
  readonly index: number;
  /** Routes of the rules before. */
  readonly routes: number;
}

function parseRule(rule: Fields, place: RulePlace): Route[] | Delegation {
  const id = rule.string('name') ?? `${place.key}[${place.index}]`;
  const stated = rule.children('match')?.map((fields) => parseMatch(fields, place.namespace)) ?? [];
  const matches = stated.length === 0 ? [MATCH_ALL] : stated;
  if (rule.has('delegate')) {
    const delegation = parseDelegation(rule, { index: place.routes, id, matches }, place.namespace);
    rule.done();
    return delegation;
  }
  const action = parseRouteAction(rule, place.namespace);
  rule.done();
  return action === undefined ? [] : matches.map((match) => ({ id, match, action }));
}

function parseMatch(fields: Fields, namespace: string): RouteMatch {
  const match: RouteMatch = {
    uri: parseStringMatch(fields.child('uri')),
    ignoreUriCase: fields.boolean('ignoreUriCase') ?? false,
    method: parseStringMatch(fields.child('method')),
    authority: parseStringMatch(fields.child('authority')),
    scheme: parseStringMatch(fields.child('scheme')),
    port: fields.integer('port', PORT),
    gateways: fields.has('gateways') ? qualifyGateways(fields.strings('gateways') ?? [], namespace) : undefined,
    sourceLabels: fields.stringMap('sourceLabels'),
    sourceNamespace: fields.string('sourceNamespace') || undefined,
    headers: parseNamed(fields, 'headers', true),
    withoutHeaders: parseNamed(fields, 'withoutHeaders', true),
    query: parseNamed(fields, 'queryParams', false),
  };
  fields.ignore('name', 'statPrefix');
  fields.done();
  return match;
}

function parseNamed(fields: Fields, field: string, lowerCase: boolean): NamedMatch[] {
  return fields.childMap(field).map(([name, child]) => ({
    name: lowerCase ? name.toLowerCase() : name,
    match: child.names().length === 0 ? undefined : parseStringMatch(child),
  }));
}

function qualifyGateways(names: readonly string[], namespace: string): string[] {
  return names.filter((name) => name !== 'mesh').map((name) => (name.includes('/') ? name : `${namespace}/${name}`));
}
