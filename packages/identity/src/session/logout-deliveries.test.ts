/** Logout notices to clients that are down, with a clock that the test moves and clients that are real servers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createLogger, systemRandom } from '@kfctl/core';
import type { RandomBytes } from '@kfctl/core';
import { claimsOf } from '../../test/test-identity.ts';
import type { IdentityConfig } from '../config/config.ts';
import { parseConfig } from '../config/parse-config.ts';
import { openKeyRing } from '../keys/key-ring.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { createMemoryStorage } from '../storage/memory/memory-storage.ts';
import type { Storage } from '../storage/storage.ts';
import { createLogoutDeliveries } from './logout-deliveries.ts';
import type { LogoutDeliveries } from './logout-deliveries.ts';

const HOUR_MS = 3_600_000;
const END = { clientId: 'app', subject: 'CgEyEgVsb2NhbA', sid: 'sid-1' };

interface Setting {
  readonly storage: Storage;
  readonly log: string[];
  readonly heard: string[];
  /** What the client answers; the last one stays. */
  statuses: number[];
  now: number;
  /** Another provider on the same storage. */
  replica(random?: RandomBytes): LogoutDeliveries;
  configure(uri: string): Promise<void>;
  metric(name: string): string | undefined;
}

async function start(t: TestContext, storage: Storage = createMemoryStorage()): Promise<Setting> {
  const log: string[] = [];
  const setting = { storage, log, heard: [] as string[], statuses: [503], now: Date.UTC(2030, 0, 1) };
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      setting.heard.push(new URLSearchParams(body).get('logout_token') ?? '');
      const status = setting.statuses.length > 1 ? setting.statuses.shift() : setting.statuses[0];
      response.writeHead(status ?? 200).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  let config: IdentityConfig | undefined;
  const configure = async (uri: string): Promise<void> => {
    const client = `{id: app, secret: s, name: App, redirectURIs: [/cb], backchannelLogoutURI: "${uri}"}`;
    const file = `issuer: https://a/dex\nstorage: {type: memory}\nweb: {http: 127.0.0.1:0}\nenablePasswordDB: true\nstaticClients: [${client}]\n`;
    config = (await parseConfig(file, {})).config;
  };
  await configure(`http://127.0.0.1:${(server.address() as AddressInfo).port}/out`);
  const metrics = createMetrics();
  const clock = { now: () => setting.now };
  const logger = createLogger({ level: 'debug', write: (line) => log.push(line) });
  const policy = {
    algorithm: 'ES256' as const,
    rotationPeriodMs: HOUR_MS,
    tokenLifetimeMs: HOUR_MS,
    requestLifetimeMs: HOUR_MS,
  };
  const shared = { clock, random: systemRandom, log: logger };
  const keys = await openKeyRing({ ...shared, storage: createMemoryStorage(), policy: () => policy });
  return Object.assign(setting, {
    configure,
    replica: (random = systemRandom) =>
      createLogoutDeliveries({
        ...shared,
        random,
        storage,
        keys,
        metrics,
        config: () => {
          assert.ok(config);
          return config;
        },
      }),
    metric: (name: string) => new RegExp(`^${name} (.*)$`, 'm').exec(metrics.render())?.[1],
  });
}

const WAITING = 'identity_logout_notices_waiting';
const GIVEN_UP = 'identity_logout_notices_given_up_total';
const said = ({ log }: Setting, message: string): number =>
  log.filter((line) => line.includes(`"msg":"${message}"`)).length;

/** Moves the clock to when the only notice is due; gives how long that was. */
async function passDelay(setting: Setting): Promise<number> {
  const [waiting] = await setting.storage.list('logoutNotice');
  assert.ok(waiting);
  const delayMs = waiting.record.nextAt - setting.now;
  setting.now = waiting.record.nextAt;
  return delayMs;
}

test('a client that is down is told when it is up again, after delays that grow, each time with a new token', async (t) => {
  const setting = await start(t);
  const { heard } = setting;
  setting.statuses = [503, 503, 503, 204];
  const deliveries = setting.replica();
  await deliveries.tell([END]);
  for (const [count, base] of [5000, 10_000, 20_000].entries()) {
    assert.equal(setting.metric(WAITING), '1');
    setting.now += 1000;
    await deliveries.retryDue();
    assert.equal(heard.length, count + 1, 'not before it is due');
    setting.now -= 1000;
    const delayMs = await passDelay(setting);
    assert.ok(delayMs >= base * 0.8 && delayMs <= base * 1.2, `${delayMs} for ${base}`);
    await deliveries.retryDue();
    assert.equal(heard.length, count + 2);
  }
  assert.equal(setting.metric(WAITING), '0');
  assert.deepEqual(await setting.storage.list('logoutNotice'), []);
  const claims = heard.map(claimsOf);
  assert.equal(new Set(claims.map(({ jti }) => jti)).size, 4);
  for (const { sid, sub, aud } of claims) assert.deepEqual([sid, sub, aud], ['sid-1', END.subject, 'app']);
  assert.equal(claims.at(-1)?.['iat'], Math.floor(setting.now / 1000));
  assert.equal(said(setting, 'client told of a logout'), 1);
});

test('delays are not the same for all', async (t) => {
  const setting = await start(t);
  for (const byte of [0, 255]) await setting.replica((size) => Buffer.alloc(size, byte)).tell([END]);
  const times = (await setting.storage.list('logoutNotice')).map(({ record }) => record.nextAt - setting.now);
  assert.deepEqual(times, [4000, 6000]);
});

test('after some minutes it is given up, with a line in the log and a number', async (t) => {
  const setting = await start(t);
  const began = setting.now;
  const deliveries = setting.replica();
  await deliveries.tell([END]);
  while ((await setting.storage.list('logoutNotice')).length > 0) {
    await passDelay(setting);
    await deliveries.retryDue();
  }
  assert.equal(setting.heard.length, 9);
  const minutes = (setting.now - began) / 60_000;
  assert.ok(minutes > 3 && minutes < 8, `${minutes} minutes`);
  assert.equal(said(setting, 'client cannot be told of a logout'), 1);
  assert.match(setting.log.at(-1) ?? '', /"client":"app".*"attempts":9.*answered 503/);
  assert.equal(setting.metric(GIVEN_UP), '1');
  assert.equal(setting.metric(WAITING), '0');
});

test('an answer that would come again is not asked for again; a passing one is', async (t) => {
  for (const [status, kept] of [
    [400, 1],
    [401, 0],
    [404, 0],
    [408, 1],
    [429, 1],
    [500, 1],
  ] as const) {
    const setting = await start(t);
    setting.statuses = [status];
    await setting.replica().tell([END]);
    assert.equal((await setting.storage.list('logoutNotice')).length, kept, String(status));
    assert.equal(setting.metric(GIVEN_UP), String(1 - kept));
  }
});

test('of replicas one tells the client, and another one goes on where one died', async (t) => {
  const setting = await start(t);
  const replicas = [setting.replica(), setting.replica(), setting.replica()];
  await replicas[0]?.tell([END]);
  await passDelay(setting);
  await Promise.all(replicas.map((one) => one.retryDue()));
  assert.equal(setting.heard.length, 2);
  // A replica that claimed the notice and was killed before it told anybody.
  const [waiting] = await setting.storage.list('logoutNotice');
  assert.ok(waiting);
  await passDelay(setting);
  const claimed = { attempts: 3, nextAt: setting.now + 20_000 };
  await setting.storage.update('logoutNotice', waiting.id, (record) => ({ ...record, ...claimed }));
  await replicas[1]?.retryDue();
  assert.equal(setting.heard.length, 2);
  setting.statuses = [200];
  await passDelay(setting);
  await replicas[1]?.retryDue();
  assert.equal(setting.heard.length, 3);
  assert.deepEqual(await setting.storage.list('logoutNotice'), []);
});

test('no more than a thousand wait, whatever the number of logouts', async (t) => {
  const setting = await start(t);
  const record = { ...END, attempts: 1, nextAt: setting.now + HOUR_MS, expiresAt: setting.now + HOUR_MS };
  for (let count = 0; count < 1000; count += 1) await setting.storage.create('logoutNotice', `n${count}`, record);
  const deliveries = setting.replica();
  await deliveries.retryDue();
  await deliveries.tell([END]);
  assert.equal((await setting.storage.list('logoutNotice')).length, 1000);
  assert.match(setting.log.at(-1) ?? '', /too many others wait/);
});

test('a client that is down is asked for a few of its notices at a time, and holds up nobody else', async (t) => {
  const setting = await start(t);
  const record = { ...END, attempts: 1, nextAt: setting.now, expiresAt: setting.now + HOUR_MS };
  for (let count = 10; count < 50; count += 1) await setting.storage.create('logoutNotice', `n${count}`, record);
  await setting.storage.create('logoutNotice', 'z', { ...record, clientId: 'left' });
  const deliveries = setting.replica();
  await deliveries.retryDue();
  assert.equal(setting.heard.length, 8);
  const left = await setting.storage.list('logoutNotice');
  assert.deepEqual([left.length, left.some(({ record: { clientId } }) => clientId === 'left')], [40, false]);
  setting.statuses = [200];
  await deliveries.retryDue();
  assert.equal(setting.heard.length, 40);
  setting.now += HOUR_MS / 2;
  await deliveries.retryDue();
  assert.deepEqual(await setting.storage.list('logoutNotice'), []);
  assert.equal(setting.metric(WAITING), '0');
});

test('a client that left, or wants to be told elsewhere by now, is taken at its word', async (t) => {
  const setting = await start(t);
  const deliveries = setting.replica();
  await deliveries.tell([END, { ...END, clientId: 'unknown' }]);
  assert.equal((await setting.storage.list('logoutNotice')).length, 1);
  await setting.configure('');
  await passDelay(setting);
  await deliveries.retryDue();
  assert.equal(setting.heard.length, 1);
  assert.deepEqual(await setting.storage.list('logoutNotice'), []);
  assert.equal(setting.metric(GIVEN_UP), '0');
});

test('a storage that fails ends no logout, and is told of once', async (t) => {
  const down = (): Promise<never> => Promise.reject(new Error('storage is down'));
  const setting = await start(t, { ...createMemoryStorage(), create: down, list: down });
  const deliveries = setting.replica();
  await deliveries.tell([END]);
  assert.match(setting.log.at(-1) ?? '', /answered 503, and it cannot be stored: storage is down/);
  await deliveries.retryDue();
  await deliveries.retryDue();
  assert.equal(said(setting, 'waiting logout notices cannot be read'), 1);
});
