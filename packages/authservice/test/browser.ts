/** Owns a browser as far as logins need one: cookies by host, redirects, tabs that share the cookies. */
import { PUBLIC_ORIGIN, send } from './harness.ts';
import type { RawResponse } from './harness.ts';

const NAVIGATION = {
  accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  'user-agent': 'TestBrowser/1.0',
};

export interface Visited extends RawResponse {
  readonly url: string;
}

export class Browser {
  /** Cookies by host, as name to value. */
  readonly cookies: Map<string, Map<string, string>> = new Map();
  readonly #servicePort: number;
  readonly #upstreams: Readonly<Record<string, number>>;

  /**
   * The public origin leads to the AuthService, which answers 200 where a gateway would pass a request on. `upstreams`: ports by
   * path prefix, for what a gateway would pass on.
   */
  constructor(servicePort: number, upstreams: Readonly<Record<string, number>> = {}) {
    this.#servicePort = servicePort;
    this.#upstreams = upstreams;
  }

  /** Requests one address with the cookies of its host; keeps what is set; follows nothing. */
  async fetch(
    url: string,
    options: { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string } = {},
  ): Promise<Visited> {
    const { host, pathname, search } = new URL(url);
    const jar = this.#jar(host);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await send({
      port: this.#portOf(new URL(url)),
      path: pathname + search,
      ...(options.method === undefined ? {} : { method: options.method }),
      ...(options.body === undefined ? {} : { body: options.body }),
      headers: { host, ...NAVIGATION, ...(cookie === '' ? {} : { cookie }), ...options.headers },
    });
    for (const line of response.cookies) this.#keep(jar, line);
    return { ...response, url };
  }

  /** Opens a page as a person does: redirects are followed to the first answer that is none. */
  async open(url: string): Promise<Visited> {
    let visited = await this.fetch(url);
    for (let hops = 0; isRedirect(visited); hops += 1) {
      if (hops > 20) throw new Error(`too many redirects, last to ${visited.headers.location}`);
      visited = await this.fetch(new URL(visited.headers.location ?? '', visited.url).href);
    }
    return visited;
  }

  /** Fills in the provider's form; gives the answer before its redirects. */
  async submitLogin(form: Visited, account: string, password = 'x'): Promise<Visited> {
    const action = (/<form[^>]*action="([^"]*)"/.exec(form.body)?.[1] ?? '').replaceAll('&amp;', '&');
    return await this.fetch(new URL(action, form.url).href, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ prompt: 'login', login: account, password }).toString(),
    });
  }

  /** Follows redirects until one leads to the callback; gives that address without going there. */
  async untilCallback(from: Visited): Promise<string> {
    let visited = from;
    while (isRedirect(visited)) {
      const next = new URL(visited.headers.location ?? '', visited.url).href;
      if (next.startsWith(`${PUBLIC_ORIGIN}/login/oidc?`)) return next;
      visited = await this.fetch(next);
    }
    throw new Error(`no callback, but ${visited.status} from ${visited.url}: ${visited.body.slice(0, 500)}`);
  }

  /** From a page to the callback's address, logging in on the way. */
  async loginUpToCallback(path: string, account: string): Promise<string> {
    const start = await this.fetch(PUBLIC_ORIGIN + path);
    const form = await this.open(start.headers.location ?? '');
    // A provider that knows the browser already goes straight back.
    if (form.url.startsWith(PUBLIC_ORIGIN)) throw new Error('the provider did not ask for a login');
    return await this.untilCallback(await this.submitLogin(form, account));
  }

  /** Logs in from a page, up to the page. */
  async login(path: string, account: string): Promise<Visited> {
    return await this.open(await this.loginUpToCallback(path, account));
  }

  cookie(name: string): string | undefined {
    return this.#jar(new URL(PUBLIC_ORIGIN).host).get(name);
  }

  forget(name: string): void {
    this.#jar(new URL(PUBLIC_ORIGIN).host).delete(name);
  }

  cookieNames(): string[] {
    return [...this.#jar(new URL(PUBLIC_ORIGIN).host).keys()];
  }

  #portOf({ host, port, pathname }: URL): number {
    if (host !== new URL(PUBLIC_ORIGIN).host) return Number(port);
    const upstream = Object.keys(this.#upstreams).find((prefix) => pathname.startsWith(prefix));
    return upstream === undefined ? this.#servicePort : (this.#upstreams[upstream] ?? 0);
  }

  #jar(host: string): Map<string, string> {
    const jar = this.cookies.get(host) ?? new Map<string, string>();
    this.cookies.set(host, jar);
    return jar;
  }

  #keep(jar: Map<string, string>, line: string): void {
    const [pair = '', ...attributes] = line.split(/; */);
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals);
    const gone = attributes.some((attribute) => /^(max-age=0|expires=thu, 01 jan 1970.*)$/i.test(attribute));
    if (gone) jar.delete(name);
    else jar.set(name, pair.slice(equals + 1));
  }
}

function isRedirect({ status }: RawResponse): boolean {
  return status >= 300 && status < 400;
}
