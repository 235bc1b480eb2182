/** The session check of a running AuthService beside a bare node:http server that answers 204, in requests per CPU second. */
import { Client } from '../../../e2e/front-door/client.ts';
import { nginx } from '../../testkit/src/front-door/nginx.ts';
import { startApplication } from '../../testkit/src/front-door/application.ts';
import { Cleanup } from '../../testkit/src/front-door/cleanup.ts';
import { startAuthService, startIdentity } from '../../testkit/src/front-door/platform.ts';
import { freePort, startProgram, untilListening } from '../../testkit/src/front-door/programs.ts';
import { measureInTurn, whyNoLoad } from '../../../bench/load.ts';
import type { Measured } from '../../../bench/load.ts';
import { median, printTable } from '../../../bench/table.ts';

const BARE = `require('node:http').createServer((_, response) => response.writeHead(204).end()).listen(+process.argv[1], '127.0.0.1')`;

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

async function compare(cleanup: Cleanup): Promise<void> {
  const identity = await startIdentity(cleanup);
  const authservice = await startAuthService(cleanup, identity);
  const application = await startApplication(cleanup);
  const port = await nginx.start(cleanup, { identity, authservice: authservice.port, application: application.port });
  const client = new Client({ port, tls: false });
  await client.logIn('/');
  const cookie = `cookie: authservice_session=${client.cookie('authservice_session')}`;
  const barePort = await freePort();
  const bare = startProgram(cleanup, [process.execPath, '-e', BARE, String(barePort)]);
  await untilListening(barePort, bare);
  const at = (port: number): string => `http://127.0.0.1:${port}/pipeline/`;
  const [plain = [], check = []] = await measureInTurn(
    [
      { name: 'bare', url: at(barePort), pids: [bare.pid], headers: [cookie] },
      { name: 'check', url: at(authservice.port), pids: [authservice.pid], headers: [cookie] },
    ],
    { rounds: 3, seconds: 1 },
  );
  const rate = (rounds: readonly Measured[]): number => median(rounds.map(({ perCpuSecond }) => perCpuSecond));
  const row = (name: string, rounds: readonly Measured[]): (string | number)[] => [
    name,
    Math.round(rate(rounds)),
    (1e6 / rate(rounds)).toFixed(1),
    Math.round(median(rounds.map(({ perSecond }) => perSecond))),
    rounds.reduce((sum, { wrong }) => sum + wrong, 0),
  ];
  printTable(
    ['64 keep-alive connections', 'requests per CPU s', 'CPU µs each', 'requests/s', 'wrong answers'],
    [row('bare node:http, 204', plain), row('session check', check)],
  );
  const extra = 1e6 / rate(check) - 1e6 / rate(plain);
  process.stdout.write('\n');
  printTable(
    ['bar', 'wanted', 'measured'],
    [
      ['session check / bare server', '>= 0.85', (rate(check) / rate(plain)).toFixed(2)],
      ['CPU of the check itself, µs', '<= 5', extra.toFixed(1)],
    ],
  );
}
