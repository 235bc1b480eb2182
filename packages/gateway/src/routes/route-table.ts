/** Owns the route table: what Gateways and VirtualServices mean together. Pure: objects in, an immutable table out. */
import type { GatewayModel, GatewayServer, ServerTls } from '../istio/gateway.ts';
import { byVirtualServiceAge } from '../istio/virtual-service.ts';
import type { Route, VirtualServiceModel } from '../istio/virtual-service.ts';
import { createHostMap, intersectHosts } from './host-map.ts';
import type { HostMap } from './host-map.ts';
import { createRouteIndex } from './route-index.ts';
import type { RouteIndex } from './route-index.ts';

export interface RouteTable {
  /** By the port that Gateway objects name (80, 443). */
  readonly listeners: ReadonlyMap<number, ListenerTable>;
}

export interface ListenerTable {
  readonly port: number;
  readonly isTls: boolean;
  /** By the name that the client gave in the TLS handshake, or by Host on plain ports. */
  readonly servers: HostMap<ServerTable>;
}

export interface ServerTable {
  readonly tls: ServerTls | undefined;
  readonly httpsRedirect: boolean;
  readonly hosts: HostMap<RouteIndex>;
}

export const EMPTY_ROUTE_TABLE: RouteTable = { listeners: new Map() };

export interface RouteTableInput {
  readonly gateways: readonly GatewayModel[];
  readonly virtualServices: readonly VirtualServiceModel[];
  /** Labels of the gateway's own pods: Gateways whose selector does not match are for others. */
  readonly labels: ReadonlyMap<string, string>;
  readonly namespace: string;
}

/** Builds the table. Objects are expected to be whole; broken ones are replaced or left out by the caller. */
export function buildRouteTable(input: RouteTableInput): RouteTable {
  const services = input.virtualServices
    .filter((service) => isVisible(service, input.namespace))
    .toSorted(byVirtualServiceAge);
  const place = { labels: input.labels, namespace: input.namespace, services };
  const ports = Map.groupBy(
    input.gateways
      .filter(({ selector }) => [...selector].every(([key, value]) => input.labels.get(key) === value))
      .flatMap((gateway) => gateway.servers.map((server): BoundServer => ({ server, gateways: [gateway.key] }))),
    ({ server }) => server.port,
  );
  const listeners = [...ports].map(
    ([port, servers]) => [port, buildListener(port, mergeServers(servers), place)] as const,
  );
  return { listeners: new Map(listeners) };
}

/** What routes are chosen by, beside the server. */
interface Place extends Pick<RouteTableInput, 'labels' | 'namespace'> {
  readonly services: readonly VirtualServiceModel[];
}

interface BoundServer {
  readonly server: GatewayServer;
  readonly gateways: readonly string[];
}

/** Servers of several Gateways with the same port and hosts are one server; the first one's certificate counts. */
function mergeServers(servers: readonly BoundServer[]): BoundServer[] {
  const groups = Map.groupBy(servers, ({ server }) =>
    server.hosts
      .map(({ host }) => host)
      .toSorted()
      .join(','),
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const hosts = group.flatMap(({ server }) => server.hosts);
    const httpsRedirect = group.some(({ server }) => server.httpsRedirect);
    return [{ server: { ...first.server, hosts, httpsRedirect }, gateways: group.flatMap(({ gateways }) => gateways) }];
  });
}

function buildListener(port: number, servers: readonly BoundServer[], place: Place): ListenerTable {
  const isTls = servers.some(({ server }) => server.tls !== undefined);
  const entries = new Map<string, ServerTable>();
  for (const bound of servers) {
    // One port speaks TLS or it does not: a plain server on a TLS port would be a door beside the lock.
    if (isTls && bound.server.tls === undefined) continue;
    const table = buildServer(bound, place);
    for (const { host } of bound.server.hosts) if (!entries.has(host)) entries.set(host, table);
  }
  return { port, isTls, servers: createHostMap(entries) };
}

function buildServer({ server, gateways }: BoundServer, place: Place): ServerTable {
  const routes = new Map<string, Route[]>();
  for (const service of place.services) {
    if (!service.gateways.some((name) => gateways.includes(name))) continue;
    const own = service.routes.filter(({ match }) => isForServer(match, { ...place, port: server.port, gateways }));
    for (const host of hostsOn(server, service)) {
      const list = routes.get(host);
      if (list === undefined) routes.set(host, [...own]);
      else list.push(...own);
    }
  }
  const indexes = [...routes].map(([host, list]) => [host, createRouteIndex(catchAllLast(list))] as const);
  return { tls: server.tls, httpsRedirect: server.httpsRedirect, hosts: createHostMap(new Map(indexes)) };
}

function hostsOn(server: GatewayServer, service: VirtualServiceModel): ReadonlySet<string> {
  const hosts = server.hosts
    .filter(({ namespace }) => namespace === undefined || namespace === service.namespace)
    .flatMap(({ host }) => service.hosts.flatMap((own) => intersectHosts(host, own) ?? []));
  return new Set(hosts);
}

interface ServerPlace extends Pick<Place, 'labels' | 'namespace'> {
  readonly port: number;
  readonly gateways: readonly string[];
}

/** Istio's rule: where a match names gateways, the source's labels and namespace are not looked at. */
function isForServer(match: Route['match'], { port, gateways, labels, namespace }: ServerPlace): boolean {
  if (match.port !== undefined && match.port !== port) return false;
  if (match.gateways !== undefined) return match.gateways.some((name) => gateways.includes(name));
  const { sourceLabels, sourceNamespace } = match;
  if (sourceNamespace !== undefined && sourceNamespace !== namespace) return false;
  return sourceLabels === undefined || [...sourceLabels].every(([key, value]) => labels.get(key) === value);
}

function isVisible({ exportTo }: VirtualServiceModel, namespace: string): boolean {
  return exportTo === undefined || exportTo.includes('*') || exportTo.includes(namespace);
}

/** Istio puts routes that match everything behind all others of the host, whichever object they come from. */
function catchAllLast(routes: readonly Route[]): Route[] {
  const [rest, last] = [routes.filter((route) => !isCatchAll(route)), routes.filter(isCatchAll)];
  return [...rest, ...last];
}

function isCatchAll({ match }: Route): boolean {
  const { uri, method, authority, scheme, headers, withoutHeaders, query } = match;
  const anyUri =
    uri === undefined ||
    (uri.kind === 'prefix' && uri.value === '/') ||
    (uri.kind === 'regex' && ['.*', '/.*'].includes(uri.value));
  const conditions = headers.length + withoutHeaders.length + query.length;
  return anyUri && conditions === 0 && method === undefined && authority === undefined && scheme === undefined;
}
