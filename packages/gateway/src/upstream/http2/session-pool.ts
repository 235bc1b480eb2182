/** Owns the HTTP/2 sessions with one endpoint: few of them, each filled before the next is opened. */
import type { ConnectionBudget } from '../cluster/connection-budget.ts';
import { failSoon } from '../fail-soon.ts';
import type { UpstreamExchange, UpstreamHandler, UpstreamRequest } from '../upstream.ts';
import { WaitingLine } from '../waiting-line.ts';
import { Http2Session } from './http2-session.ts';
import type { SessionOptions } from './http2-session.ts';

export interface SessionPoolOptions extends Omit<SessionOptions, 'onRoom' | 'onClose'> {
  readonly budget: ConnectionBudget;
}

export class SessionPool {
  readonly #options: SessionPoolOptions;
  readonly #sessions = new Set<Http2Session>();
  readonly #line: WaitingLine;

  constructor(options: SessionPoolOptions) {
    this.#options = options;
    this.#line = new WaitingLine(options.budget);
  }

  get isEmpty(): boolean {
    return this.#sessions.size === 0 && this.#line.isEmpty;
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    for (const session of this.#sessions) if (session.hasRoom) return session.send(request, handler);
    const { budget } = this.#options;
    if (budget.openConnection(this.#sessions.size === 0)) return this.#open().send(request, handler);
    return this.#line.join(request, handler) ?? failSoon(handler, 'overflow', 'too many requests');
  }

  /** Ends sessions that have been idle too long. */
  sweep(now: number): void {
    for (const session of this.#sessions) session.closeIfIdle(now);
  }

  /** Ends each session when its requests are done. */
  close(): void {
    for (const session of this.#sessions) session.retire();
  }

  #open(): Http2Session {
    const session: Http2Session = new Http2Session({
      ...this.#options,
      onRoom: () => this.#serveNext(),
      onClose: () => {
        this.#sessions.delete(session);
        this.#options.budget.closeConnection();
        this.#serveNext();
      },
    });
    this.#sessions.add(session);
    return session;
  }

  #serveNext(): void {
    if (this.#line.isEmpty) return;
    this.#line.next()?.begin((request, handler) => this.send(request, handler));
  }
}
