/** Owns HTTP exchanges with one API server: connections, credentials, retries that are always safe. It knows no resources. */
import type { Agent, IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { AppError, delay } from '@kfctl/core';
import type { KubeConfig, KubeCredential } from '../config/kube-config.ts';
import { retryDelayMs } from './retry-delay.ts';

export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds of silence after which the exchange fails; 60 s when absent. Every byte starts it anew. */
  readonly idleTimeoutMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The body; must be read to its end or destroyed. */
  readonly stream: IncomingMessage;
}

export interface Transport {
  send(exchange: Exchange): Promise<Answer>;
  close(): void;
}

// Not `import`: that reads every export of node:http, whose WebSocket getter loads undici (16 MB and 20 ms instead of 3 MB and 3 ms).
const { Agent: HttpAgent, request: httpRequest } = process.getBuiltinModule('node:http');

const MAX_ATTEMPTS = 5;
// Go's API server ends idle connections after 90 s: leave before it does, so that no request meets a closing one.
const IDLE_CONNECTION_MS = 55_000;
const DEFAULT_IDLE_TIMEOUT_MS = 60_000;

/** Creates the transport of one client. */
export function createTransport(config: KubeConfig): Transport {
  const base = new URL(config.server);
  const agents = createAgents(config, base);
  const prefix = base.pathname.replace(/\/+$/, '');
  const attempt = async (exchange: Exchange): Promise<Answer> => {
    const credential = await config.credentials.current();
    const headers = {
      accept: 'application/json',
      'user-agent': 'kfctl',
      ...config.headers,
      ...exchange.headers,
      ...(credential.authorization ? { authorization: credential.authorization.reveal() } : {}),
      ...(exchange.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(exchange.body)) }),
    } as Record<string, string | string[]>;
    const options: RequestOptions = {
      method: exchange.method,
      protocol: base.protocol,
      hostname: base.hostname.replace(/^\[|\]$/g, ''),
      port: base.port || (base.protocol === 'https:' ? 443 : 80),
      path: prefix + exchange.path,
      headers,
      agent: agents.of(credential),
    };
    return exchangeOnce(options, exchange, config);
  };
  return { send: (exchange) => withRetries(config, exchange, attempt), close: () => agents.close() };
}

/** Retries only what cannot have been acted on: a refusal to serve (429, 503 with Retry-After), 401 with a newer credential, a stale connection. */
async function withRetries(
  config: KubeConfig,
  exchange: Exchange,
  attempt: (exchange: Exchange) => Promise<Answer>,
): Promise<Answer> {
  let renewed = false;
  for (let count = 1; ; count += 1) {
    const answer = await attempt(exchange).catch((error: unknown) => {
      if (count < MAX_ATTEMPTS && isStaleConnection(error) && exchange.method === 'GET') return undefined;
      throw error;
    });
    if (answer === undefined) continue;
    if (answer.status === 401 && !renewed && config.credentials.invalidate()) {
      renewed = true;
      answer.stream.resume();
      continue;
    }
    const waitMs = count < MAX_ATTEMPTS ? retryDelayMs(answer) : undefined;
    if (waitMs === undefined || exchange.path.endsWith('/eviction')) return answer;
    answer.stream.resume();
    await delay(waitMs, exchange.signal);
    exchange.signal?.throwIfAborted();
  }
}

function exchangeOnce(options: RequestOptions, exchange: Exchange, config: KubeConfig): Promise<Answer> {
  return new Promise((resolve, reject) => {
    exchange.signal?.throwIfAborted();
    const send = options.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send({ ...options, ...(exchange.signal ? { signal: exchange.signal } : {}) });
    const idleMs = exchange.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS;
    request.setTimeout(idleMs, () => {
      request.destroy(Object.assign(new Error(`no byte for ${Math.round(idleMs / 1000)} s`), { code: 'ETIMEDOUT' }));
    });
    request.on('response', (stream) => resolve({ status: stream.statusCode ?? 0, headers: stream.headers, stream }));
    request.on('error', (cause: NodeJS.ErrnoException) => {
      if (exchange.signal?.aborted === true) return reject(exchange.signal.reason);
      reject(unreachable(cause, { config, stale: request.reusedSocket && isResetCode(cause.code) }));
    });
    request.end(exchange.body);
  });
}

class UnreachableError extends AppError {
  readonly stale: boolean;
  constructor(message: string, options: { readonly hint: string; readonly cause: unknown; readonly stale: boolean }) {
    super('KUBE_UNREACHABLE', message, { hint: options.hint, cause: options.cause, status: 503 });
    this.stale = options.stale;
  }
}

function unreachable(
  cause: NodeJS.ErrnoException,
  context: { readonly config: KubeConfig; readonly stale: boolean },
): AppError {
  const { config, stale } = context;
  const certificate = /CERT|SIGNATURE|ALTNAME|UNABLE_TO/.test(cause.code ?? '');
  const hint = certificate
    ? 'Check the certificate authority and the server name of the cluster in the kubeconfig.'
    : 'Check that the cluster runs and that its address can be reached from here.';
  return new UnreachableError(`cannot reach the API server ${config.server} (${config.source})`, {
    hint,
    cause,
    stale,
  });
}

function isResetCode(code: string | undefined): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function isStaleConnection(error: unknown): boolean {
  return error instanceof UnreachableError && error.stale;
}

interface Agents {
  of(credential: KubeCredential): Agent;
  close(): void;
}

/** One keep-alive agent, replaced when an exec plugin hands out another client certificate. */
function createAgents(config: KubeConfig, base: URL): Agents {
  const shared = {
    keepAlive: true,
    maxFreeSockets: 8,
    timeout: IDLE_CONNECTION_MS,
    ...(config.proxyUrl === undefined
      ? {}
      : { proxyEnv: { HTTPS_PROXY: config.proxyUrl, HTTP_PROXY: config.proxyUrl } }),
  };
  const build = (credential: KubeCredential): Agent =>
    base.protocol === 'https:'
      ? new HttpsAgent({ ...shared, ...tlsOptions(config, credential) })
      : new HttpAgent(shared);
  let agent: Agent | undefined;
  let cert: string | undefined;
  return {
    of: (credential) => {
      if (agent !== undefined && credential.certificate?.cert === cert) return agent;
      cert = credential.certificate?.cert;
      agent = build(credential);
      return agent;
    },
    close: () => agent?.destroy(),
  };
}

/** TLS connection options of a config with a credential; shared with the WebSocket streams. */
export function tlsOptions(config: KubeConfig, credential: KubeCredential): Record<string, unknown> {
  const { ca, serverName, insecureSkipVerify } = config.tls;
  const cert = credential.certificate?.cert ?? config.tls.cert;
  const key = credential.certificate?.key ?? config.tls.key;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key: key.reveal() }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(insecureSkipVerify === true ? { rejectUnauthorized: false } : {}),
    minVersion: 'TLSv1.2',
  };
}
