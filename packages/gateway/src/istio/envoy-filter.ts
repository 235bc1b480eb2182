/**
 * Owns reading of the EnvoyFilter form in which 2019's Kubeflow put an authorizer before its gateway (`filters[]` with
 * `envoy.ext_authz`). Other EnvoyFilters are Envoy's own business and change nothing here.
 */
import type { UnknownObject } from '@kfctl/kube';
import type { PolicyModel } from './authorization-policy.ts';
import { Fields } from './fields.ts';
import type { Problems } from './fields.ts';
import type { ExternalAuthorizer } from './mesh-config.ts';
import { objectKey } from './object-key.ts';

/** A filter is an authorizer and the CUSTOM policy that asks it about everything. */
export interface EnvoyFilterModel {
  readonly policies: readonly PolicyModel[];
  readonly authorizers: readonly ExternalAuthorizer[];
}

const DEFAULT_TIMEOUT_MS = 10_000;
const STATUSES: Readonly<Record<string, number>> = {
  Unauthorized: 401,
  Forbidden: 403,
  InternalServerError: 500,
  BadGateway: 502,
  ServiceUnavailable: 503,
  GatewayTimeout: 504,
};

export function parseEnvoyFilter(object: UnknownObject, problems: Problems): EnvoyFilterModel {
  const spec = new Fields(object['spec'], 'spec', { problems, notes: [] });
  const labels = spec.stringMap('workloadLabels') ?? spec.child('workloadSelector')?.stringMap('labels');
  const selector = labels ?? new Map<string, string>();
  const filters = (spec.children('filters') ?? []).filter((filter) =>
    /(?:^|\.)ext_authz$/.test(filter.string('filterName') ?? ''),
  );
  if (JSON.stringify(object['spec'] ?? {}).includes('ext_authz') && filters.length === 0) {
    spec.problem(
      'configPatches',
      'an ext_authz filter is understood in the filters form only; use an AuthorizationPolicy',
    );
  }
  const place: Place = { key: objectKey(object), namespace: object.metadata.namespace ?? '', selector };
  const read = filters.map((filter, index) => readFilter(filter, place, index));
  return { policies: read.map(({ policy }) => policy), authorizers: read.map(({ authorizer }) => authorizer) };
}

interface Place {
  readonly key: string;
  readonly namespace: string;
  readonly selector: ReadonlyMap<string, string>;
}

function readFilter(
  filter: Fields,
  place: Place,
  index: number,
): { policy: PolicyModel; authorizer: ExternalAuthorizer } {
  const name = `envoyfilter ${place.key}[${index}]`;
  const config = filter.child('filterConfig');
  const service = config?.child('httpService') ?? config?.child('http_service');
  if (config === undefined || service === undefined) filter.problem('filterConfig.httpService', 'is required');
  const port = filter.child('listenerMatch')?.integer('portNumber', { min: 1, max: 65_535 });
  const ports = { any: port === undefined ? undefined : [String(port)], not: undefined };
  const free = { any: undefined, not: undefined };
  const to = [{ hosts: free, ports, methods: free, paths: free }];
  const { key, namespace, selector } = place;
  const rules = [{ from: [], to, when: [] }];
  return {
    policy: { key, namespace, selector, action: 'CUSTOM', provider: name, rules },
    authorizer: readAuthorizer(name, service ?? filter, readStatus(config?.child('statusOnError'))),
  };
}

function readAuthorizer(name: string, service: Fields, statusOnError: number): ExternalAuthorizer {
  const server = service.child('serverUri') ?? service.child('server_uri');
  const cluster = server?.requiredString('cluster') ?? '';
  // `outbound|8080||authservice.istio-system.svc.cluster.local`
  const [, port, host] = /^outbound\|(\d{1,5})\|\|([a-z0-9.-]+)$/.exec(cluster) ?? [];
  if (port === undefined || host === undefined)
    service.problem('serverUri.cluster', 'is not of the form outbound|port||host');
  // In Kubeflow's filter it stands in the wrong place; wherever it stands, a failing authorizer denies.
  if (server?.boolean('failureModeAllow') === true) service.problem('serverUri.failureModeAllow', 'is not supported');
  const request = service.child('authorizationRequest') ?? service.child('authorization_request');
  const response = service.child('authorizationResponse') ?? service.child('authorization_response');
  return {
    name,
    host: host ?? '',
    port: Number(port ?? 0),
    timeoutMs: server?.durationMs('timeout') || DEFAULT_TIMEOUT_MS,
    pathPrefix: service.string('pathPrefix') ?? service.string('path_prefix') ?? '',
    statusOnError,
    checkHeaders: readPatterns(request?.child('allowedHeaders') ?? request?.child('allowed_headers')) ?? [],
    additionalCheckHeaders: new Map(),
    upstreamHeaders:
      readPatterns(response?.child('allowedUpstreamHeaders') ?? response?.child('allowed_upstream_headers')) ?? [],
    denyHeaders: readPatterns(response?.child('allowedClientHeaders') ?? response?.child('allowed_client_headers')),
    allowHeaders: [],
  };
}

function readStatus(fields: Fields | undefined): number {
  const code = fields?.names().includes('code') === true ? fields : undefined;
  if (code === undefined) return 503;
  const named = STATUSES[code.scalar('code') ?? ''];
  return named ?? code.integer('code', { min: 400, max: 599 }) ?? 503;
}

function readPatterns(fields: Fields | undefined): readonly string[] | undefined {
  return fields?.children('patterns')?.map((pattern) => {
    const exact = pattern.string('exact');
    const prefix = pattern.string('prefix');
    const suffix = pattern.string('suffix');
    pattern.done();
    const text = exact ?? (prefix === undefined ? `*${suffix ?? ''}` : `${prefix}*`);
    return text.toLowerCase();
  });
}
