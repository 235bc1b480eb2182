/** Owns the settings of a Redis store; the reference's names, and what it lacked: TLS, users, sentinels. */
import { Secret } from '@kfctl/core';
import type { EnvReader } from '@kfctl/core';
import type { RedisConfig } from '../session/redis-store.ts';
import { readAuthorities } from './read-authorities.ts';

const NAME = 'SESSION_STORE_REDIS';

export function readRedisSettings(reader: EnvReader): RedisConfig {
  const { host, port } = readAddress(
    reader,
    `${NAME}_ADDR`,
    reader.string(`${NAME}_ADDR`, reader.optional('REDIS_ADDRESS') ?? '127.0.0.1:6379'),
  );
  const sentinels = reader
    .list(`${NAME}_SENTINELS`)
    .map((address) => readAddress(reader, `${NAME}_SENTINELS`, address))
    .map((sentinel) => ({ host: sentinel.host, port: sentinel.port || 26_379 }));
  return {
    host,
    port: port || 6_379,
    database: reader.integer(`${NAME}_DB`, { fallback: 0, min: 0, max: 65_535 }),
    username: reader.optional(`${NAME}_USERNAME`),
    password: readSecret(reader, `${NAME}_PWD`) ?? readSecret(reader, 'REDIS_PASSWORD'),
    tls: reader.boolean(`${NAME}_TLS`, false),
    authorities: readAuthorities(reader, `${NAME}_CA_FILE`, reader.optional(`${NAME}_CA_FILE`)),
    sentinels,
    masterName: reader.string(`${NAME}_MASTER_NAME`, 'mymaster'),
    sentinelPassword: readSecret(reader, `${NAME}_SENTINEL_PWD`),
    prefix: reader.string(`${NAME}_PREFIX`, 'authservice:'),
  };
}

function readSecret(reader: EnvReader, name: string): Secret | undefined {
  const value = reader.optional(name);
  return value === undefined ? undefined : new Secret(value);
}

/** `host`, `host:port` or `[v6]:port`; port 0: not named. */
function readAddress(reader: EnvReader, name: string, text: string): { readonly host: string; readonly port: number } {
  const [, v6, plain, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = v6 ?? plain;
  if (host === undefined) reader.problem(name, `"${text}" is not an address such as redis.example.com:6379`);
  return { host: host ?? '', port: Number(port ?? 0) };
}
