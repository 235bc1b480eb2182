/** Owns the connections to one endpoint: the most recently used is used first, so that those too many grow old and go. */
import type { FieldNames } from '@kfctl/http';
import { Http1Connection } from './http1-connection.ts';
import { isReplayable } from './upstream.ts';
import type { UpstreamAddress, UpstreamExchange, UpstreamHandler, UpstreamRequest } from './upstream.ts';

export interface ConnectionPoolOptions {
  readonly connectTimeoutMs: number;
  /** Beyond it requests fail with `overflow`. */
  readonly maxConnections: number;
  readonly maxIdle: number;
  readonly names: FieldNames;
  /** Where all connections read into. */
  readonly readBuffer: Buffer;
}

const FRESH_MS = 1_500;
const NEVER: UpstreamExchange = { resume: () => undefined, abort: () => undefined };

export class ConnectionPool {
  readonly #address: UpstreamAddress;
  readonly #options: ConnectionPoolOptions;
  readonly #all = new Set<Http1Connection>();
  readonly #idle: Http1Connection[] = [];

  constructor(address: UpstreamAddress, options: ConnectionPoolOptions) {
    this.#address = address;
    this.#options = options;
  }

  /** Connections that are open. */
  get size(): number {
    return this.#all.size;
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    const connection = this.#takeIdle(request) ?? this.#open(request.webSocket);
    return connection === undefined ? overflow(handler) : connection.send(request, handler);
  }

  /** Ends idle connections that have grown old. */
  sweep(now: number): void {
    for (const connection of this.#idle.filter((idle) => !idle.isUsable(now))) connection.close();
  }

  /** Ends idle connections now and busy ones when they are done. */
  close(): void {
    for (const connection of this.#all) connection.close();
  }

  /** A request that cannot be sent twice gets a connection that served a moment ago, or a new one: a long idle one may be dead already. */
  #takeIdle(request: UpstreamRequest): Http1Connection | undefined {
    if (request.webSocket) return undefined;
    const now = performance.now();
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.isUsable(now, isReplayable(request) ? Infinity : FRESH_MS)) return connection;
      connection.close();
    }
    return undefined;
  }

  #open(webSocket: boolean): Http1Connection | undefined {
    const { connectTimeoutMs, names, readBuffer, maxConnections, maxIdle } = this.#options;
    if (this.#all.size >= maxConnections) return undefined;
    const connection = new Http1Connection({
      address: this.#address,
      connectTimeoutMs,
      names,
      readBuffer: webSocket ? undefined : readBuffer,
      onIdle: (idle) => {
        if (this.#idle.length < maxIdle) this.#idle.push(idle);
        else idle.close();
      },
      onClose: (closed) => {
        this.#all.delete(closed);
        const index = this.#idle.indexOf(closed);
        if (index >= 0) this.#idle.splice(index, 1);
      },
    });
    this.#all.add(connection);
    return connection;
  }
}

function overflow(handler: UpstreamHandler): UpstreamExchange {
  queueMicrotask(() =>
    handler.onFailure({ kind: 'overflow', sent: false, reused: false, detail: 'too many connections' }),
  );
  return NEVER;
}
