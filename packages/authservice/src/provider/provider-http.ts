/** Owns HTTP calls to the identity provider: bounded in time and size, no redirects followed, private authorities trusted where named. */
import type { IncomingMessage, RequestOptions } from 'node:http';
import type { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { providerFailed } from '../errors.ts';

const { Agent, request: httpRequest } = process.getBuiltinModule('node:http');

export interface ProviderRequest {
  readonly method?: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ProviderResponse {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

export interface ProviderHttp {
  /** Throws PROVIDER_FAILED when there is no whole answer in time. */
  send(request: ProviderRequest): Promise<ProviderResponse>;
  close(): void;
}

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1_048_576;

/** `ca`: PEM text of authorities to trust besides the system's. */
export function createProviderHttp(ca?: string): ProviderHttp {
  const agent = new Agent({ keepAlive: true, maxSockets: 32, timeout: 30_000 });
  let secure: Promise<Secure> | undefined;
  return {
    send: async ({ method = 'GET', url: address, headers, body }) => {
      const url = new URL(address);
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const options: RequestOptions = { method, headers: { accept: 'application/json', ...headers, ...length } };
      if (url.protocol === 'http:') return exchange(httpRequest(url, { ...options, agent }), body);
      secure ??= openSecure(ca);
      const { request, agent: secureAgent } = await secure;
      return exchange(request(url, { ...options, agent: secureAgent }), body);
    },
    close: () => {
      agent.destroy();
      void secure?.then((opened) => opened.agent.destroy());
    },
  };
}

interface Secure {
  readonly request: typeof httpsRequest;
  readonly agent: HttpsAgent;
}

/** TLS is loaded when the first https:// address is asked: the provider inside the cluster needs none. */
async function openSecure(ca: string | undefined): Promise<Secure> {
  const https = await import('node:https');
  const tls = await import('node:tls');
  const trusted = ca === undefined ? {} : { ca: [...tls.getCACertificates('default'), ca] };
  return {
    request: https.request,
    agent: new https.Agent({ keepAlive: true, maxSockets: 32, timeout: 30_000, ...trusted }),
  };
}

function exchange(outgoing: ReturnType<typeof httpRequest>, body: string | undefined): Promise<ProviderResponse> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => reject(providerFailed('the identity provider did not answer', cause));
    const timer = setTimeout(() => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
    outgoing.on('close', () => clearTimeout(timer));
    outgoing.on('error', fail);
    outgoing.on('response', (incoming) => {
      const { statusCode: status = 0, headers } = incoming;
      readText(incoming).then((text) => resolve({ status, contentType: headers['content-type'] ?? '', text }), fail);
    });
    outgoing.end(body);
  });
}

async function readText(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new Error(`answer is larger than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The body as a JSON object; throws when the status is not 200 or the body is something else. */
export function requireJsonObject(response: ProviderResponse, what: string): Readonly<Record<string, unknown>> {
  if (response.status !== 200) throw providerFailed(`${what} answered ${response.status}`);
  const value = parseJson(response.text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw providerFailed(`${what} is not a JSON object`);
  }
  return value as Record<string, unknown>;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
