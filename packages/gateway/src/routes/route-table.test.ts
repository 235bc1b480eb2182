import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UnknownObject } from '@kfctl/kube';
import { parseGateway } from '../istio/gateway.ts';
import { parseVirtualService } from '../istio/virtual-service.ts';
import { kubeflowGateway, to, virtualService } from '../rig/objects.ts';
import type { RoutedRequest } from './route-index.ts';
import { buildRouteTable } from './route-table.ts';
import type { RouteTable } from './route-table.ts';

function whole<T>(parse: (object: UnknownObject, problems: string[]) => T, object: UnknownObject): T {
  const problems: string[] = [];
  const model = parse(object, problems);
  assert.deepEqual(problems, []);
  return model;
}

function table(services: UnknownObject[], gateways: UnknownObject[] = [kubeflowGateway()]): RouteTable {
  return buildRouteTable({
    gateways: gateways.map((object) => whole(parseGateway, object)),
    virtualServices: services.map((object) => whole(parseVirtualService, object)),
    labels: new Map([['istio', 'ingressgateway']]),
    namespace: 'istio-system',
  });
}

function find(
  routes: RouteTable,
  path: string,
  more: Partial<RoutedRequest> & { host?: string } = {},
): string | undefined {
  const { host = 'h', ...request } = more;
  const server = routes.listeners.get(443)?.servers.find(host);
  return server?.hosts
    .find(host)
    ?.find({ method: 'GET', path, query: '', authority: host, scheme: 'https', fields: [], ...request })?.id;
}

const rule = (name: string, match?: object | object[]): object => ({
  name,
  ...(match === undefined ? {} : { match: Array.isArray(match) ? match : [match] }),
  ...to('x'),
});

describe('routes', () => {
  test('of one object are tried in their order, a prefix is a string prefix', () => {
    const routes = table([
      virtualService('a', [
        rule('exact', { uri: { exact: '/a/b' } }),
        rule('short', { uri: { prefix: '/a' } }),
        rule('long', { uri: { prefix: '/a/b/c' } }),
        rule('regex', { uri: { regex: '/r/[0-9]+' } }),
        rule('folded', { uri: { prefix: '/Case' }, ignoreUriCase: true }),
        rule('rest'),
      ]),
    ]);
    assert.equal(find(routes, '/a/b'), 'exact');
    assert.equal(find(routes, '/a/b/c'), 'short');
    assert.equal(find(routes, '/ab'), 'short');
    assert.equal(find(routes, '/r/12'), 'regex');
    assert.equal(find(routes, '/r/12x'), 'rest');
    assert.equal(find(routes, '/cASE/x'), 'folded');
  });

  test('of several objects: the older object first, and what matches everything last', () => {
    const routes = table([
      virtualService('young', [rule('young', { uri: { prefix: '/a' } })], { created: '2026-02-01T00:00:00Z' }),
      virtualService('dashboard', [rule('dashboard', { uri: { prefix: '/' } })], { created: '2020-01-01T00:00:00Z' }),
      virtualService('old', [rule('old', { uri: { prefix: '/a/' } })], { created: '2026-01-01T00:00:00Z' }),
    ]);
    assert.equal(find(routes, '/a/x'), 'old');
    assert.equal(find(routes, '/ax'), 'young');
    assert.equal(find(routes, '/b'), 'dashboard');
  });

  test('match method, headers, their absence, query and authority', () => {
    const routes = table([
      virtualService('a', [
        rule('post', { method: { exact: 'POST' } }),
        rule('header', { headers: { 'X-Kind': { prefix: 'ab' } } }),
        rule('present', { headers: { 'x-any': {} } }),
        rule('query', { queryParams: { v: { exact: '2' } } }),
        rule('authority', { authority: { exact: 'special' } }),
        rule('without', { withoutHeaders: { 'x-no': {} } }),
        rule('rest'),
      ]),
    ]);
    assert.equal(find(routes, '/', { method: 'POST' }), 'post');
    assert.equal(find(routes, '/', { fields: ['x-kind', 'abc'] }), 'header');
    assert.equal(find(routes, '/', { fields: ['x-any', ''] }), 'present');
    assert.equal(find(routes, '/', { query: '?a=1&v=2' }), 'query');
    assert.equal(find(routes, '/', { authority: 'special' }), 'authority');
    assert.equal(find(routes, '/'), 'without');
    assert.equal(find(routes, '/', { fields: ['x-no', '1'] }), 'rest');
  });

  test('conditions of one match are all needed, matches of one rule are alternatives', () => {
    const routes = table([
      virtualService('a', [
        rule('one', [{ uri: { prefix: '/a' }, method: { exact: 'GET' } }, { uri: { prefix: '/b' } }]),
      ]),
    ]);
    assert.equal(find(routes, '/a'), 'one');
    assert.equal(find(routes, '/a', { method: 'PUT' }), undefined);
    assert.equal(find(routes, '/b', { method: 'PUT' }), 'one');
  });

  test('belong to hosts: exact before wildcard before all, and no falling back', () => {
    const routes = table([
      virtualService('a', [rule('exact', { uri: { prefix: '/a' } })], { hosts: ['a.example.com'] }),
      virtualService('b', [rule('wild')], { hosts: ['*.example.com'] }),
      virtualService('c', [rule('all')], { hosts: ['*'] }),
    ]);
    assert.equal(find(routes, '/a', { host: 'a.example.com' }), 'exact');
    assert.equal(find(routes, '/x', { host: 'a.example.com' }), undefined);
    assert.equal(find(routes, '/x', { host: 'b.example.com' }), 'wild');
    assert.equal(find(routes, '/x', { host: 'example.com' }), 'all');
  });

  test('are bound by gateway, namespace of the host, exportTo, port and selector', () => {
    const gateway = kubeflowGateway();
    const spec = gateway['spec'] as { servers: { hosts: string[] }[] };
    const restricted = {
      ...gateway,
      spec: { ...spec, servers: spec.servers.map((server) => ({ ...server, hosts: ['kubeflow/*'] })) },
    };
    const foreign = virtualService('foreign', [rule('foreign')], { namespace: 'user' });
    const own = virtualService('own', [rule('own', { port: 80 }), rule('tls', { port: 443 })]);
    const routes = table([foreign, own], [restricted]);
    assert.equal(find(routes, '/'), 'tls');
    const hidden = virtualService('hidden', [rule('hidden')]);
    const exported = { ...hidden, spec: { ...(hidden['spec'] as object), exportTo: ['.'] } };
    assert.equal(find(table([exported]), '/'), undefined);
    const other = { ...gateway, spec: { ...spec, selector: { istio: 'other' } } };
    assert.equal(table([own], [other]).listeners.size, 0);
    const meshOnly = { ...hidden, spec: { ...(hidden['spec'] as object), gateways: ['mesh'] } };
    assert.equal(find(table([meshOnly]), '/'), undefined);
  });

  test('are chosen by labels and namespace of the gateway, where the match names no gateways', () => {
    const found = (match: object): string | undefined =>
      find(table([virtualService('a', [rule('yes', match), rule('rest')])]), '/');
    const uri = { prefix: '/' };
    assert.equal(found({ uri, sourceLabels: { istio: 'ingressgateway' }, method: { exact: 'GET' } }), 'yes');
    assert.equal(found({ uri, sourceLabels: { istio: 'other' }, method: { exact: 'GET' } }), 'rest');
    assert.equal(found({ uri, sourceNamespace: 'istio-system', method: { exact: 'GET' } }), 'yes');
    assert.equal(found({ uri, sourceNamespace: 'kubeflow', method: { exact: 'GET' } }), 'rest');
    const gateways = ['kubeflow/kubeflow-gateway'];
    assert.equal(found({ gateways, sourceLabels: { istio: 'other' }, method: { exact: 'GET' } }), 'yes');
  });

  test('are found among thousands', () => {
    const services = Array.from({ length: 2000 }, (_, index) =>
      virtualService(`nb-${index}`, [rule(`nb-${index}`, { uri: { prefix: `/notebook/ns-${index}/nb/` } })], {
        created: `2026-01-01T00:00:${String(index % 60).padStart(2, '0')}Z`,
      }),
    );
    const routes = table([...services, virtualService('dashboard', [rule('dashboard', { uri: { prefix: '/' } })])]);
    assert.equal(find(routes, '/notebook/ns-1234/nb/tree'), 'nb-1234');
    assert.equal(find(routes, '/notebook/ns-12345/nb/tree'), 'dashboard');
  });
});

describe('an object is broken when it', () => {
  const cases: Record<string, unknown> = {
    'has an unknown field in a match': [{ match: [{ url: { prefix: '/' } }], ...to('x') }],
    'has no action': [{ match: [{ uri: { prefix: '/' } }] }],
    'has two actions': [{ redirect: { uri: '/' }, ...to('x') }],
    'has a pattern that cannot run in linear time': [{ match: [{ uri: { regex: '(a+)\\1' } }], ...to('x') }],
    'has a pattern with look-ahead': [{ match: [{ uri: { regex: '(?=a)b' } }], ...to('x') }],
    'has a pattern beyond bounds': [{ match: [{ uri: { regex: 'a'.repeat(2000) } }], ...to('x') }],
    'rewrites to something with a line end': [{ rewrite: { uri: '/a\r\nX: y' }, ...to('x') }],
    'sets a header with a line end': [{ headers: { request: { set: { a: 'b\r\nc: d' } } }, ...to('x') }],
    'sets a framing header': [{ headers: { response: { set: { 'Content-Length': '1' } } }, ...to('x') }],
    'has a port out of range': [{ route: [{ destination: { host: 'x', port: { number: 70_000 } } }] }],
    'is no list': { a: 1 },
  };
  for (const [name, http] of Object.entries(cases)) {
    test(name, () => {
      const problems: string[] = [];
      parseVirtualService(virtualService('a', http as unknown[]), problems);
      assert.notDeepEqual(problems, []);
    });
  }

  test('is a Gateway with mutual TLS, an old TLS version or no certificate', () => {
    for (const tls of [
      { mode: 'MUTUAL', credentialName: 'x' },
      { mode: 'SIMPLE', credentialName: 'x', minProtocolVersion: 'TLSV1_0' },
      { mode: 'SIMPLE' },
      { mode: 'PASSTHROUGH' },
    ]) {
      const problems: string[] = [];
      const servers = [{ port: { number: 443, name: 'https', protocol: 'HTTPS' }, hosts: ['*'], tls }];
      parseGateway({ ...kubeflowGateway(), spec: { selector: {}, servers } }, problems);
      assert.notDeepEqual(problems, [], JSON.stringify(tls));
    }
  });
});
