/** Owns delegation: rules of one VirtualService that another one, without hosts, completes. One level deep, as in Istio. */
import type { UnknownObject } from '@kfctl/kube';
import type { StringMatch } from '../match/string-match.ts';
import type { Fields } from './fields.ts';
import { NO_HEADER_OPERATIONS } from './header-operations.ts';
import { DEFAULT_RETRIES } from './retry-policy.ts';
import { parseForwardSettings } from './route-action.ts';
import type { ForwardSettings, RouteAction } from './route-action.ts';
import type { NamedMatch, Route, RouteMatch, VirtualServiceModel } from './virtual-service.ts';

export interface Delegation {
  /** Its routes go before this one of the object's own. */
  readonly index: number;
  readonly id: string;
  /** `namespace/name` of the VirtualService that completes the rule. */
  readonly target: string;
  readonly matches: readonly RouteMatch[];
  /** For what the other one does not say. */
  readonly settings: ForwardSettings;
}

export function parseDelegation(
  rule: Fields,
  place: Pick<Delegation, 'index' | 'id' | 'matches'>,
  namespace: string,
): Delegation {
  const delegate = rule.child('delegate');
  const name = delegate?.requiredString('name') ?? '';
  const target = `${delegate?.string('namespace') || namespace}/${name}`;
  delegate?.done();
  for (const field of ['route', 'redirect', 'directResponse']) {
    if (rule.has(field)) rule.problem('delegate', `excludes ${field}`);
  }
  return { ...place, target, settings: parseForwardSettings(rule, namespace) };
}

export type ReportDelegation = (object: UnknownObject, problem: string) => void;

/** The VirtualServices with all routes that they have together. `report` hears of each rule that leads to nothing. */
export function resolveDelegations(
  models: readonly VirtualServiceModel[],
  report: ReportDelegation,
): readonly VirtualServiceModel[] {
  if (models.every(({ delegations }) => delegations.length === 0)) return models;
  const byKey = new Map(models.map((model) => [model.key, model]));
  return models.map((model) => (model.delegations.length === 0 ? model : resolve(model, byKey, report)));
}

function resolve(
  model: VirtualServiceModel,
  byKey: ReadonlyMap<string, VirtualServiceModel>,
  report: ReportDelegation,
): VirtualServiceModel {
  const routes: Route[] = [];
  let taken = 0;
  for (const delegation of model.delegations) {
    routes.push(...model.routes.slice(taken, delegation.index));
    taken = delegation.index;
    const other = byKey.get(delegation.target);
    const problem = whyNot(other, model.namespace);
    if (other === undefined || problem !== undefined) {
      report(model.object, `${delegation.id} delegates to ${delegation.target}: ${problem}`);
      continue;
    }
    routes.push(...complete(delegation, other));
  }
  routes.push(...model.routes.slice(taken));
  return { ...model, routes, delegations: [] };
}

function whyNot(other: VirtualServiceModel | undefined, namespace: string): string | undefined {
  if (other === undefined) return 'there is no such VirtualService';
  if (other.hosts.length > 0) return 'it has hosts of its own';
  const isVisible = other.exportTo === undefined || other.exportTo.includes('*') || other.exportTo.includes(namespace);
  return isVisible ? undefined : 'it is not exported to this namespace';
}

/** A rule of the other one takes part when each of its matches is within one of the first one's. */
function complete({ id, matches, settings }: Delegation, other: VirtualServiceModel): Route[] {
  const rules = Map.groupBy(other.routes, ({ action }) => action);
  return [...rules].flatMap(([action, routes]) => {
    const merged = routes.map(({ match }) =>
      matches.filter((root) => isWithin(match, root)).map((root) => both(root, match)),
    );
    if (merged.some((found) => found.length === 0)) return [];
    const completed = withSettings(action, settings);
    return merged.flat().map((match) => ({ id: `${id}/${routes[0]?.id}`, match, action: completed }));
  });
}

function withSettings(action: RouteAction, settings: ForwardSettings): RouteAction {
  const headers = 'headers' in action && action.headers !== NO_HEADER_OPERATIONS ? action.headers : settings.headers;
  if (action.kind === 'redirect') return action;
  if (action.kind === 'direct') return { ...action, headers };
  const { uri, authority, regex } = action.rewrite;
  const rewrites = uri !== undefined || authority !== undefined || regex !== undefined;
  return {
    ...action,
    headers,
    rewrite: rewrites ? action.rewrite : settings.rewrite,
    timeoutMs: action.timeoutMs || settings.timeoutMs,
    retries: action.retries === DEFAULT_RETRIES ? settings.retries : action.retries,
    cors: action.cors ?? settings.cors,
    fault: action.fault ?? settings.fault,
    mirrors: action.mirrors.length > 0 ? action.mirrors : settings.mirrors,
  };
}

/** Istio's rule of conflicts: what both name must be a part of what the first one names. */
function isWithin(inner: RouteMatch, root: RouteMatch): boolean {
  return (
    isPart(inner.uri, root.uri) &&
    isPart(inner.scheme, root.scheme) &&
    isPart(inner.method, root.method) &&
    isPart(inner.authority, root.authority) &&
    arePart(inner.headers, root.headers) &&
    arePart(inner.withoutHeaders, root.withoutHeaders) &&
    arePart(inner.query, root.query) &&
    // Matches of every case are of both or of none, where both are about the path.
    (inner.uri === undefined || root.uri === undefined || inner.ignoreUriCase === root.ignoreUriCase) &&
    isSame(inner.port, root.port) &&
    isSame(inner.sourceNamespace, root.sourceNamespace) &&
    [...(inner.sourceLabels ?? [])].every(([key, value]) => isSame(value, root.sourceLabels?.get(key))) &&
    (root.gateways === undefined || (inner.gateways ?? []).every((name) => root.gateways?.includes(name)))
  );
}

function isSame<T>(inner: T | undefined, root: T | undefined): boolean {
  return inner === undefined || root === undefined || inner === root;
}

function isPart(inner: StringMatch | undefined, root: StringMatch | undefined): boolean {
  if (inner === undefined || root === undefined) return true;
  if (inner.kind === 'regex' || root.kind === 'regex') return false;
  if (root.kind === 'exact') return inner.kind === 'exact' && inner.value === root.value;
  return inner.value.startsWith(root.value);
}

function arePart(inner: readonly NamedMatch[], root: readonly NamedMatch[]): boolean {
  return inner.every(({ name, match }) => isPart(match, root.find((named) => named.name === name)?.match));
}

function both(root: RouteMatch, inner: RouteMatch): RouteMatch {
  const uri = inner.uri ?? root.uri;
  return {
    uri,
    ignoreUriCase: inner.uri === undefined ? root.ignoreUriCase : inner.ignoreUriCase,
    method: inner.method ?? root.method,
    authority: inner.authority ?? root.authority,
    scheme: inner.scheme ?? root.scheme,
    port: inner.port ?? root.port,
    gateways: inner.gateways ?? root.gateways,
    sourceLabels: new Map([...(root.sourceLabels ?? []), ...(inner.sourceLabels ?? [])]),
    sourceNamespace: inner.sourceNamespace ?? root.sourceNamespace,
    headers: joined(root.headers, inner.headers),
    withoutHeaders: joined(root.withoutHeaders, inner.withoutHeaders),
    query: joined(root.query, inner.query),
  };
}

/** Of two about one name the inner one, which is a part of the other. */
function joined(root: readonly NamedMatch[], inner: readonly NamedMatch[]): NamedMatch[] {
  return [...new Map([...root, ...inner].map((named) => [named.name, named])).values()];
}
