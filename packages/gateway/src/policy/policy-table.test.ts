import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseAuthorizationPolicy } from '../istio/authorization-policy.ts';
import { DEFAULT_MESH_CONFIG, parseMeshConfig } from '../istio/mesh-config.ts';
import { policy } from '../rig/objects.ts';
import { identityHeaders } from './identity-headers.ts';
import type { PolicyRequest } from './match-rule.ts';
import { createPolicyTable, findRefusal, requiredChecks } from './policy-table.ts';
import type { PolicySet, Workload } from './policy-table.ts';

const gateway = { namespace: 'istio-system', labels: new Map([['istio', 'ingressgateway']]), knowsAllLabels: true };

function select(specs: unknown[], namespace?: string, workload: Workload = gateway): PolicySet {
  const policies = specs.map((spec, index) => {
    const problems: string[] = [];
    const model = parseAuthorizationPolicy(policy(`p${index}`, spec, namespace), problems);
    assert.deepEqual(problems, []);
    return model;
  });
  return createPolicyTable({
    policies,
    broken: [],
    mesh: DEFAULT_MESH_CONFIG,
    rootNamespace: 'istio-system',
  }).select(workload);
}

function request(more: Partial<PolicyRequest> = {}): PolicyRequest {
  return {
    method: 'GET',
    path: '/',
    host: 'h',
    authority: 'h:443',
    port: 443,
    fields: [],
    sourceIp: '10.0.0.7',
    remoteIp: '10.0.0.7',
    sni: '',
    principal: '',
    namespace: '',
    jwt: undefined,
    ...more,
  };
}

const refused = (specs: unknown[], more: Partial<PolicyRequest> = {}): boolean =>
  findRefusal(select(specs), request(more)) !== undefined;

describe('policies', () => {
  test('refuse nothing when there are none', () => {
    assert.equal(refused([]), false);
  });

  test('that ALLOW refuse everything else, and an empty spec refuses everything', () => {
    const allow = { rules: [{ to: [{ operation: { paths: ['/a/*'], methods: ['GET'] } }] }] };
    assert.equal(refused([allow], { path: '/a/b' }), false);
    assert.equal(refused([allow], { path: '/a/b', method: 'PUT' }), true);
    assert.equal(refused([allow], { path: '/b' }), true);
    assert.equal(refused([{}]), true);
    assert.equal(refused([{}, { rules: [{}] }]), false);
  });

  test('that DENY go before those that ALLOW', () => {
    const specs = [{ rules: [{}] }, { action: 'DENY', rules: [{ to: [{ operation: { paths: ['/kfam/*'] } }] }] }];
    assert.equal(refused(specs, { path: '/kfam/v1' }), true);
    assert.equal(refused(specs, { path: '/kfam' }), false);
  });

  test('match values exactly, by prefix, by suffix and by presence', () => {
    const deny = (values: string[]): unknown[] => [
      { action: 'DENY', rules: [{ when: [{ key: 'request.headers[X-A]', values }] }] },
    ];
    const denied = (values: string[], value?: string): boolean =>
      refused(deny(values), { fields: value === undefined ? [] : ['x-a', value] });
    assert.deepEqual([denied(['a'], 'a'), denied(['a'], 'ab')], [true, false]);
    assert.deepEqual([denied(['a*'], 'ab'), denied(['*b'], 'ab'), denied(['*b'], 'ba')], [true, true, false]);
    assert.deepEqual([denied(['*'], 'x'), denied(['*'], ''), denied(['*'])], [true, false, false]);
  });

  test('with negative values match what is absent', () => {
    const spec = { action: 'DENY', rules: [{ when: [{ key: 'request.auth.principal', notValues: ['*'] }] }] };
    assert.equal(refused([spec]), true);
    assert.equal(refused([spec], { jwt: { issuer: 'i', subject: 's', claims: {} } }), false);
  });

  test('see repeated headers as one list, so that neither copy hides the other', () => {
    const spec = {
      action: 'DENY',
      rules: [{ when: [{ key: 'request.headers[x-a]', values: ['*evil*', 'evil*', '*evil'] }] }],
    };
    assert.equal(refused([spec], { fields: ['x-a', 'evil', 'x-a', 'good'] }), true);
    assert.equal(refused([spec], { fields: ['x-a', 'good', 'x-a', 'evil'] }), true);
  });

  test('match addresses, hosts, ports and claims', () => {
    const deny = (rule: unknown): unknown[] => [{ action: 'DENY', rules: [rule] }];
    assert.equal(refused(deny({ from: [{ source: { ipBlocks: ['10.0.0.0/8'] } }] })), true);
    assert.equal(refused(deny({ from: [{ source: { notIpBlocks: ['10.0.0.0/8'] } }] })), false);
    assert.equal(refused(deny({ from: [{ source: { remoteIpBlocks: ['::1'] } }] }), { remoteIp: '::1' }), true);
    assert.equal(refused(deny({ to: [{ operation: { hosts: ['H'] } }] })), true);
    assert.equal(refused(deny({ to: [{ operation: { ports: ['443'] } }] })), true);
    const jwt = { issuer: 'i', subject: 's', claims: { groups: ['a', 'b'], scope: 'x y', nested: { k: 'v' } } };
    for (const [key, value] of [
      ['groups', 'b'],
      ['scope', 'y'],
      ['nested][k', 'v'],
    ] as const) {
      assert.equal(
        refused(deny({ when: [{ key: `request.auth.claims[${key}]`, values: [value] }] }), { jwt }),
        true,
        key,
      );
    }
    assert.equal(refused(deny({ when: [{ key: 'request.auth.claims[constructor]', values: ['*'] }] }), { jwt }), false);
  });

  test('match every field and key, and their opposites', () => {
    const jwt = { issuer: 'i', subject: 's', claims: { aud: ['a', 'b'], azp: 'client' } };
    const seen: Partial<PolicyRequest> = {
      method: 'PUT',
      path: '/a/b',
      host: 'h.example',
      authority: 'h.example:8443',
      port: 8443,
      fields: ['x-a', '1'],
      sourceIp: '10.0.0.7',
      remoteIp: '192.0.2.1',
      sni: 'sni.example',
      principal: 'cluster.local/ns/n/sa/s',
      namespace: 'n',
      jwt,
    };
    const source = (fields: object): object => ({ from: [{ source: fields }] });
    const operation = (fields: object): object => ({ to: [{ operation: fields }] });
    const when = (key: string, fields: object): object => ({ when: [{ key, ...fields }] });
    const cases: readonly (readonly [make: (fields: object) => object, name: string, hit: string, miss: string])[] = [
      [source, 'principals', 'cluster.local/ns/n/*', 'other'],
      [source, 'requestPrincipals', 'i/s', 'i/t'],
      [source, 'namespaces', 'n', 'm'],
      [source, 'ipBlocks', '10.0.0.0/24', '10.0.1.0/24'],
      [source, 'remoteIpBlocks', '192.0.2.1', '10.0.0.7'],
      [operation, 'hosts', '*.example', 'example'],
      [operation, 'ports', '8443', '443'],
      [operation, 'methods', 'PUT', 'GET'],
      [operation, 'paths', '/a/*', '/b/*'],
      ...(
        [
          ['source.ip', '10.0.0.0/24', '192.0.2.1'],
          ['remote.ip', '192.0.2.1', '10.0.0.7'],
          ['source.namespace', 'n', 'm'],
          ['source.principal', '*/sa/s', '*/sa/t'],
          ['request.headers[X-A]', '1', '2'],
          ['request.auth.principal', 'i/s', 'j/s'],
          ['request.auth.audiences', 'b', 'c'],
          ['request.auth.presenter', 'client', 'other'],
          ['request.auth.claims[azp]', 'client', 'other'],
          ['destination.port', '8443', '443'],
          ['connection.sni', 'sni.example', 'other'],
        ] as const
      ).map(([key, hit, miss]) => [(fields: object) => when(key, fields), 'values', hit, miss] as const),
    ];
    for (const [make, name, hit, miss] of cases) {
      const denied = (fields: object): boolean => refused([{ action: 'DENY', rules: [make(fields)] }], seen);
      const opposite = `not${name[0]?.toUpperCase()}${name.slice(1)}`;
      const told = `${JSON.stringify(make({ [name]: [hit] }))}`;
      assert.deepEqual([denied({ [name]: [hit] }), denied({ [name]: [miss] })], [true, false], told);
      assert.deepEqual([denied({ [opposite]: [hit] }), denied({ [opposite]: [miss] })], [false, true], told);
      assert.equal(denied({ [name]: [hit], [opposite]: [hit] }), false, told);
    }
  });

  test('that AUDIT change nothing', () => {
    assert.equal(refused([{ action: 'AUDIT', rules: [{}] }]), false);
    assert.equal(refused([{ action: 'AUDIT', rules: [{}] }, {}]), true);
  });

  test('of other namespaces and other workloads do not count', () => {
    const spec = { action: 'DENY', rules: [{}] };
    assert.equal(findRefusal(select([spec], 'kubeflow'), request()), undefined);
    assert.equal(refused([{ ...spec, selector: { matchLabels: { istio: 'other' } } }]), false);
    assert.equal(refused([{ ...spec, selector: { matchLabels: { istio: 'ingressgateway' } } }]), true);
  });

  test('whose selector names a label that is not known restrict, and open nothing', () => {
    const workload = { namespace: 'user', labels: new Map([['app', 'nb']]), knowsAllLabels: false };
    const judge = (spec: object): string | undefined => findRefusal(select([spec], 'user', workload), request());
    const selector = (labels: object): object => ({ selector: { matchLabels: labels } });
    assert.equal(judge({ ...selector({ app: 'nb' }), rules: [{}] }), undefined);
    assert.equal(judge({ ...selector({ tier: 'x' }), rules: [{}] }), 'user/p0');
    assert.equal(judge({ ...selector({ tier: 'x' }), action: 'DENY', rules: [{}] }), 'user/p0');
    assert.equal(judge({ ...selector({ app: 'other', tier: 'x' }), action: 'DENY', rules: [{}] }), undefined);
  });

  test('that are CUSTOM ask once per provider, and an unknown provider stays unknown', () => {
    const spec = {
      action: 'CUSTOM',
      provider: { name: 'a' },
      rules: [{ to: [{ operation: { notPaths: ['/dex/*'] } }] }],
    };
    const set = select([spec, spec]);
    assert.equal(requiredChecks(set, request()).length, 1);
    assert.equal(requiredChecks(set, request())[0]?.authorizer, undefined);
    assert.equal(requiredChecks(set, request({ path: '/dex/auth' })).length, 0);
  });

  test('that cannot be understood refuse everything they might concern', () => {
    const problems: string[] = [];
    const object = policy('odd', { rules: [{ to: [{ operation: { pathz: ['/'] } }] }] });
    parseAuthorizationPolicy(object, problems);
    assert.match(problems.join(), /pathz: is not supported/);
    const set = createPolicyTable({
      policies: [],
      broken: [object],
      mesh: DEFAULT_MESH_CONFIG,
      rootNamespace: 'istio-system',
    }).select(gateway);
    assert.equal(findRefusal(set, request()), 'istio-system/odd');
  });

  test('with unknown keys, bad address blocks or templates are broken', () => {
    for (const rule of [
      { when: [{ key: 'request.bodies', values: ['x'] }] },
      { from: [{ source: { ipBlocks: ['10.0.0.0/99'] } }] },
      { to: [{ operation: { paths: ['/a/{**}'] } }] },
      { to: [{}] },
      { from: {} },
    ]) {
      const problems: string[] = [];
      parseAuthorizationPolicy(policy('odd', { rules: [rule] }), problems);
      assert.notDeepEqual(problems, [], JSON.stringify(rule));
    }
  });
});

test('the headers that only an authorizer may set are those it sets and does not read', () => {
  const problems: string[] = [];
  const mesh = parseMeshConfig(
    `
extensionProviders:
- name: oauth2-proxy
  envoyExtAuthzHttp:
    service: istio-system/oauth2-proxy.oauth2-proxy.svc.cluster.local
    port: 80
    includeRequestHeadersInCheck: [authorization, cookie]
    headersToUpstreamOnAllow: [authorization, path, X-Auth-Request-Email, x-auth-request-*]
- name: other
  prometheus: {}
defaultConfig: { gatewayTopology: { numTrustedProxies: 1 } }
pathNormalization: { normalization: MERGE_SLASHES }
`,
    problems,
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(identityHeaders(mesh.authorizers.values()), ['x-auth-request-email', 'x-auth-request-*']);
  assert.equal(mesh.authorizers.get('oauth2-proxy')?.host, 'oauth2-proxy.oauth2-proxy.svc.cluster.local');
  assert.deepEqual([mesh.trustedProxies, mesh.escapedSlashes], [1, 'keep']);
});

test('an authorizer that would open the door when it fails is refused', () => {
  const problems: string[] = [];
  parseMeshConfig(
    'extensionProviders: [{name: a, envoyExtAuthzHttp: {service: a, port: 80, failOpen: true}}]',
    problems,
  );
  assert.match(problems.join(), /failOpen: is not supported/);
});
