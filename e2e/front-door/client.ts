/** Owns a browser as far as a front door needs one: a cookie jar, redirects of its own origin, headers exactly as given. */
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { PASSWORD, USER } from '../../packages/testkit/src/front-door/platform.ts';

export const HOST = 'gateway.example.com';
export const PAGE: Readonly<Record<string, string>> = {
  accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
  'sec-fetch-mode': 'navigate',
};
export const PROGRAM: Readonly<Record<string, string>> = { accept: 'application/json', 'sec-fetch-mode': 'cors' };

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly path: string;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
}

export class Client {
  readonly #jar = new Map<string, string>();
  readonly #port: number;
  readonly #tls: boolean;

  constructor({ port, tls }: { readonly port: number; readonly tls: boolean }) {
    this.#port = port;
    this.#tls = tls;
  }

  cookie(name: string): string | undefined {
    return this.#jar.get(name);
  }

  /** One request with the jar's cookies; follows nothing. */
  async ask(path: string, { method = 'GET', headers = PAGE, body }: Ask = {}): Promise<Reply> {
    const cookie = [...this.#jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const all = { host: HOST, connection: 'close', ...(cookie === '' ? {} : { cookie }), ...headers };
    const options = { host: '127.0.0.1', port: this.#port, path, method, headers: all, agent: false };
    const reply = await new Promise<Reply>((resolve, reject) => {
      const request = this.#tls
        ? httpsRequest({ ...options, servername: HOST, rejectUnauthorized: false })
        : httpRequest(options);
      request.on('error', reject);
      request.on('upgrade', (message: IncomingMessage, socket) => {
        socket.destroy();
        resolve({ status: message.statusCode ?? 0, headers: message.headers, body: '', path });
      });
      request.on('response', (message) => {
        let text = '';
        message.setEncoding('utf8').on('data', (chunk: string) => void (text += chunk));
        message.on('error', reject);
        message.on('end', () =>
          resolve({ status: message.statusCode ?? 0, headers: message.headers, body: text, path }),
        );
      });
      request.end(body);
    });
    for (const line of reply.headers['set-cookie'] ?? []) this.#keep(line);
    return reply;
  }

  /** A WebSocket handshake. */
  webSocket(path: string): Promise<Reply> {
    return this.ask(path, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-fetch-mode': 'websocket',
      },
    });
  }

  /** Opens a page: redirects are followed; one that leaves this origin is an error. */
  async open(path: string, first: Ask = {}): Promise<Reply> {
    let reply = await this.ask(path, first);
    for (let hops = 0; reply.status >= 300 && reply.status < 400; hops += 1) {
      if (hops > 10) throw new Error(`too many redirects, last to ${reply.headers.location}`);
      const base = `http${this.#tls ? 's' : ''}://${HOST}`;
      const next = new URL(reply.headers.location ?? '', base + reply.path);
      if (next.host !== HOST) throw new Error(`led away to ${next.href}`);
      reply = await this.ask(next.pathname + next.search);
    }
    return reply;
  }

  /** From a page through the login form back to where that leads. */
  async logIn(path: string): Promise<Reply> {
    const form = await this.open(path);
    const action = (/<form[^>]*action="([^"]*)"/.exec(form.body)?.[1] ?? '').replaceAll('&amp;', '&');
    if (!form.body.includes('<form')) throw new Error(`no login form, but ${form.status} at ${form.path}`);
    const { pathname, search } = new URL(action, `http://${HOST}${form.path}`);
    return await this.open(pathname + search, {
      method: 'POST',
      headers: {
        ...PAGE,
        'content-type': 'application/x-www-form-urlencoded',
        origin: `http${this.#tls ? 's' : ''}://${HOST}`,
        'sec-fetch-site': 'same-origin',
      },
      body: new URLSearchParams({ login: USER, password: PASSWORD }).toString(),
    });
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(/; */);
    const equals = pair.indexOf('=');
    const gone = attributes.some((attribute) => /^(max-age=0|expires=thu, 01 jan 1970.*)$/i.test(attribute));
    if (gone) this.#jar.delete(pair.slice(0, equals));
    else this.#jar.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
}
