/**
 * The provider in a process of its own, asked over kept connections. Beside it stands what the work costs by itself: two
 * signatures for a refresh, one bcrypt for a login of the file, a bind for a login at slapd. Refresh is counted by the CPU
 * seconds of the server, because the asking side lives on the same machine.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { hash, verify } from '@node-rs/bcrypt';
import { median, printTable } from '../../../bench/table.ts';

const MAIN = path.join(import.meta.dirname, '../src/main.ts');
const SECONDS = 3;
const AUTH = 'client_id=app&redirect_uri=%2Fcb&response_type=code&scope=openid+email+offline_access&state=s';
const BASIC = { authorization: `Basic ${Buffer.from('app:secret').toString('base64')}` };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

export async function run(): Promise<void> {
  const rows: (readonly (string | number)[])[] = [];
  for (const algorithm of ['RS256', 'ES256'] as const) {
    const server = await startServer(algorithm);
    try {
      rows.push([`resident memory at rest, ${algorithm}`, `${residentMb(server)} MB`, '', '', '90 MB']);
      const rate = await refreshRate(server);
      const raw = rawSignatures(algorithm) / 2;
      rows.push([
        `refresh, ${algorithm}, per CPU second`,
        Math.round(rate),
        'two crypto.sign',
        Math.round(raw),
        '75 %',
        share(rate, raw),
      ]);
      if (algorithm === 'ES256') rows.push(...(await loginRows(server)));
    } finally {
      await server.stop();
    }
  }
  printTable(
    ['what', 'measured', 'beside', 'its rate', 'bar', 'share'],
    rows.map((row) => [...row, '', ''].slice(0, 6)),
  );
}

interface Server {
  readonly origin: string;
  readonly child: ChildProcess;
  stop(): Promise<void>;
}

async function startServer(algorithm: string): Promise<Server> {
  const directory = mkdtempSync(path.join(tmpdir(), 'identity-bench-'));
  const file = path.join(directory, 'config.yaml');
  writeFileSync(
    file,
    `issuer: http://bench/dex
storage: {type: memory}
web: {http: "127.0.0.1:0"}
oauth2: {skipApprovalScreen: true}
signer: {config: {algorithm: ${algorithm}}}
logger: {level: info, format: json}
enablePasswordDB: true
staticPasswords: [{email: a@b.c, hash: "${await hash('password', 10)}", username: a, userID: "1"}]
staticClients: [{id: app, name: App, secret: secret, redirectURIs: [/cb]}]
`,
  );
  const child = spawn(process.execPath, [MAIN, 'serve', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  const port = await new Promise<string>((resolve, reject) => {
    let seen = '';
    const read = (chunk: Buffer): void => {
      seen += chunk.toString('utf8');
      const found = /"msg":"serving".*?"port":(\d+)|"port":(\d+).*?serving/.exec(seen);
      if (found) resolve(found[1] ?? found[2] ?? '');
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', () => reject(new Error(`identity ended: ${seen.slice(0, 500)}`)));
  });
  return {
    origin: `http://127.0.0.1:${port}`,
    child,
    stop: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const agent = new Agent({ keepAlive: true });

interface Answer {
  readonly status: number;
  readonly location: string;
  readonly text: string;
}

function ask(url: string, headers: OutgoingHttpHeaders = {}, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(url, { agent, method: body === undefined ? 'GET' : 'POST', headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, location: response.headers.location ?? '', text }),
      );
    });
    call.on('error', reject);
    call.end(body);
  });
}

async function login({ origin }: Server): Promise<string> {
  const page = await ask(`${origin}/dex/auth/local?${AUTH}`);
  const done = await ask(origin + page.location, FORM, 'login=a%40b.c&password=password');
  const code = new URL(done.location, origin).searchParams.get('code');
  if (code === null) throw new Error(`login answered ${done.status}`);
  return code;
}

async function refreshRate(server: Server): Promise<number> {
  const url = `${server.origin}/dex/token`;
  const headers = { ...FORM, ...BASIC };
  const first = await ask(
    url,
    headers,
    new URLSearchParams({
      grant_type: 'authorization_code',
      code: await login(server),
      redirect_uri: '/cb',
    }).toString(),
  );
  let token = tokenOf(first);
  const turn = async (): Promise<void> => {
    token = tokenOf(
      await ask(url, headers, new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }).toString()),
    );
  };
  for (let warm = 0; warm < 300; warm += 1) await turn();
  const before = cpuSeconds(server);
  const end = performance.now() + SECONDS * 1000;
  let count = 0;
  for (; performance.now() < end; count += 1) await turn();
  return count / (cpuSeconds(server) - before);
}

function tokenOf({ status, text }: Answer): string {
  if (status !== 200) throw new Error(`token endpoint answered ${status}`);
  return (JSON.parse(text) as { refresh_token: string }).refresh_token;
}

function rawSignatures(algorithm: 'RS256' | 'ES256'): number {
  const { privateKey } =
    algorithm === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const input = Buffer.alloc(400, 'x');
  const before = process.cpuUsage();
  const end = performance.now() + 1000;
  let count = 0;
  for (; performance.now() < end; count += 1) sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const { user, system } = process.cpuUsage(before);
  return count / ((user + system) / 1e6);
}

/** As many at once as the provider computes at most, and the key address meanwhile. */
async function loginRows(server: Server): Promise<(string | number)[][]> {
  const waits: number[] = [];
  const done = new AbortController();
  const watching = (async () => {
    for (; !done.signal.aborted; await new Promise((resolve) => setTimeout(resolve, 10))) {
      const begin = performance.now();
      await ask(`${server.origin}/dex/keys`);
      waits.push(performance.now() - begin);
    }
  })();
  const logins = await perSecond(() => login(server));
  done.abort();
  await watching;
  const known = await hash('password', 10);
  const raw = await perSecond(() => verify('password', known));
  const p99 = waits.toSorted((a, b) => a - b)[Math.floor(waits.length * 0.99)] ?? 0;
  return [
    [
      'logins per second, bcrypt cost 10, 2 at once',
      logins.toFixed(1),
      'bcrypt alone',
      raw.toFixed(1),
      '90 %',
      share(logins, raw),
    ],
    ['/keys meanwhile, p50 / p99', `${median(waits).toFixed(1)} / ${p99.toFixed(1)} ms`, '', '', '50 ms'],
  ];
}

async function perSecond(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  let count = 0;
  const lane = async (): Promise<void> => {
    for (; performance.now() < begin + SECONDS * 1000; count += 1) await work();
  };
  await Promise.all([lane(), lane()]);
  return count / ((performance.now() - begin) / 1000);
}

function cpuSeconds({ child }: Server): number {
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function residentMb({ child }: Server): number {
  return Math.round((Number(readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ')[1]) * 4096) / 1e6);
}

function share(measured: number, beside: number): string {
  return `${Math.round((measured / beside) * 100)} %`;
}
