import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { startApplication } from '../../testkit/src/front-door/application.ts';
import type { Application } from '../../testkit/src/front-door/application.ts';
import {
  filters2019,
  filtersGrpc,
  filtersToday,
  noEnvoy as skip,
  startEnvoy,
} from '../../testkit/src/front-door/envoy.ts';
import { handshake } from '../../testkit/src/front-door/handshake.ts';
import { freePort } from '../../testkit/src/front-door/programs.ts';
import { Browser } from './browser.ts';
import { PUBLIC_ORIGIN, send, startService, untilReady } from './harness.ts';
import type { ServiceUnderTest } from './harness.ts';
import { loginAt, startHostileProvider } from './hostile-provider.ts';

const FORGED = { 'kubeflow-userid': 'root@example.com', 'kubeflow-groups': 'admins' };
const FROM_PAGE = { accept: 'application/json', 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin' };

interface Bed {
  readonly envoy: number;
  readonly service: ServiceUnderTest;
  readonly application: Application;
  /** Logged in as eve. */
  readonly browser: Browser;
}

async function setUp(
  t: TestContext,
  filters: readonly object[],
  { groups, env = {} }: { readonly groups?: string[]; readonly env?: Record<string, string> } = {},
): Promise<Bed> {
  const provider = await startHostileProvider(t);
  if (groups !== undefined) provider.answers.claims = { groups };
  const settings = { OIDC_PROVIDER: provider.issuer, SKIP_AUTH_URI: '/dex /public', ...env };
  const service = await startService(t, { ...settings, GRPC_PORT: String(await freePort()) });
  await untilReady(service);
  const application = await startApplication(t);
  const backends = { identity: application.port, authservice: service.port, application: application.port };
  const envoy = await startEnvoy(t, { ...backends, grpc: service.grpcPort ?? 0 }, filters);
  const browser = new Browser(envoy);
  const back = await loginAt(provider, browser);
  assert.equal(back.status, 302, back.body);
  assert.equal(back.headers.location, '/page');
  assert.equal(back.cookies.length, 2);
  return { envoy, service, application, browser };
}

for (const [name, filters] of [
  ['HTTP', filtersToday()],
  ['gRPC', filtersGrpc()],
] as const) {
  test(`behind Envoy's ext_authz over ${name}: identity, WebSocket, 401 for programs, logout`, { skip }, async (t) => {
    const { envoy, service, application, browser } = await setUp(t, filters);
    for (const headers of [
      { accept: 'application/json' },
      { 'sec-fetch-mode': 'cors' },
      { accept: 'application/json', ...FORGED },
    ] as Record<string, string>[]) {
      const answer = await send({ port: envoy, path: '/pipeline/', headers });
      assert.equal(answer.status, 401, JSON.stringify(headers));
      assert.equal(answer.headers['www-authenticate'], 'Bearer realm="kubeflow"');
    }
    assert.equal((await send({ port: envoy, path: '/pipeline/', method: 'OPTIONS' })).status, 401);
    assert.match(await handshake(envoy, '/jupyter/ws', {}), / 401 /);
    assert.equal(application.seen.length, 0);

    assert.equal((await send({ port: envoy, path: '/public/x', headers: FORGED })).status, 200);
    assert.equal(application.seen.at(-1)?.headers['kubeflow-userid'], undefined);
    assert.equal(application.seen.at(-1)?.headers['kubeflow-groups'], undefined);

    const page = await browser.fetch(`${PUBLIC_ORIGIN}/page?x=1`, { headers: FORGED });
    assert.equal(page.body, 'application');
    const seen = application.seen.at(-1);
    assert.equal(seen?.url, '/page?x=1');
    assert.equal(seen.headers['kubeflow-userid'], 'eve@example.com');
    assert.equal(seen.headers['kubeflow-groups'], undefined);
    assert.equal(seen.headers.cookie, undefined);

    const cookie = `_xsrf=1; authservice_session=${browser.cookie('authservice_session')}; theme=dark`;
    assert.match(await handshake(envoy, '/jupyter/ws', { cookie }), / 101 /);
    assert.equal(application.seen.at(-1)?.headers['kubeflow-userid'], 'eve@example.com');
    assert.equal(application.seen.at(-1)?.headers.cookie, '_xsrf=1; theme=dark');

    const headers = { ...FROM_PAGE, origin: PUBLIC_ORIGIN };
    const logout = await browser.fetch(`${PUBLIC_ORIGIN}/logout`, { method: 'POST', headers });
    assert.equal(logout.status, 201);
    assert.deepEqual(JSON.parse(logout.body), { afterLogoutURL: '/' });
    assert.equal((await browser.fetch(`${PUBLIC_ORIGIN}/page`)).status, 302);
    await service.stop();
    assert.equal((await browser.fetch(`${PUBLIC_ORIGIN}/page`)).status, 503);
  });
}

/** Every form in which Envoy may ask, what it copies of the answer, and the groups that arrive for a member of a and b. */
const COPYING = { GATEWAY_COPIES_GROUPS: 'true' };
const GROUP_CASES: readonly (readonly [string, readonly object[], Record<string, string>, string | undefined])[] = [
  ['the filter of 2019, which copies the user id alone', filters2019(), {}, undefined],
  [
    'the filter of 2019 with groups copied, and the AuthService told so',
    filters2019(['kubeflow-userid', 'kubeflow-groups']),
    COPYING,
    'a,b',
  ],
  [
    'the filter of 2019 with groups copied, and the AuthService not told',
    filters2019(['kubeflow-userid', 'kubeflow-groups']),
    {},
    undefined,
  ],
  ["today's form, as the manifests have it", filtersToday(), COPYING, 'a,b'],
  ['gRPC, which sets whatever is answered', filtersGrpc(), {}, 'a,b'],
];

for (const [name, filters, env, arrives] of GROUP_CASES) {
  test(`groups of a client's making never pass for somebody with groups: ${name}`, { skip }, async (t) => {
    const { application, browser } = await setUp(t, filters, { groups: ['a', 'b'], env });
    const forgeries: Record<string, string>[] = [
      { 'kubeflow-groups': 'admins' },
      { 'KubeFlow-Groups': 'admins' },
      { 'kubeflow-groups': 'admins', 'x-envoy-auth-headers-to-remove': 'kubeflow-userid' },
      {},
    ];
    for (const forged of forgeries) {
      const page = await browser.fetch(`${PUBLIC_ORIGIN}/page`, { headers: forged });
      assert.equal(page.body, 'application');
      assert.equal(application.seen.at(-1)?.headers['kubeflow-userid'], 'eve@example.com');
      assert.equal(application.seen.at(-1)?.headers['kubeflow-groups'], arrives, JSON.stringify(forged));
    }
  });
}
