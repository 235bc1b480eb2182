/**
 * Owns sessions in Redis, for replicas without a Kubernetes store: every replica holds all sessions in memory and is told of changes by
 * a channel. While that is interrupted nothing in memory is believed: a session may have ended meanwhile.
 *
 *   <prefix>session:<id> = "<expiry in ms> <sealed>"   gone at its expiry by itself
 *   <prefix>changes      put:<id> | end:<id>
 */
import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import { AppError, delay, describeError } from '@kfctl/core';
import type { Logger, Secret } from '@kfctl/core';
import type { SessionListener, StoredSession } from '@kfctl/oidc';
import type { SessionStore } from './session-store.ts';

export interface RedisConfig {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly username: string | undefined;
  readonly password: Secret | undefined;
  readonly tls: boolean;
  /** PEM text of authorities to trust instead of the system's. */
  readonly authorities: string | undefined;
  /** Asked for the address of the master called `masterName`; empty: `host` and `port` are it. */
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  readonly masterName: string;
  readonly sentinelPassword: Secret | undefined;
  readonly prefix: string;
}

/** Without the one option whose type the constructor contradicts. */
type Connection = Omit<RedisOptions, 'replyMapping'>;

const COMMAND_TIMEOUT_MS = 3_000;
const MAX_RETRY_MS = 2_000;
/** A connection that died without a word is found dead after this. */
const PING_MS = 5_000;
const SCAN_COUNT = 1_000;

/** Does not wait for Redis: it is followed, and missed, as it comes and goes. */
export async function openRedisStore(config: RedisConfig, log: Logger): Promise<SessionStore> {
  const options = connectionOptions(config);
  const commands = connect(options, log);
  const subscriber = connect(options, log);
  const keyOf = (id: string): string => `${config.prefix}session:${id}`;
  const channel = `${config.prefix}changes`;
  return {
    follow: (listener, signal) => followChanges({ commands, subscriber, prefix: config.prefix, listener, signal, log }),
    write: async (stored, replaces) => {
      const { id, expiresAtMs } = stored;
      const done =
        replaces === undefined
          ? await commands.call('SET', keyOf(id), valueOf(stored), 'PXAT', String(expiresAtMs), 'NX')
          : await commands.eval(REPLACE, 1, keyOf(id), valueOf(replaces), valueOf(stored), String(expiresAtMs));
      if (done !== null) await commands.publish(channel, `put:${id}`);
      return done !== null;
    },
    delete: async (id) => {
      const outcome = await commands.multi().del(keyOf(id)).publish(channel, `end:${id}`).exec();
      const failed = outcome?.find(([error]) => error !== null)?.[0];
      if (outcome === null || failed) throw new AppError('REDIS', 'redis did not delete a session', { cause: failed });
    },
    get: async (id) => parseStored(id, await commands.get(keyOf(id))),
    close: async () => {
      subscriber.disconnect();
      commands.disconnect();
    },
  };
}

function connectionOptions(config: RedisConfig): Connection {
  const { sentinels, masterName, username, password, sentinelPassword, tls, authorities } = config;
  const tlsOptions = authorities === undefined ? {} : { ca: authorities };
  return {
    ...(sentinels.length > 0
      ? { sentinels: [...sentinels], name: masterName }
      : { host: config.host, port: config.port }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: password.reveal() }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword: sentinelPassword.reveal() }),
    ...(tls
      ? {
          tls: tlsOptions,
          ...(sentinels.length > 0 ? { sentinelTLS: tlsOptions, enableTLSForSentinelMode: true } : {}),
        }
      : {}),
    db: config.database,
    // A question that cannot be asked now is answered "unavailable" now; a queue would only hide it.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: COMMAND_TIMEOUT_MS,
    autoResubscribe: false,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), MAX_RETRY_MS),
  };
}

function connect(options: Connection, log: Logger): Redis {
  const redis = new Redis(options);
  let complaint = '';
  redis.on('error', (error: unknown) => {
    const text = describeError(error);
    if (text !== complaint) log.warn('redis not reachable', { error: text });
    complaint = text;
  });
  redis.on('ready', () => (complaint = ''));
  return redis;
}

interface Following {
  readonly commands: Redis;
  readonly subscriber: Redis;
  readonly prefix: string;
  readonly listener: SessionListener;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** Resolves at the first whole telling; from then on interruptions are told as `lost` and `found`. */
function followChanges(following: Following): Promise<void> {
  const { subscriber, listener, signal, log } = following;
  const { promise, resolve } = Promise.withResolvers<void>();
  /** Ids that ended while a telling was under way: what it still says of them is old. */
  const ended = new Set<string>();
  subscriber.on('message', (_channel: string, message: string) => void onMessage(following, message, ended));
  subscriber.on('close', () => listener.lost());
  const resync = async (): Promise<void> => {
    try {
      ended.clear();
      await subscriber.subscribe(`${following.prefix}changes`);
      await tellAll(following, ended);
      listener.found();
      resolve();
    } catch (error) {
      if (signal.aborted) return;
      log.warn('cannot read sessions from redis', { error: describeError(error) });
      await delay(MAX_RETRY_MS, signal);
      subscriber.disconnect(true);
    }
  };
  subscriber.on('ready', () => void resync());
  if (subscriber.status === 'ready') void resync();
  void keepAlive(subscriber, signal);
  return promise;
}

async function onMessage(
  { commands, prefix, listener, subscriber }: Following,
  message: string,
  ended: Set<string>,
): Promise<void> {
  const [kind, id = ''] = message.split(':');
  if (kind === 'end') {
    ended.add(id);
    listener.remove(id);
    return;
  }
  try {
    const stored = parseStored(id, await commands.get(`${prefix}session:${id}`));
    if (stored !== undefined && !ended.has(id)) listener.put(stored);
  } catch {
    // Something was missed: start over.
    subscriber.disconnect(true);
  }
}

async function tellAll({ commands, prefix, listener }: Following, ended: ReadonlySet<string>): Promise<void> {
  const start = `${prefix}session:`;
  let cursor = '0';
  do {
    const [next, keys] = await commands.scan(cursor, 'MATCH', `${start}*`, 'COUNT', SCAN_COUNT);
    const values = keys.length === 0 ? [] : await commands.mget(keys);
    for (const [index, key] of keys.entries()) {
      const stored = parseStored(key.slice(start.length), values[index] ?? null);
      if (stored !== undefined && !ended.has(stored.id)) listener.put(stored);
    }
    cursor = next;
  } while (cursor !== '0');
}

async function keepAlive(subscriber: Redis, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await delay(PING_MS, signal);
    if (subscriber.status === 'ready') await subscriber.ping().catch(() => subscriber.disconnect(true));
  }
}

/** In one step: what was read is still there, and is replaced. */
const REPLACE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
return redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])`;

function valueOf({ expiresAtMs, sealed }: StoredSession): string {
  return `${expiresAtMs} ${sealed}`;
}

function parseStored(id: string, value: string | null): StoredSession | undefined {
  const [, expiry, sealed] = /^(\d{1,16}) ([\w-]+)$/.exec(value ?? '') ?? [];
  return expiry === undefined || sealed === undefined ? undefined : { id, sealed, expiresAtMs: Number(expiry) };
}
