/** Owns the connections to one endpoint: the most recently used is used first, so that those too many grow old and go. */
import { describeError } from '@kfctl/core';
import type { FieldNames } from '@kfctl/http';
import { Http1Connection } from './http1-connection.ts';
import type { ConnectionBudget } from './cluster/connection-budget.ts';
import { failSoon } from './fail-soon.ts';
import type { UpstreamTls } from './tls/upstream-tls.ts';
import { isReplayable } from './upstream.ts';
import type { UpstreamAddress, UpstreamExchange, UpstreamHandler, UpstreamRequest } from './upstream.ts';
import { WaitingLine } from './waiting-line.ts';

export interface ConnectionPoolOptions {
  readonly connectTimeoutMs: number;
  /** Beyond it requests wait, and beyond that they fail with `overflow`. */
  readonly budget: ConnectionBudget;
  readonly maxIdle: number;
  readonly names: FieldNames;
  /** Where all connections read into. */
  readonly readBuffer: Buffer;
  readonly tls: UpstreamTls | undefined;
  readonly idleMs: number;
  readonly keepAliveMs: number | undefined;
  readonly maxRequestsPerConnection: number;
}

const FRESH_MS = 1_500;

export class ConnectionPool {
  readonly #address: UpstreamAddress;
  readonly #options: ConnectionPoolOptions;
  readonly #all = new Set<Http1Connection>();
  readonly #idle: Http1Connection[] = [];
  readonly #line: WaitingLine;
  #isClosed = false;

  constructor(address: UpstreamAddress, options: ConnectionPoolOptions) {
    this.#address = address;
    this.#options = options;
    this.#line = new WaitingLine(options.budget);
  }

  /** Connections that are open. */
  get size(): number {
    return this.#all.size;
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    const idle = this.#takeIdle(request);
    if (idle !== undefined) return idle.send(request, handler);
    if (!this.#options.budget.openConnection(this.#all.size === 0)) {
      return this.#line.join(request, handler) ?? failSoon(handler, 'overflow', 'too many connections');
    }
    try {
      return this.#open(request.webSocket).send(request, handler);
    } catch (error) {
      // A certificate that is not there.
      this.#options.budget.closeConnection();
      return failSoon(handler, 'connect', describeError(error));
    }
  }

  /** Ends idle connections that have grown old. */
  sweep(now: number): void {
    for (const connection of this.#idle.filter((idle) => !idle.isUsable(now))) connection.close();
  }

  /** Ends idle connections now and busy ones when they are done. */
  close(): void {
    this.#isClosed = true;
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

  #open(webSocket: boolean): Http1Connection {
    const { connectTimeoutMs, names, readBuffer, tls } = this.#options;
    const connection = new Http1Connection({
      address: this.#address,
      connectTimeoutMs,
      names,
      readBuffer: webSocket || tls !== undefined ? undefined : readBuffer,
      tls,
      idleMs: this.#options.idleMs,
      keepAliveMs: this.#options.keepAliveMs,
      maxRequests: this.#options.maxRequestsPerConnection,
      onIdle: (idle) => this.#onIdle(idle),
      onClose: (closed) => this.#onClose(closed),
      onStale: () => this.#onStale(),
    });
    this.#all.add(connection);
    return connection;
  }

  #onIdle(connection: Http1Connection): void {
    const waiting = this.#line.isEmpty ? undefined : this.#line.next();
    if (waiting !== undefined) waiting.begin((request, handler) => connection.send(request, handler));
    else if (this.#idle.length < this.#options.maxIdle && !this.#isClosed) this.#idle.push(connection);
    else connection.close();
  }

  /** Those that are idle now may be as dead: a retry would only find out one by one. It comes next, and gets a new one. */
  #onStale(): void {
    for (const connection of this.#idle.splice(0)) connection.close();
  }

  #onClose(connection: Http1Connection): void {
    this.#options.budget.closeConnection();
    this.#all.delete(connection);
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
    if (this.#line.isEmpty) return;
    const waiting = this.#line.next();
    waiting?.begin((request, handler) => this.send(request, handler));
  }
}
