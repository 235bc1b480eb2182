/** The gateway beside nginx: plain proxying over HTTP/1.1 and TLS, and with our AuthService asked about every request. */
import { Client } from '../../../e2e/front-door/client.ts';
import { nginx } from '../../testkit/src/front-door/nginx.ts';
import { Cleanup } from '../../testkit/src/front-door/cleanup.ts';
import { startAuthService, startIdentity } from '../../testkit/src/front-door/platform.ts';
import type { AuthServiceProcess } from '../../testkit/src/front-door/platform.ts';
import { startProgram } from '../../testkit/src/front-door/programs.ts';
import { measureInTurn, pin, whyNoLoad } from '../../../bench/load.ts';
import type { Measured, Target } from '../../../bench/load.ts';
import { median, printTable } from '../../../bench/table.ts';
import { startApplication, startProxy } from './nginx-bed.ts';
import type { Nginx } from './nginx-bed.ts';

export async function run(): Promise<void> {
  const why = whyNoLoad() || nginx.skip;
  if (why !== false) return void process.stdout.write(`skipped: ${why}\n`);
  const cleanup = new Cleanup();
  try {
    print(...(await measureAll(cleanup)));
  } finally {
    await cleanup.run();
  }
}

async function measureAll(cleanup: Cleanup): Promise<[readonly Target[], readonly Measured[][]]> {
  const application = await startApplication(cleanup);
  pin(application.pid, 1);
  const { authservice, cookie } = await startSession(cleanup, application.port);
  const plain = await startProxy(cleanup, application.port);
  const asking = await startProxy(cleanup, application.port, authservice.port);
  const ours = await startGateway(cleanup, application.port, 0);
  const oursAsking = await startGateway(cleanup, application.port, authservice.port);
  const target = (name: string, { port, tlsPort, pid }: Nginx, tls = false): Target => {
    const url = tls ? `https://127.0.0.1:${tlsPort}/page` : `http://127.0.0.1:${port}/page`;
    return { name, url, pids: [pid], headers: [cookie] };
  };
  const withAuth = (name: string, proxy: Nginx): Target => ({
    ...target(name, proxy),
    pids: [proxy.pid, authservice.pid],
  });
  const targets = [
    target('nginx, HTTP/1.1', plain),
    target('gateway, HTTP/1.1', ours),
    target('nginx, TLS', plain, true),
    target('gateway, TLS', ours, true),
    withAuth('nginx auth_request + AuthService', asking),
    withAuth('gateway ext-authz + AuthService', oursAsking),
  ];
  return [targets, await measureInTurn(targets, { rounds: 2, seconds: 1 })];
}

/** Somebody logged in. */
async function startSession(
  cleanup: Cleanup,
  application: number,
): Promise<{ authservice: AuthServiceProcess; cookie: string }> {
  const identity = await startIdentity(cleanup);
  const authservice = await startAuthService(cleanup, identity);
  const port = await nginx.start(cleanup, { identity, authservice: authservice.port, application });
  const client = new Client({ port, tls: false });
  await client.logIn('/');
  return { authservice, cookie: `cookie: authservice_session=${client.cookie('authservice_session')}` };
}

async function startGateway(cleanup: Cleanup, application: number, authservice: number): Promise<Nginx> {
  const bed = `${import.meta.dirname}/gateway-bed.ts`;
  const program = startProgram(cleanup, [process.execPath, bed, String(application), String(authservice)]);
  for (let tries = 0; tries < 1_000; tries += 1) {
    const [, port, tlsPort] = /^ports (\d+) (\d+)$/m.exec(program.output()) ?? [];
    if (tlsPort !== undefined) return { pid: program.pid, port: Number(port), tlsPort: Number(tlsPort) };
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`the gateway did not start: ${program.output()}`);
}

function print(targets: readonly Target[], results: readonly Measured[][]): void {
  const rates = results.map((rounds) => median(rounds.map(({ perCpuSecond }) => perCpuSecond)));
  printTable(
    ['1 KiB, 64 keep-alive connections', 'requests per CPU s', 'requests/s', 'wrong answers'],
    targets.map(({ name }, index) => [
      name,
      Math.round(rates[index] ?? 0),
      Math.round(median((results[index] ?? []).map(({ perSecond }) => perSecond))),
      (results[index] ?? []).reduce((sum, { wrong }) => sum + wrong, 0),
    ]),
  );
  const ratio = (ours: number, peer: number): string => ((rates[ours] ?? 0) / (rates[peer] ?? 0)).toFixed(2);
  process.stdout.write('\n');
  printTable(
    ['bar', 'wanted', 'measured'],
    [
      ['gateway / nginx, HTTP/1.1', '>= 0.50', ratio(1, 0)],
      ['gateway / nginx, TLS', '>= 0.40', ratio(3, 2)],
      ['gateway ext-authz / nginx auth_request (the bar is for the in-process check)', '>= 1.4', ratio(5, 4)],
    ],
  );
}
