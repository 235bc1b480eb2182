/**
 * Owns the rows of the token endpoint: refreshes per CPU second of the provider, of two bare servers that do nothing but read the form
 * and sign twice, and two signatures alone. All on core 0, one after the other, round by round; medians.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import path from 'node:path';
import { pin } from '../../../bench/load.ts';
import { median } from '../../../bench/table.ts';
import { logIn } from './log-in.ts';
import { onCoreZero, PEOPLE, startProvider, startServer } from './provider-process.ts';
import type { MeasuredProcess } from './provider-process.ts';
import { createRefreshLoad } from './token-load.ts';
import type { RefreshLoad } from './token-load.ts';

const ROUNDS = 3;
const ROUND_MS = 1500;
/** Until V8 has compiled all of it for speed: the first ten thousand answers cost up to twice as much as all that follow. */
const WARM_UP_MS = 10_000;
const TOKENS_PER_PERSON = 8;
const AUTHORIZATION = `Basic ${Buffer.from('app:secret').toString('base64')}`;
const SQLITE = '{type: sqlite3, config: {file: $DIRECTORY/dex.db}}';

export async function refreshRows(): Promise<string[][]> {
  const rows: string[][] = [];
  for (const algorithm of ['RS256', 'ES256'] as const) rows.push(...(await measureAlgorithm(algorithm)));
  return rows;
}

interface Rates {
  readonly raw: number;
  readonly floor: number;
  readonly strict: number;
  readonly memory: number;
  readonly sqlite: number;
}

async function measureAlgorithm(algorithm: 'RS256' | 'ES256'): Promise<string[][]> {
  const { raw, floor, strict, memory, sqlite } = await measureRates(algorithm);
  const row = (what: string, rate: number, bar: string): string[] => [
    `refresh, ${algorithm}, ${what}, per CPU second`,
    String(Math.round(rate)),
    'two crypto.sign',
    String(Math.round(raw)),
    bar,
    `${Math.round((rate / raw) * 100)} %`,
  ];
  return [
    row('provider', memory, '75 %'),
    row('provider, SQLite', sqlite, ''),
    row('floor: bare node:http', floor, ''),
    row('floor: our own HTTP server', strict, ''),
  ];
}

async function measureRates(algorithm: 'RS256' | 'ES256'): Promise<Rates> {
  const stops: (() => unknown)[] = [];
  const keep = <T extends { stop(): unknown }>(one: T): T => {
    stops.push(() => one.stop());
    return one;
  };
  try {
    const signer = keep(startRaw(algorithm));
    const startFloor = (file: string): Promise<MeasuredProcess> =>
      startServer([path.join(import.meta.dirname, file), algorithm], /port (\d+)/);
    const floors = [keep(await startFloor('bare-server.ts')), keep(await startFloor('strict-server.ts'))];
    const providers = [
      keep(await startProvider({ algorithm })),
      keep(await startProvider({ algorithm, storage: SQLITE })),
    ];
    pin(process.pid, 1);
    stops.push(() => pin(process.pid, 'any'));
    const targets: Target[] = [];
    const anything = PEOPLE.flatMap(() => Array.from({ length: TOKENS_PER_PERSON }, () => 'x'));
    for (const server of floors) targets.push(await prepare(server, anything));
    for (const provider of providers) targets.push(await prepare(provider, await firstTokens(provider)));
    stops.push(
      ...targets.map(
        ({ load }) =>
          () =>
            load.close(),
      ),
    );
    const rounds: number[][] = [];
    for (let round = 0; round < ROUNDS; round += 1) rounds.push(await measureRound(signer, targets));
    const [raw = 0, floor = 0, strict = 0, memory = 0, sqlite = 0] = [0, 1, 2, 3, 4].map((at) =>
      median(rounds.map((rates) => rates[at] ?? 0)),
    );
    return { raw, floor, strict, memory, sqlite };
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

async function measureRound(signer: RawSigner, targets: readonly Target[]): Promise<number[]> {
  const rates = [(await signer.next()) / 2];
  for (const target of targets) rates.push(await rateOf(target));
  return rates;
}

interface Target {
  readonly server: MeasuredProcess;
  readonly load: RefreshLoad;
}

async function prepare(server: MeasuredProcess, tokens: readonly string[]): Promise<Target> {
  onCoreZero(server);
  const { port } = new URL(server.origin);
  const load = createRefreshLoad({ port: Number(port), path: '/dex/token', authorization: AUTHORIZATION, tokens });
  await load.run(WARM_UP_MS);
  return { server, load };
}

async function rateOf({ server, load }: Target): Promise<number> {
  const before = server.cpuSeconds();
  const count = await load.run(ROUND_MS);
  return count / (server.cpuSeconds() - before);
}

async function firstTokens({ origin }: MeasuredProcess): Promise<string[]> {
  const wanted = PEOPLE.flatMap((person) => Array.from({ length: TOKENS_PER_PERSON }, () => person));
  return await Promise.all(
    wanted.map(async (person) => {
      const body = new URLSearchParams({
        grant_type: 'authorization_code',
        code: await logIn(origin, { connector: 'local', username: person, password: 'password' }),
        redirect_uri: '/cb',
      });
      const headers = { authorization: AUTHORIZATION };
      const answer = await fetch(`${origin}/dex/token`, { method: 'POST', headers, body });
      return ((await answer.json()) as { refresh_token: string }).refresh_token;
    }),
  );
}

interface RawSigner {
  /** Signatures per CPU second, measured now. */
  next(): Promise<number>;
  stop(): void;
}

function startRaw(algorithm: string): RawSigner {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'raw-signatures.ts'), algorithm], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  pin(child.pid ?? 0, 0);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    next: async () => {
      child.stdin.write('go\n');
      return Number((await lines.next()).value);
    },
    stop: () => void child.kill(),
  };
}
