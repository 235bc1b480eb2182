import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { UnknownObject } from '@kfctl/kube';
import { to, virtualService } from '../rig/objects.ts';
import { rawExchange } from '../rig/raw-exchange.ts';
import { startRig } from '../rig/rig.ts';
import type { Rig } from '../rig/rig.ts';
import { parseEnvoyFilter } from './envoy-filter.ts';

/** The filter that Kubeflow 0.7 to 1.2 shipped. */
function authnFilter(spec: object = {}): UnknownObject {
  const filterConfig = {
    httpService: {
      serverUri: {
        uri: 'http://authservice.istio-system.svc.cluster.local',
        cluster: 'outbound|80||authservice.istio-system.svc.cluster.local',
        failureModeAllow: false,
        timeout: '10s',
      },
      authorizationRequest: { allowedHeaders: { patterns: [{ exact: 'cookie' }, { exact: 'X-Auth-Token' }] } },
      authorizationResponse: { allowedUpstreamHeaders: { patterns: [{ exact: 'kubeflow-userid' }] } },
    },
    statusOnError: { code: 'GatewayTimeout' },
  };
  const filter = {
    filterName: 'envoy.ext_authz',
    filterType: 'HTTP',
    insertPosition: { index: 'FIRST' },
    listenerMatch: { listenerType: 'GATEWAY', portNumber: 443 },
    filterConfig,
  };
  return {
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    metadata: { name: 'authn-filter', namespace: 'istio-system', uid: 'f' },
    spec: { workloadLabels: { istio: 'ingressgateway' }, filters: [filter], ...spec },
  };
}

let rig: Rig;
let isUp = true;
before(async () => {
  rig = await startRig();
  await rig.upstream('app', (request, response) => response.end(`hello ${request.headers['kubeflow-userid']}`));
  await rig.upstream(
    'authservice',
    (request, response) => {
      if (!isUp) return void response.destroy();
      if (request.headers.cookie === 's=good') response.setHeader('kubeflow-userid', 'anna').end('OK');
      else response.writeHead(302, { location: '/dex/auth', 'set-cookie': 'x=y' }).end();
    },
    'istio-system',
  );
  rig.sources.virtualServices.put(virtualService('app', [to('app')]));
  rig.sources.envoyFilters.put(authnFilter());
  await rig.settle();
});
after(() => rig.close());

const ask = (cookie = ''): Promise<string> =>
  rawExchange(rig.tlsPort(), `GET /x HTTP/1.1\r\nHost: h\r\n${cookie}Connection: close\r\n\r\n`, {
    tls: { ALPNProtocols: ['http/1.1'] },
  });

describe('the EnvoyFilter of 2019', () => {
  test('puts the authorizer before everything', async () => {
    assert.match(await ask(), /^HTTP\/1\.1 302 [\s\S]*location: \/dex\/auth[\s\S]*set-cookie: x=y/);
    assert.match(await ask('Cookie: s=good\r\nkubeflow-userid: root\r\n'), /hello anna$/);
  });

  test('gives its own status when the authorizer is away', async () => {
    isUp = false;
    assert.match(await ask('Cookie: s=good\r\n'), /^HTTP\/1\.1 504 /);
    isUp = true;
  });

  test('that cannot be read closes the gateway, other filters change nothing', async () => {
    const lua = {
      ...authnFilter(),
      spec: { configPatches: [{ applyTo: 'HTTP_FILTER', patch: { value: { name: 'envoy.lua' } } }] },
      metadata: { name: 'lua', namespace: 'istio-system', uid: 'l' },
    };
    rig.sources.envoyFilters.put(lua);
    await rig.settle();
    assert.match(await ask('Cookie: s=good\r\n'), /^HTTP\/1\.1 200 /);
    const odd = {
      ...lua,
      spec: { configPatches: [{ patch: { value: { name: 'envoy.filters.http.ext_authz' } } }] },
      metadata: { name: 'odd', namespace: 'istio-system', uid: 'o' },
    };
    rig.sources.envoyFilters.put(odd);
    await rig.settle();
    assert.match(await ask('Cookie: s=good\r\n'), /^HTTP\/1\.1 403 /);
  });

  test('with a cluster in another form is broken', () => {
    const problems: string[] = [];
    const broken = JSON.parse(JSON.stringify(authnFilter()).replace('outbound|80||', 'inbound:')) as UnknownObject;
    parseEnvoyFilter(broken, problems);
    assert.match(problems.join(), /cluster/);
  });
});
