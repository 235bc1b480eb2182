/** Groups behind real proxies in every form in which they ask; all else that proxies do is in e2e/front-door. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { startApplication } from '../../testkit/src/front-door/application.ts';
import type { Application } from '../../testkit/src/front-door/application.ts';
import type { CleansUp } from '../../testkit/src/front-door/cleanup.ts';
import type { Backends } from '../../testkit/src/front-door/data-plane.ts';
import { filters2019, filtersGrpc, filtersToday, noEnvoy, startEnvoy } from '../../testkit/src/front-door/envoy.ts';
import { nginx } from '../../testkit/src/front-door/nginx.ts';
import { freePort } from '../../testkit/src/front-door/programs.ts';
import { traefik } from '../../testkit/src/front-door/traefik.ts';
import { Browser } from './browser.ts';
import { PUBLIC_ORIGIN, startService, untilReady } from './harness.ts';
import { loginAt, startHostileProvider } from './hostile-provider.ts';

interface Proxy {
  readonly name: string;
  readonly skip: string | false;
  start(cleanup: CleansUp, backends: Backends): Promise<number>;
  /** What the AuthService is told. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The groups that arrive for a member of a and b. */
  readonly arrives: string | undefined;
}

const envoy = (filters: readonly object[]): Pick<Proxy, 'skip' | 'start'> => ({
  skip: noEnvoy,
  start: (cleanup, backends) => startEnvoy(cleanup, backends, filters),
});
const COPIED = ['kubeflow-userid', 'kubeflow-groups'];
const COPYING = { GATEWAY_COPIES_GROUPS: 'true' };

const PROXIES: readonly Proxy[] = [
  { name: 'the filter of 2019, which copies the user id alone', ...envoy(filters2019()), arrives: undefined },
  {
    name: 'the filter of 2019 with groups copied, and the AuthService told so',
    ...envoy(filters2019(COPIED)),
    settings: COPYING,
    arrives: 'a,b',
  },
  {
    name: 'the filter of 2019 with groups copied, and the AuthService not told',
    ...envoy(filters2019(COPIED)),
    arrives: undefined,
  },
  { name: "today's form, as the manifests have it", ...envoy(filtersToday()), settings: COPYING, arrives: 'a,b' },
  { name: 'gRPC, which sets whatever is answered', ...envoy(filtersGrpc()), arrives: 'a,b' },
  { ...nginx, settings: { VERIFY_METHOD_HEADER: 'x-original-method' }, arrives: 'a,b' },
  { ...traefik, arrives: 'a,b' },
];

/** A browser that is logged in as eve, with groups a and b. */
async function setUp(
  t: TestContext,
  { start, settings }: Proxy,
): Promise<{ readonly application: Application; readonly browser: Browser }> {
  const provider = await startHostileProvider(t);
  provider.answers.claims = { groups: ['a', 'b'] };
  const env = { OIDC_PROVIDER: provider.issuer, GRPC_PORT: String(await freePort()), ...settings };
  const service = await startService(t, env);
  await untilReady(service);
  const application = await startApplication(t);
  const backends = { identity: application.port, authservice: service.port, application: application.port };
  const browser = new Browser(await start(t, { ...backends, grpc: service.grpcPort ?? 0 }));
  const back = await loginAt(provider, browser);
  assert.equal(back.status, 302, back.body);
  return { application, browser };
}

for (const proxy of PROXIES) {
  const { name, skip, arrives } = proxy;
  test(`groups of a client's making never pass for somebody with groups: ${name}`, { skip }, async (t) => {
    const { application, browser } = await setUp(t, proxy);
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
