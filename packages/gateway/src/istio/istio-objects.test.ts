/** Keeps docs/reference/istio-objects.md true: each field that it calls told or refused is tried. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { UnknownObject } from '@kfctl/kube';
import { to } from '../rig/objects.ts';
import { parseAuthorizationPolicy } from './authorization-policy.ts';
import { parseDestinationRule } from './destination-rule.ts';
import { parseGateway } from './gateway.ts';
import { parseRequestAuthentication } from './request-authentication.ts';
import { parseVirtualService } from './virtual-service.ts';

type Parse = (object: UnknownObject, problems: string[], notes: string[]) => unknown;

const PARSERS: Readonly<Record<string, Parse>> = {
  Gateway: parseGateway,
  VirtualService: parseVirtualService,
  DestinationRule: parseDestinationRule,
  AuthorizationPolicy: parseAuthorizationPolicy,
  RequestAuthentication: parseRequestAuthentication,
};

const server = (more: object): object => ({
  servers: [{ port: { number: 443, protocol: 'HTTPS' }, hosts: ['*'], tls: tls({}), ...more }],
});
const tls = (more: object): object => ({ mode: 'SIMPLE', credentialName: 'a', ...more });
const http = (more: object): object => ({ hosts: ['h'], http: [{ ...to('a'), ...more }] });
const traffic = (trafficPolicy: object): object => ({ host: 'a', trafficPolicy });
const balancer = (loadBalancer: object): object => traffic({ loadBalancer });
const hash = (more: object): object => balancer({ consistentHash: { useSourceIp: true, ...more } });
const tcp = (more: object): object => traffic({ connectionPool: { tcp: more } });
const rule = (more: object): object => ({ rules: [more] });
const jwt = (more: object): object => ({ jwtRules: [{ issuer: 'https://i', ...more }] });

/** A spec for each field, as the page writes it. */
const SAMPLES: Readonly<Record<string, object>> = {
  'servers[].bind': server({ bind: '10.0.0.1' }),
  'servers[].defaultEndpoint': server({ defaultEndpoint: '127.0.0.1:1' }),
  'servers[].tls.maxProtocolVersion': server({ tls: tls({ maxProtocolVersion: 'TLSV1_2' }) }),
  'servers[].tls.cipherSuites': server({ tls: tls({ cipherSuites: ['a'] }) }),
  'servers[].tls.mode: MUTUAL': server({ tls: tls({ mode: 'MUTUAL' }) }),
  'servers[].tls.mode: PASSTHROUGH': server({ tls: { mode: 'PASSTHROUGH' } }),
  'servers[].port.protocol: TCP': server({ port: { number: 1, protocol: 'TCP' }, tls: undefined }),
  'http[].retries.retryRemoteLocalities': http({ retries: { attempts: 1, retryRemoteLocalities: true } }),
  'http[].retries.retryOn: retriable-headers': http({ retries: { attempts: 1, retryOn: 'retriable-headers' } }),
  tls: { hosts: ['h'], tls: [{}] },
  tcp: { hosts: ['h'], tcp: [{}] },
  'http[].headers.request.set: %VARIABLE%': http({ headers: { request: { set: { a: '%VARIABLE%' } } } }),
  'http[].fault.delay.exponentialDelay': http({ fault: { delay: { fixedDelay: '1s', exponentialDelay: '1s' } } }),
  'http[].fault.abort.http2Error': http({ fault: { abort: { httpStatus: 500, http2Error: 'x' } } }),
  'http[].corsPolicy.allowCredentials': http({
    corsPolicy: { allowOrigins: [{ exact: '*' }], allowCredentials: true },
  }),
  'trafficPolicy.loadBalancer.localityLbSetting': balancer({ localityLbSetting: {} }),
  'trafficPolicy.loadBalancer.consistentHash.minimumRingSize': hash({ minimumRingSize: 1 }),
  'trafficPolicy.loadBalancer.consistentHash.maglev': hash({ maglev: {} }),
  'trafficPolicy.loadBalancer.warmup': balancer({ simple: 'RANDOM', warmup: { duration: '1s' } }),
  'trafficPolicy.connectionPool.tcp.maxConnectionDuration': tcp({ maxConnectionDuration: '1s' }),
  'trafficPolicy.connectionPool.tcp.idleTimeout': tcp({ idleTimeout: '1s' }),
  'trafficPolicy.connectionPool.tcp.tcpKeepalive.probes': tcp({ tcpKeepalive: { probes: 1 } }),
  'trafficPolicy.tls.mode: ISTIO_MUTUAL': traffic({ tls: { mode: 'ISTIO_MUTUAL' } }),
  'trafficPolicy.loadBalancer.simple: PASSTHROUGH': balancer({ simple: 'PASSTHROUGH' }),
  'trafficPolicy.tunnel': traffic({ tunnel: {} }),
  'trafficPolicy.proxyProtocol': traffic({ proxyProtocol: {} }),
  'trafficPolicy.retryBudget': traffic({ retryBudget: {} }),
  'action: AUDIT': { action: 'AUDIT' },
  'rules[].to[].operation.paths: /{*}': rule({ to: [{ operation: { paths: ['/{*}'] } }] }),
  'rules[].when[].key: destination.ip': rule({ when: [{ key: 'destination.ip', values: ['10.0.0.1'] }] }),
  'rules[].from[].source.serviceAccounts': rule({ from: [{ source: { serviceAccounts: ['a'] } }] }),
  targetRefs: { targetRefs: [{}] },
  'jwtRules[].fromCookies': jwt({ fromCookies: ['a'] }),
  'jwtRules[].spaceDelimitedClaims': jwt({ spaceDelimitedClaims: ['a'] }),
};

const page = readFileSync(path.join(import.meta.dirname, '../../../../docs/reference/istio-objects.md'), 'utf8');

/** `[kind, fields, status]` of each row of the page. */
function readRows(): (readonly [kind: string, fields: string[], status: string])[] {
  return page.split(/^## /m).flatMap((section) => {
    const [kind = ''] = section.split('\n');
    const rows = section.matchAll(/^\| (`.*?) \| (effect|told|refused) \|/gm);
    return [...rows].map(([, names = '', status = '']) => {
      const fields = [...names.matchAll(/`([^`]+)`/g)].map(([, field]) => field ?? '');
      return [kind, fields, status] as const;
    });
  });
}

test('the page says of fields what happens to them', () => {
  const rows = readRows();
  const seen = new Set<string>();
  for (const [kind, fields, status] of rows.filter((row) => row[2] !== 'effect')) {
    for (const field of fields) {
      const [problems, notes]: [string[], string[]] = [[], []];
      const spec = SAMPLES[field] ?? assert.fail(`${field} has no sample`);
      seen.add(field);
      PARSERS[kind]?.({ apiVersion: 'v1', kind, metadata: { name: 'a', namespace: 'b' }, spec }, problems, notes);
      const found = problems.length > 0 ? 'refused' : notes.length > 0 ? 'told' : 'effect';
      assert.equal(found, status, `${kind} ${field}: ${[...problems, ...notes].join('; ')}`);
    }
  }
  assert.deepEqual([...seen].toSorted(), Object.keys(SAMPLES).toSorted());
  assert.ok(rows.length > 50, String(rows.length));
});
