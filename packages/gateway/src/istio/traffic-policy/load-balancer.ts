/** Owns reading of `trafficPolicy.loadBalancer`: how one of several endpoints is chosen. */
import { isFieldName } from '@kfctl/http';
import type { Fields } from '../fields.ts';

export type LoadBalancer =
  | { readonly kind: 'round-robin'; readonly warmup?: Warmup }
  | { readonly kind: 'least-request'; readonly warmup?: Warmup }
  | { readonly kind: 'random' }
  | { readonly kind: 'hash'; readonly key: HashKey };

/** A new endpoint gets its share of requests little by little (Envoy's slow start). */
export interface Warmup {
  readonly durationMs: number;
  /** Of its share, at the beginning. */
  readonly minimumPercent: number;
  /** 1: as time goes; more: faster at first. */
  readonly aggression: number;
}

/** What requests that belong to one endpoint have in common. */
export type HashKey =
  /** Lower-case. */
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'query'; readonly name: string }
  | { readonly kind: 'source-ip' }
  /** With a lifetime (0: of the browser's session) the gateway sets the cookie where it is missing. */
  | { readonly kind: 'cookie'; readonly name: string; readonly path: string; readonly ttlSeconds: number | undefined };

const SIMPLE: Readonly<Record<string, LoadBalancer>> = {
  UNSPECIFIED: { kind: 'round-robin' },
  ROUND_ROBIN: { kind: 'round-robin' },
  LEAST_CONN: { kind: 'least-request' },
  LEAST_REQUEST: { kind: 'least-request' },
  RANDOM: { kind: 'random' },
};

export function parseLoadBalancer(fields: Fields | undefined): LoadBalancer | undefined {
  if (fields === undefined) return undefined;
  const simple = fields.string('simple');
  const hash = fields.child('consistentHash');
  fields.withoutEffect('localityLbSetting', 'no effect: endpoints of every zone are taken alike');
  const warmup = parseWarmup(fields);
  fields.done();
  if (simple !== undefined && hash !== undefined) fields.problem('consistentHash', 'excludes simple');
  if (hash !== undefined && warmup !== undefined)
    fields.note('warmup', 'no effect: it is for ROUND_ROBIN and LEAST_REQUEST');
  if (hash !== undefined) return parseHash(hash);
  const known = SIMPLE[simple ?? 'UNSPECIFIED'];
  if (simple === 'PASSTHROUGH') {
    fields.problem(
      'simple',
      'PASSTHROUGH is not supported: it needs the address that a client of a sidecar connected to',
    );
  } else if (known === undefined) fields.problem('simple', `"${simple}" is not known`);
  if (warmup === undefined) return known;
  if (known?.kind === 'round-robin' || known?.kind === 'least-request') return { ...known, warmup };
  fields.note('warmup', 'no effect: it is for ROUND_ROBIN and LEAST_REQUEST');
  return known;
}

/** `warmup`, or the older `warmupDurationSecs`; Istio's defaults. */
function parseWarmup(fields: Fields): Warmup | undefined {
  const child = fields.child('warmup');
  const durationMs = child?.durationMs('duration') ?? fields.durationMs('warmupDurationSecs');
  const minimumPercent = child?.number('minimumPercent') ?? 10;
  const aggression = child?.number('aggression') ?? 1;
  child?.done();
  fields.ignore('warmupDurationSecs');
  if (minimumPercent < 0 || minimumPercent > 100) child?.problem('minimumPercent', 'is no percentage');
  if (aggression < 1) child?.problem('aggression', 'is less than 1');
  if (child !== undefined && durationMs === undefined) child.problem('duration', 'is required');
  return durationMs === undefined || durationMs === 0 ? undefined : { durationMs, minimumPercent, aggression };
}

function parseHash(fields: Fields): LoadBalancer | undefined {
  const keys = [...headerKey(fields), ...cookieKey(fields), ...sourceKey(fields), ...queryKey(fields)];
  for (const name of ['minimumRingSize', 'ringHash', 'maglev']) {
    fields.withoutEffect(name, 'no effect: rendezvous hashing has no table');
  }
  fields.done();
  const [key] = keys;
  if (key !== undefined && keys.length === 1) return { kind: 'hash', key };
  fields.problem(
    'httpHeaderName',
    'exactly one of httpHeaderName, httpCookie, useSourceIp and httpQueryParameterName is needed',
  );
  return undefined;
}

function headerKey(fields: Fields): HashKey[] {
  const name = fields.string('httpHeaderName')?.toLowerCase();
  if (name === undefined) return [];
  if (!isFieldName(name)) fields.problem('httpHeaderName', 'is not a header name');
  return [{ kind: 'header', name }];
}

function queryKey(fields: Fields): HashKey[] {
  const name = fields.string('httpQueryParameterName');
  return name === undefined ? [] : [{ kind: 'query', name }];
}

function sourceKey(fields: Fields): HashKey[] {
  return fields.boolean('useSourceIp') === true ? [{ kind: 'source-ip' }] : [];
}

function cookieKey(fields: Fields): HashKey[] {
  const cookie = fields.child('httpCookie');
  if (cookie === undefined) return [];
  const name = cookie.requiredString('name');
  const path = cookie.string('path') ?? '/';
  const ttlMs = cookie.durationMs('ttl');
  cookie.withoutEffect('attributes', 'no effect: the cookie is HttpOnly, Secure and SameSite=Lax');
  cookie.done();
  if (!isFieldName(name)) cookie.problem('name', 'is not a cookie name');
  if (!/^\/[\x21-\x3a\x3c-\x7e]*$/.test(path)) cookie.problem('path', 'is not a path');
  return [{ kind: 'cookie', name, path, ttlSeconds: ttlMs === undefined ? undefined : Math.floor(ttlMs / 1000) }];
}
