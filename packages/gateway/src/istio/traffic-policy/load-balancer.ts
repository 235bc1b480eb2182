/** Owns reading of `trafficPolicy.loadBalancer`: how one of several endpoints is chosen. */
import { isFieldName } from '@kfctl/http';
import type { Fields } from '../fields.ts';

export type LoadBalancer =
  | { readonly kind: 'round-robin' }
  | { readonly kind: 'least-request' }
  | { readonly kind: 'random' }
  | { readonly kind: 'hash'; readonly key: HashKey };

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
  // Zones and slow starts say which endpoint is better; here all are taken alike.
  fields.ignore('localityLbSetting', 'warmupDurationSecs', 'warmup');
  fields.done();
  if (simple !== undefined && hash !== undefined) fields.problem('consistentHash', 'excludes simple');
  if (hash !== undefined) return parseHash(hash);
  const known = SIMPLE[simple ?? 'UNSPECIFIED'];
  if (simple === 'PASSTHROUGH') {
    fields.problem(
      'simple',
      'PASSTHROUGH is not supported: it needs the address that a client of a sidecar connected to',
    );
  } else if (known === undefined) fields.problem('simple', `"${simple}" is not known`);
  return known;
}

function parseHash(fields: Fields): LoadBalancer | undefined {
  const keys = [...headerKey(fields), ...cookieKey(fields), ...sourceKey(fields), ...queryKey(fields)];
  // Rendezvous hashing needs no table: their sizes have no meaning here.
  fields.ignore('minimumRingSize', 'ringHash', 'maglev');
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
  cookie.ignore('attributes');
  cookie.done();
  if (!isFieldName(name)) cookie.problem('name', 'is not a cookie name');
  if (!/^\/[\x21-\x3a\x3c-\x7e]*$/.test(path)) cookie.problem('path', 'is not a path');
  return [{ kind: 'cookie', name, path, ttlSeconds: ttlMs === undefined ? undefined : Math.floor(ttlMs / 1000) }];
}
