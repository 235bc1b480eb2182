/** The gateway beside nginx and Envoy: rates for each second of CPU, latency at a fixed rate, size of the configuration, memory, large bodies. */
import { readFileSync } from 'node:fs';
import { measureInTurn, pin, whyNoHttp2Load, whyNoLoad } from '../../../bench/load.ts';
import type { Measured, Target } from '../../../bench/load.ts';
import { median, printTable } from '../../../bench/table.ts';
import { Cleanup } from '../../testkit/src/front-door/cleanup.ts';
import { filtersToday, noEnvoy, startEnvoy } from '../../testkit/src/front-door/envoy.ts';
import { nginx } from '../../testkit/src/front-door/nginx.ts';
import { said, startGateway, startSession } from './beds.ts';
import type { GatewayBed } from './beds.ts';
import { startApplication, startProxy } from './nginx-bed.ts';
import type { Nginx } from './nginx-bed.ts';
import { processListening } from './process-listening.ts';
import { measureSteady } from './steady-load.ts';

const SESSIONS = 100_000;
const SERVICES = 2_000;
/** The bar is about 300 of them. */
const LOAD_SECONDS = Number(process.env['BENCH_LOAD_SECONDS'] ?? 20);

export async function run(): Promise<void> {
  const why = whyNoLoad() || whyNoHttp2Load() || nginx.skip;
  if (why !== false) return void process.stdout.write(`skipped: ${why}\n`);
  const cleanup = new Cleanup();
  try {
    const application = await startApplication(cleanup);
    pin(application.pid, 1);
    await compareRates(cleanup, application);
    await compareSizes(cleanup, application);
  } finally {
    await cleanup.run();
  }
}

type Row = readonly [name: string, wanted: string, measured: string];

async function compareRates(cleanup: Cleanup, application: Nginx): Promise<void> {
  const plain = await startProxy(cleanup, application.port);
  const ours = await startGateway(cleanup, { application: application.port });
  const targets: Target[] = [
    ...bothWays('nginx', plain),
    ...bothWays('gateway', ours),
    ...(await checkingTargets(cleanup, application.port)),
  ];
  const rates = printRates(
    targets,
    await measureInTurn(targets, { rounds: 3, seconds: 2, warmUpSeconds: 3, leadInSeconds: 1 }),
  );
  const ratio = (left: string, right: string): string => ((rates.get(left) ?? 0) / (rates.get(right) ?? 0)).toFixed(2);
  printRows([
    ['gateway / nginx, HTTP/1.1', '>= 0.50', ratio('gateway, HTTP/1.1', 'nginx, HTTP/1.1')],
    ['gateway / nginx, TLS', '>= 0.40', ratio('gateway, TLS', 'nginx, TLS')],
    ['gateway / nginx, HTTP/2 + TLS', '>= 0.35', ratio('gateway, HTTP/2 + TLS', 'nginx, HTTP/2 + TLS')],
    ['in process / nginx auth_request', '>= 1.4', ratio(IN_PROCESS, 'nginx auth_request + AuthService')],
    ['in process / Envoy ext_authz', '> 1', noEnvoy || ratio(IN_PROCESS, 'Envoy ext_authz + AuthService')],
    ...(await steadyRows(plain, ours)),
    ...(await memoryRows(ours)),
    ...(await bodyRows(plain, ours)),
  ]);
}

const IN_PROCESS = 'gateway, session in process';

/** Whoever asks our AuthService about each request, and who need not. */
async function checkingTargets(cleanup: Cleanup, application: number): Promise<readonly Target[]> {
  const { authservice, identity, cookie } = await startSession(cleanup, application);
  const asked = (name: string, pid: number, port: number): Target => ({
    name,
    url: `http://127.0.0.1:${port}/page`,
    pids: [pid, authservice.pid],
    headers: [cookie],
  });
  const asking = await startProxy(cleanup, application, authservice.port);
  const ours = await startGateway(cleanup, { application, authservice: authservice.port });
  const deciding = await startGateway(cleanup, { application, authservice: authservice.port, sessions: 1_000 });
  const backends = { application, authservice: authservice.port, identity };
  const envoy = noEnvoy === false ? await startEnvoy(cleanup, backends, filtersToday()) : undefined;
  return [
    asked('nginx auth_request + AuthService', asking.pid, asking.port),
    asked('gateway ext-authz + AuthService', ours.pid, ours.port),
    { ...asked(IN_PROCESS, deciding.pid, deciding.port), pids: [deciding.pid], headers: [deciding.cookie] },
    ...(envoy === undefined ? [] : [asked('Envoy ext_authz + AuthService', processListening(envoy), envoy)]),
  ];
}

function bothWays(name: string, { port, tlsPort, pid }: Nginx): Target[] {
  const tls = `https://127.0.0.1:${tlsPort}/page`;
  return [
    { name: `${name}, HTTP/1.1`, url: `http://127.0.0.1:${port}/page`, pids: [pid] },
    { name: `${name}, TLS`, url: tls, pids: [pid] },
    { name: `${name}, HTTP/2 + TLS`, url: tls, pids: [pid], http2: true },
  ];
}

/** Gives the median rate of each. */
function printRates(targets: readonly Target[], results: readonly Measured[][]): ReadonlyMap<string, number> {
  const rates = results.map((rounds) => median(rounds.map(({ perCpuSecond }) => perCpuSecond)));
  printTable(
    ['1 KiB, 64 keep-alive connections', 'requests per CPU s', 'requests/s', 'requests', 'wrong answers'],
    targets.map(({ name }, index) => [
      name,
      Math.round(rates[index] ?? 0),
      Math.round(median((results[index] ?? []).map(({ perSecond }) => perSecond))),
      (results[index] ?? []).reduce((sum, { requests }) => sum + requests, 0),
      (results[index] ?? []).reduce((sum, { wrong }) => sum + wrong, 0),
    ]),
  );
  process.stdout.write('\n');
  return new Map(targets.map(({ name }, index) => [name, rates[index] ?? 0]));
}

function printRows(rows: readonly Row[]): void {
  printTable(['bar', 'wanted', 'measured'], rows);
  process.stdout.write('\n');
}

async function steadyRows(peer: Nginx, ours: Nginx): Promise<Row[]> {
  const measure = ({ port }: Nginx): ReturnType<typeof measureSteady> =>
    measureSteady(`http://127.0.0.1:${port}/page`, 'accept: */*', 5);
  const [theirs, own] = [await measure(peer), await measure(ours)];
  return [
    [
      'p99 at 1,280 requests/s, ours / nginx',
      '<= 3',
      `${(own.p99Ms / theirs.p99Ms).toFixed(2)} (${own.p99Ms.toFixed(1)} ms / ${theirs.p99Ms.toFixed(1)} ms)`,
    ],
    ['the same: requests, missing or wrong', '0', `${own.sent}, ${own.wrong}`],
  ];
}

async function bodyRows(peer: Nginx, ours: Nginx): Promise<Row[]> {
  const targets = [peer, ours].map(({ port, pid }) => ({ name: '', url: `http://127.0.0.1:${port}/big`, pids: [pid] }));
  const [theirs, own] = await measureInTurn(targets, { rounds: 2, seconds: 2 });
  const rate = (rounds: readonly Measured[] = []): number => median(rounds.map(({ perCpuSecond }) => perCpuSecond));
  return [
    ['1 MiB bodies, MiB per CPU s, ours / nginx', '', `${Math.round(rate(own))} / ${Math.round(rate(theirs))}`],
    ['resident memory with 64 of them under way', '<= 130 MB', `${residentMb(ours.pid)} MB`],
  ];
}

/** Four parts, each over HTTP/1.1, TLS and HTTP/2 in turn. */
async function memoryRows(ours: Nginx): Promise<Row[]> {
  const targets = bothWays('gateway', ours);
  const seconds = Math.ceil(LOAD_SECONDS / 4 / targets.length);
  const sizes: number[] = [];
  for (let part = 0; part < 4; part += 1) {
    await measureInTurn(targets, { rounds: 1, seconds });
    sizes.push(residentMb(ours.pid));
  }
  return [[`resident memory during ${LOAD_SECONDS} s of full load`, '<= 130 MB, flat', `${sizes.join(', ')} MB`]];
}

function residentMb(pid: number): number {
  const kb = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  return Math.round((kb * 1024) / 1e6);
}

/** The same gateway with little and with much to look at. */
async function compareSizes(cleanup: Cleanup, { port: application }: Nginx): Promise<void> {
  const few = await startGateway(cleanup, { application, authservice: application, sessions: 10 });
  const many = await startGateway(cleanup, {
    application,
    authservice: application,
    sessions: SESSIONS,
    services: SERVICES,
  });
  const changing = await startGateway(cleanup, { application, services: SERVICES });
  const target = ({ port, pid, cookie }: GatewayBed): Target => ({
    name: '',
    url: `http://127.0.0.1:${port}/page`,
    pids: [pid],
    headers: [cookie],
  });
  const [small, large] = await measureInTurn([target(few), target(many)], { rounds: 3, seconds: 2, warmUpSeconds: 3 });
  const rate = (rounds: readonly Measured[] = []): number => median(rounds.map(({ perCpuSecond }) => perCpuSecond));
  const wrong = (large ?? []).reduce((sum, measured) => sum + measured.wrong, 0);
  process.kill(changing.pid, 'SIGUSR2');
  const [, changedMs] = await said(changing.program, /^changed (\d+)$/m);
  printRows([
    [
      '100,000 sessions and 2,000 VirtualServices / 10 and 1',
      '>= 0.90',
      `${(rate(large) / rate(small)).toFixed(2)} (${wrong} wrong)`,
    ],
    ['bytes of heap for each session', '', `${many.bytesPerSession}`],
    ['a route change in force, 2,000 VirtualServices', '<= 100 ms', `${changedMs} ms`],
    ['resident memory with 100,000 sessions', '', `${residentMb(many.pid)} MB`],
  ]);
}
