/** Owns reading of Istio's MeshConfig (ConfigMap `istio`, key `mesh`): the external authorizers and how paths are normalised. */
import { parseYaml } from '@kfctl/kube';
import { isFieldName, isFieldValue } from '@kfctl/http';
import type { EscapedSlashes } from '../request/normalize-path.ts';
import { Fields } from './fields.ts';
import type { Problems } from './fields.ts';
import { DEFAULT_RETRIES, parseRetryPolicy } from './retry-policy.ts';
import type { RetryPolicy } from './retry-policy.ts';

export interface MeshConfig {
  readonly authorizers: ReadonlyMap<string, ExternalAuthorizer>;
  readonly escapedSlashes: EscapedSlashes;
  /** How many proxies in front of the gateway may be believed in X-Forwarded-For and X-Forwarded-Proto. */
  readonly trustedProxies: number;
  /** Of the requests that come without a trace, so many percent begin one that is sampled; 0: none begins one. */
  readonly samplingPercent: number;
  /** For routes that say nothing about retries. */
  readonly retries: RetryPolicy;
}

/** One `extensionProviders[].envoyExtAuthzHttp`. Header names are lower-case patterns: `name`, `prefix*` or `*suffix`. */
export interface ExternalAuthorizer {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly pathPrefix: string;
  readonly statusOnError: number;
  readonly checkHeaders: readonly string[];
  readonly additionalCheckHeaders: ReadonlyMap<string, string>;
  readonly upstreamHeaders: readonly string[];
  /** Undefined: all. */
  readonly denyHeaders: readonly string[] | undefined;
  readonly allowHeaders: readonly string[];
}

export const DEFAULT_MESH_CONFIG: MeshConfig = {
  authorizers: new Map(),
  escapedSlashes: 'reject',
  trustedProxies: 0,
  samplingPercent: 0,
  retries: DEFAULT_RETRIES,
};

const DEFAULT_TIMEOUT_MS = 10_000;
const NORMALIZATIONS: Readonly<Record<string, EscapedSlashes>> = {
  NONE: 'keep',
  BASE: 'keep',
  MERGE_SLASHES: 'keep',
  DECODE_AND_MERGE_SLASHES: 'decode',
};

/** Parses the `mesh` text. Only the fields that concern a gateway are read: the rest of MeshConfig is about sidecars. */
export function parseMeshConfig(text: string, problems: Problems): MeshConfig {
  const fields = new Fields(parseYaml(text, { source: 'mesh' }) ?? {}, 'mesh', { problems, notes: [] });
  const authorizers = new Map<string, ExternalAuthorizer>();
  for (const provider of fields.children('extensionProviders') ?? []) {
    const name = provider.requiredString('name');
    const http = provider.child('envoyExtAuthzHttp');
    if (http !== undefined) authorizers.set(name, parseAuthorizer(http, name));
  }
  const paths = fields.child('pathNormalization')?.string('normalization');
  const escapedSlashes = paths === undefined || paths === 'DEFAULT' ? 'reject' : NORMALIZATIONS[paths];
  if (escapedSlashes === undefined) fields.problem('pathNormalization.normalization', `"${paths}" is not known`);
  const proxies = fields.child('defaultConfig');
  const topology = proxies?.child('gatewayTopology');
  return {
    authorizers,
    escapedSlashes: escapedSlashes ?? 'reject',
    trustedProxies: topology?.integer('numTrustedProxies', { min: 0, max: 100 }) ?? 0,
    samplingPercent: readSampling(fields, proxies?.child('tracing')),
    retries: parseRetryPolicy(fields.child('defaultHttpRetryPolicy')),
  };
}

/** Istio samples one percent where tracing is on and nothing else is said. */
function readSampling(mesh: Fields, tracing: Fields | undefined): number {
  const isEnabled = mesh.boolean('enableTracing') ?? false;
  const percent = tracing?.number('sampling');
  if (percent !== undefined && (percent < 0 || percent > 100)) tracing?.problem('sampling', 'is no percentage');
  return isEnabled ? (percent ?? 1) : 0;
}

function parseAuthorizer(fields: Fields, name: string): ExternalAuthorizer {
  const service = fields.requiredString('service').toLowerCase();
  const authorizer: ExternalAuthorizer = {
    name,
    host: serviceHost(service),
    port: fields.integer('port', { min: 1, max: 65_535 }) ?? 0,
    timeoutMs: fields.durationMs('timeout') || DEFAULT_TIMEOUT_MS,
    pathPrefix: fields.string('pathPrefix') ?? '',
    statusOnError: statusOnError(fields),
    checkHeaders: patterns(fields, 'includeRequestHeadersInCheck') ?? patterns(fields, 'includeHeadersInCheck') ?? [],
    additionalCheckHeaders: additionalHeaders(fields),
    upstreamHeaders: patterns(fields, 'headersToUpstreamOnAllow') ?? [],
    denyHeaders: patterns(fields, 'headersToDownstreamOnDeny'),
    allowHeaders: patterns(fields, 'headersToDownstreamOnAllow') ?? [],
  };
  if (authorizer.port === 0) fields.problem('port', 'is required');
  if (!/^(\/[\w.~/-]*)?$/.test(authorizer.pathPrefix)) fields.problem('pathPrefix', 'is not a path');
  // Fail closed always: an authorizer that does not answer must not open the door.
  if (fields.boolean('failOpen') === true) fields.problem('failOpen', 'is not supported: a failing authorizer denies');
  fields.ignore('clearRouteCache', 'includeHeadersInCheck');
  fields.done();
  return authorizer;
}

/** `[namespace/]host`. */
function serviceHost(service: string): string {
  const slash = service.indexOf('/');
  return slash < 0 ? service : service.slice(slash + 1);
}

function statusOnError(fields: Fields): number {
  return fields.integer('statusOnError', { min: 400, max: 599 }) ?? 503;
}

function patterns(fields: Fields, name: string): readonly string[] | undefined {
  const values = fields.strings(name)?.map((value) => value.toLowerCase());
  for (const value of values ?? []) {
    if (!isFieldName(value.replace(/^\*|\*$/, '') || 'x')) fields.problem(name, `"${value}" is not a header name`);
  }
  return values;
}

function additionalHeaders(fields: Fields): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of fields.stringMap('includeAdditionalHeadersInCheck') ?? []) {
    const usable = isFieldName(name) && isFieldValue(value) && !/%[A-Z]/.test(value);
    if (!usable) fields.problem(`includeAdditionalHeadersInCheck.${name}`, 'is not a plain header');
    values.set(name.toLowerCase(), value);
  }
  return values;
}
