/** Owns many requests over HTTP/2 at a time, cancelled and reset in every phase, each of them accounted for. Imported by tests only. */
import { connect, constants } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { createHttp2Beds } from './http2-service.ts';
import type { Http2Beds } from './http2-service.ts';
import { KINDS } from './http2-stress-kinds.ts';
import type { Kind, Seen } from './http2-stress-kinds.ts';
import { to, virtualService } from './objects.ts';
import type { Rig } from './rig.ts';

export interface StressResult {
  readonly requests: number;
  readonly cancelled: number;
  /** At most ten. */
  readonly problems: readonly string[];
  /** Of the requests that nobody cancelled, by kind and status. */
  readonly counts: ReadonlyMap<string, number>;
}

const AT_A_TIME = 192;
const PER_SESSION = 160;
const CANCELLED = 0.2;
const WINDOWS = [10, 100, 16_384, 65_535, 1_000_000];

/** Sends `total` requests of all kinds; `random` decides who is cancelled when. */
export async function stressHttp2(rig: Rig, total: number): Promise<StressResult> {
  const beds = createHttp2Beds(rig);
  await serveAll(rig, beds);
  const run = new Run(rig);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < total) {
      const end = Math.min(next + PER_SESSION, total);
      const first = next;
      next = end;
      await run.session(first, end);
    }
  };
  await Promise.all(Array.from({ length: Math.ceil(AT_A_TIME / 24) }, worker));
  await run.settle();
  beds.close();
  return run;
}

async function serveAll(rig: Rig, beds: Http2Beds): Promise<void> {
  for (const { name, serve } of KINDS) {
    if (serve === undefined) continue;
    // A service of its own: a session that ends takes requests of its own kind with it only.
    await beds.serve(name, { name: 'grpc' }, (stream, headers) => serve(stream, String(headers['x-token'])));
  }
  const on = (path: string): object => ({ match: [{ uri: { prefix: path } }] });
  // Each attempt may meet another session that is about to leave.
  const leaving = { ...on('/leaving'), retries: { attempts: 20 }, ...to('leaving') };
  rig.sources.virtualServices.put(virtualService('leaving', [leaving]));
  const redirect = { ...on('/redirect'), redirect: { uri: '/x', redirectCode: 302 } };
  rig.sources.virtualServices.put(virtualService('redirect', [redirect]));
  await rig.settle();
}

class Run implements StressResult {
  requests = 0;
  cancelled = 0;
  readonly problems: string[] = [];
  readonly counts = new Map<string, number>();
  readonly #rig: Rig;
  /** What clients saw, and what the log says, by token, until the other has come too. */
  readonly #seen = new Map<string, number>();
  readonly #logged = new Map<string, number>();

  constructor(rig: Rig) {
    this.#rig = rig;
  }

  /** Sends the requests of one session, 24 at a time. */
  async session(first: number, end: number): Promise<void> {
    const initialWindowSize = WINDOWS[Math.floor(first / PER_SESSION) % WINDOWS.length] ?? 65_535;
    const place = `https://127.0.0.1:${this.#rig.tlsPort()}`;
    const session = connect(place, { rejectUnauthorized: false, settings: { initialWindowSize } });
    session.on('error', (error) => this.#problem(`session: ${error.message}`));
    let next = first;
    const worker = async (): Promise<void> => {
      while (next < end) await this.#request(session, next++, initialWindowSize);
    };
    await Promise.all(Array.from({ length: 24 }, worker));
    session.close();
    this.#compare();
  }

  /** Waits until the log has every request that a client saw an answer to. */
  async settle(): Promise<void> {
    const until = performance.now() + 10_000;
    while (this.#seen.size > 0 && performance.now() < until) {
      await this.#rig.settle();
      this.#compare();
    }
    for (const [token, status] of this.#seen) this.#problem(`${token} (${status}) is not in the log`);
  }

  async #request(session: ClientHttp2Session, index: number, window: number): Promise<void> {
    const usable = window < 1000 ? KINDS.filter(({ name }) => name !== 'big') : KINDS;
    const kind = usable[index % usable.length];
    if (kind === undefined) return;
    const token = `${kind.name}-${index}`;
    const phase = Math.random() < CANCELLED ? Math.floor(Math.random() * 4) : undefined;
    const seen = await exchange(session, { kind, token, phase });
    this.requests += 1;
    if (seen.echoed !== '' && seen.echoed !== token) this.#problem(`${token} got the answer of ${seen.echoed}`);
    if (phase !== undefined) return void (this.cancelled += 1);
    const verdict = kind.judge(seen);
    if (verdict !== undefined) this.#problem(`${token} ${verdict}: ${describe(seen)}`);
    const key = `${kind.name} ${seen.status}`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    if (seen.status !== 0) this.#match(token, seen.status, { own: this.#seen, other: this.#logged });
  }

  /** Each answer that a client saw stands in the log once, with the same status. */
  #compare(): void {
    for (const line of this.#rig.accessLog.splice(0)) {
      const [, token = '', status] = /^\S+ "\S+ \/[a-z]+\?(\S+) HTTP\/2" (\d+) /.exec(line) ?? [];
      this.#match(token, Number(status), { own: this.#logged, other: this.#seen });
    }
  }

  #match(token: string, status: number, { own, other }: Record<'own' | 'other', Map<string, number>>): void {
    if (own.has(token)) this.#problem(`${token} comes twice`);
    const told = other.get(token);
    if (told === undefined) return void own.set(token, status);
    other.delete(token);
    if (told !== status) this.#problem(`${token}: ${told} and ${status}`);
  }

  #problem(text: string): void {
    if (this.problems.length < 10) this.problems.push(text);
  }
}

function describe({ status, echoed, text, trailer, reset }: Seen): string {
  return `${status} token ${echoed} ${text.length} bytes "${text.slice(0, 20)}" trailer ${trailer} reset ${reset}`;
}

interface Exchange {
  readonly kind: Kind;
  readonly token: string;
  /** 0: at once; 1: when the request has left; 2: with the head; 3: with the first bytes. */
  readonly phase: number | undefined;
}

function exchange(session: ClientHttp2Session, { kind, token, phase }: Exchange): Promise<Seen> {
  return new Promise((resolve) => {
    const { name, method } = kind;
    const head = { ':method': method, ':path': `/${name}?${token}`, 'x-token': token };
    const stream = session.request(head, { endStream: method === 'GET' });
    let [status, echoed, text, trailer] = [0, '', '', ''];
    const cancelAt = (now: number): void => {
      if (phase === now) stream.close(constants.NGHTTP2_CANCEL);
    };
    stream.on('ready', () => cancelAt(1));
    stream.on('response', (headers) => {
      status = Number(headers[':status']);
      echoed = String(headers['x-token'] ?? '');
      cancelAt(2);
    });
    stream.on('trailers', (headers) => void (trailer = String(headers['x-trailer'] ?? '')));
    stream.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
      cancelAt(3);
    });
    stream.on('error', () => undefined);
    stream.on('close', () => resolve({ token, status, echoed, text, trailer, reset: stream.rstCode ?? 0 }));
    if (method === 'POST') stream.end(`body of ${token}`);
    cancelAt(0);
  });
}
