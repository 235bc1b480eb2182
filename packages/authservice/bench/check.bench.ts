/** The session check of a running AuthService beside a bare node:http server that answers 204, in requests per CPU second. */
import path from 'node:path';
import { Client } from '../../../e2e/front-door/client.ts';
import { nginx } from '../../testkit/src/front-door/nginx.ts';
import { startApplication } from '../../testkit/src/front-door/application.ts';
import { Cleanup } from '../../testkit/src/front-door/cleanup.ts';
import { startAuthService, startIdentity } from '../../testkit/src/front-door/platform.ts';
import { freePort, startProgram, temporaryDirectory, untilListening } from '../../testkit/src/front-door/programs.ts';
import { residentBytes, seedSessions } from './many-sessions.ts';
import { measureInTurn, whyNoLoad } from '../../../bench/load.ts';
import type { Measured, Target } from '../../../bench/load.ts';
import { median, printTable } from '../../../bench/table.ts';

const BARE = `require('node:http').createServer((_, response) => response.writeHead(204).end()).listen(+process.argv[1], '127.0.0.1')`;

/** As `startAuthService` has it. */
const SESSION_KEY = 'k'.repeat(44);
const MANY = 100_000;
/** As the Deployment and the image have it. */
const AS_DEPLOYED = { NODE_OPTIONS: '--max-semi-space-size=2', MALLOC_ARENA_MAX: '1' };

export async function run(): Promise<void> {
  const why = whyNoLoad() || nginx.skip;
  if (why !== false) return void process.stdout.write(`skipped: ${why}\n`);
  const cleanup = new Cleanup();
  try {
    await compare(cleanup);
  } finally {
    await cleanup.run();
  }
}

/** Somebody logged in at an AuthService of its own. */
async function startChecked(cleanup: Cleanup, settings: Readonly<Record<string, string>>): Promise<Target> {
  const identity = await startIdentity(cleanup);
  const authservice = await startAuthService(cleanup, identity, { ...AS_DEPLOYED, ...settings });
  const application = await startApplication(cleanup);
  const port = await nginx.start(cleanup, { identity, authservice: authservice.port, application: application.port });
  const client = new Client({ port, tls: false });
  await client.logIn('/');
  const cookie = `cookie: authservice_session=${client.cookie('authservice_session')}`;
  return { name: '', url: urlOf(authservice.port), pids: [authservice.pid], headers: [cookie] };
}

/** Median, and lowest to highest, of the shares of rounds that were measured one after the other: a machine is not the same all the time. */
function share(rounds: readonly Measured[] = [], beside: readonly Measured[] = []): string {
  const shares = rounds.map(({ perCpuSecond }, index) => perCpuSecond / (beside[index]?.perCpuSecond ?? Number.NaN));
  return `${median(shares).toFixed(2)} (${Math.min(...shares).toFixed(2)}-${Math.max(...shares).toFixed(2)})`;
}

function toMb(bytes: number): number {
  return Math.round(bytes / 1e6);
}

function urlOf(port: number): string {
  return `http://127.0.0.1:${port}/pipeline/`;
}

async function compare(cleanup: Cleanup): Promise<void> {
  const check = await startChecked(cleanup, { IDENTITY_ASSERTION_KEY: '' });
  const proving = await startChecked(cleanup, {});
  const sessions = path.join(await temporaryDirectory(cleanup), 'sessions.db');
  await seedSessions(sessions, MANY, SESSION_KEY);
  const crowded = await startChecked(cleanup, { IDENTITY_ASSERTION_KEY: '', SESSION_STORE_PATH: sessions });
  const port = await freePort();
  const bare = startProgram(cleanup, [process.execPath, '-e', BARE, String(port)]);
  await untilListening(port, bare);
  const targets: readonly Target[] = [
    { ...check, name: 'bare node:http, 204', url: urlOf(port), pids: [bare.pid] },
    { ...check, name: 'session check' },
    { ...proving, name: 'session check, with the proof of each request' },
    { ...crowded, name: 'session check among 100,000 sessions' },
  ];
  // A process gives its start-up memory back after three seconds, compiled code with it: what is measured comes after that.
  const results = await measureInTurn(targets, { rounds: 9, seconds: 1, warmUpSeconds: 6, leadInSeconds: 1 });
  const rates = results.map((rounds) => median(rounds.map(({ perCpuSecond }) => perCpuSecond)));
  printTable(
    ['64 keep-alive connections', 'requests per CPU s', 'CPU µs each', 'requests/s', 'wrong answers'],
    targets.map(({ name }, index) => [
      name,
      Math.round(rates[index] ?? 0),
      (1e6 / (rates[index] ?? 0)).toFixed(1),
      Math.round(median(results[index]?.map(({ perSecond }) => perSecond) ?? [])),
      results[index]?.reduce((sum, { wrong }) => sum + wrong, 0) ?? '',
    ]),
  );
  const [plain = 0, checked = 0, proven = 0] = rates;
  const [few = 0, many = 0] = [...check.pids, ...crowded.pids].map(residentBytes);
  const extra = (rate: number): string => (1e6 / rate - 1e6 / plain).toFixed(1);
  process.stdout.write('\n');
  printTable(
    ['bar', 'wanted', 'measured'],
    [
      ['session check / bare server', '>= 0.85', share(results[1], results[0])],
      ['CPU beyond the bare server, µs', '<= 5', extra(checked)],
      ['with the proof / bare server', '>= 0.85', share(results[2], results[0])],
      ['CPU beyond the bare server with the proof, µs', '<= 5', extra(proven)],
      ['rate among 100,000 sessions / among one', '>= 0.90', share(results[3], results[1])],
      ['resident bytes of a session', 'stated', Math.round((many - few) / MANY)],
      ['resident MB after the load: one session, 100,000', '<= 130', `${toMb(few)}, ${toMb(many)}`],
    ],
  );
}
