import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cleanup } from '../../testkit/src/front-door/cleanup.ts';
import { nginx } from '../../testkit/src/front-door/nginx.ts';
import { startApplication } from '../../testkit/src/front-door/application.ts';
import { startAuthService, startIdentity } from '../../testkit/src/front-door/platform.ts';
import { freePort, temporaryDirectory } from '../../testkit/src/front-door/programs.ts';
import { Client, PROGRAM } from '../../../e2e/front-door/client.ts';
import { noRedis, REDIS_PASSWORD, startRedis } from '../../testkit/src/redis.ts';
import { Browser } from './browser.ts';
import { send, startService, untilReady } from './harness.ts';
import { loginAt, startHostileProvider } from './hostile-provider.ts';

const KILLS = 3;
const IN_FLIGHT = 16;

test('kill -9 under load: nobody gets in without a session, and a session is still one afterwards', async (t) => {
  const cleanup = new Cleanup();
  t.after(() => cleanup.run());
  const identity = await startIdentity(cleanup);
  const port = await freePort();
  const directory = await temporaryDirectory(cleanup);
  const settings = { SERVER_PORT: String(port), SESSION_STORE_PATH: `${directory}/sessions.db` };
  let authservice = await startAuthService(cleanup, identity, settings);
  const application = await startApplication(cleanup);
  const door = await nginx.start(cleanup, { identity, authservice: port, application: application.port });
  const client = new Client({ port: door, tls: false });
  await client.logIn('/');
  const cookie = `authservice_session=${client.cookie('authservice_session')}`;
  const statuses = { stranger: new Map<number, number>(), known: new Map<number, number>() };
  let running = true;
  const count = (of: Map<number, number>, status: number): void => void of.set(status, (of.get(status) ?? 0) + 1);
  const load = async (of: Map<number, number>, headers: Record<string, string>): Promise<void> => {
    while (running) {
      const status = await send({ port, path: '/pipeline/', headers: { ...PROGRAM, ...headers } }).then(
        (answer) => answer.status,
        () => 0,
      );
      count(of, status);
      // Nobody listens for a while: do not spin.
      if (status === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const clients = Array.from({ length: IN_FLIGHT }, (_, index) =>
    index % 2 === 0 ? load(statuses.stranger, {}) : load(statuses.known, { cookie }),
  );
  for (let kill = 0; kill < KILLS; kill += 1) {
    const before = statuses.known.get(200) ?? 0;
    while ((statuses.known.get(200) ?? 0) < before + 50) await new Promise((resolve) => setImmediate(resolve));
    await authservice.kill();
    authservice = await startAuthService(cleanup, identity, settings);
  }
  running = false;
  await Promise.all(clients);
  assert.equal((await send({ port, path: '/', headers: { ...PROGRAM, cookie } })).status, 200);
  // 0: the connection ended; 503: sessions were not loaded yet. Both ask again.
  const allowed = { stranger: [0, 401, 503], known: [0, 200, 503] };
  for (const name of ['stranger', 'known'] as const) {
    const others = [...statuses[name].keys()].filter((status) => !allowed[name].includes(status));
    assert.deepEqual(others, [], name);
  }
  assert.ok((statuses.stranger.get(401) ?? 0) > 0);
});

test(
  'redis away: 503 for everybody, and sessions are back with it, without a restart',
  { skip: noRedis },
  async (t) => {
    const provider = await startHostileProvider(t);
    const redis = await startRedis(t);
    const service = await startService(t, {
      OIDC_PROVIDER: provider.issuer,
      SESSION_STORE_TYPE: 'redis',
      SESSION_STORE_REDIS_ADDR: `127.0.0.1:${redis.port}`,
      SESSION_STORE_REDIS_PWD: REDIS_PASSWORD,
    });
    await untilReady(service);
    const browser = new Browser(service.port);
    await loginAt(provider, browser);
    const cookie = `authservice_session=${browser.cookie('authservice_session')}`;
    const statusOf = async (path: string, headers: Record<string, string>): Promise<number> =>
      (await send({ port: service.port, path, headers: { ...PROGRAM, ...headers } })).status;
    assert.equal(await statusOf('/', { cookie }), 200);
    await redis.kill();
    while ((await statusOf('/', { cookie })) === 200) await new Promise((resolve) => setImmediate(resolve));
    for (const headers of [{ cookie }, {}] as Record<string, string>[]) {
      assert.equal(await statusOf('/', headers), 503);
      assert.equal(await statusOf('/authservice/verify/', headers), 503);
    }
    assert.equal((await send({ port: service.readinessPort, path: '/' })).status, 503);
    assert.equal(await statusOf('/dex/auth', {}), 200);
    await redis.start();
    await untilReady(service);
    assert.equal(await statusOf('/', { cookie }), 200);
    assert.equal(await statusOf('/', {}), 401);
  },
);
