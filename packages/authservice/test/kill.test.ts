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
const CLIENTS_OF_EACH = 8;

interface Load {
  /** How often each status came; 0: the connection ended. */
  readonly strangers: ReadonlyMap<number, number>;
  readonly known: ReadonlyMap<number, number>;
  stop(): Promise<void>;
}

/** Clients that ask one after the other, half of them with a session. */
function startLoad(port: number, cookie: string): Load {
  const abort = new AbortController();
  const ask = async (headers: Record<string, string>): Promise<number> => {
    const request = { port, path: '/pipeline/', headers: { ...PROGRAM, ...headers } };
    const status = await send(request).then(
      (answer) => answer.status,
      () => 0,
    );
    // Nobody listens for a while: do not spin.
    if (status === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    return status;
  };
  const run = async (counts: Map<number, number>, headers: Record<string, string>): Promise<void> => {
    while (!abort.signal.aborted) {
      const status = await ask(headers);
      counts.set(status, (counts.get(status) ?? 0) + 1);
    }
  };
  const [strangers, known] = [new Map<number, number>(), new Map<number, number>()];
  const clients = Array.from({ length: CLIENTS_OF_EACH }, () => [run(strangers, {}), run(known, { cookie })]).flat();
  const stop = async (): Promise<void> => {
    abort.abort();
    await Promise.all(clients);
  };
  return { strangers, known, stop };
}

test('kill -9 under load: nobody gets in without a session, and a session is still one afterwards', async (t) => {
  const cleanup = new Cleanup();
  t.after(() => cleanup.run());
  const identity = await startIdentity(cleanup);
  const [port, directory] = [await freePort(), await temporaryDirectory(cleanup)];
  const settings = { SERVER_PORT: String(port), SESSION_STORE_PATH: `${directory}/sessions.db` };
  let authservice = await startAuthService(cleanup, identity, settings);
  const application = await startApplication(cleanup);
  const door = await nginx.start(cleanup, { identity, authservice: port, application: application.port });
  const client = new Client({ port: door, tls: false });
  await client.logIn('/');
  const cookie = `authservice_session=${client.cookie('authservice_session')}`;
  const load = startLoad(port, cookie);
  cleanup.after(() => load.stop());
  for (let kill = 0; kill < KILLS; kill += 1) {
    const before = load.known.get(200) ?? 0;
    while ((load.known.get(200) ?? 0) < before + 50) await new Promise((resolve) => setImmediate(resolve));
    await authservice.kill();
    authservice = await startAuthService(cleanup, identity, settings);
  }
  await load.stop();
  assert.equal((await send({ port, path: '/', headers: { ...PROGRAM, cookie } })).status, 200);
  // 503: sessions were not loaded yet.
  const among = (allowed: readonly number[], seen: ReadonlyMap<number, number>): boolean =>
    [...seen.keys()].every((status) => allowed.includes(status));
  assert.ok(among([0, 401, 503], load.strangers), JSON.stringify([...load.strangers]));
  assert.ok(among([0, 200, 503], load.known), JSON.stringify([...load.known]));
  assert.ok((load.strangers.get(401) ?? 0) > 0);
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
