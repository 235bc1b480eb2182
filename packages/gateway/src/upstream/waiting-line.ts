/** Owns requests that wait for a connection of their endpoint, first come, first served. */
import type { ConnectionBudget } from './cluster/connection-budget.ts';
import type { AbortReason, UpstreamExchange, UpstreamHandler, UpstreamRequest } from './upstream.ts';

/** An exchange that has not begun, and stands for the one that takes its place. */
export class WaitingRequest implements UpstreamExchange {
  readonly request: UpstreamRequest;
  readonly handler: UpstreamHandler;
  readonly #leave: (waiting: WaitingRequest) => void;
  #exchange: UpstreamExchange | undefined;

  constructor(request: UpstreamRequest, handler: UpstreamHandler, leave: (waiting: WaitingRequest) => void) {
    this.request = request;
    this.handler = handler;
    this.#leave = leave;
  }

  begin(send: (request: UpstreamRequest, handler: UpstreamHandler) => UpstreamExchange): void {
    this.#exchange = send(this.request, this.handler);
  }

  resume(): void {
    this.#exchange?.resume();
  }

  abort(reason?: AbortReason): void {
    if (this.#exchange === undefined) this.#leave(this);
    else this.#exchange.abort(reason);
  }
}

export class WaitingLine {
  readonly #budget: ConnectionBudget;
  readonly #line = new Set<WaitingRequest>();

  constructor(budget: ConnectionBudget) {
    this.#budget = budget;
  }

  get isEmpty(): boolean {
    return this.#line.size === 0;
  }

  /** Undefined: too many wait. */
  join(request: UpstreamRequest, handler: UpstreamHandler): WaitingRequest | undefined {
    if (!this.#budget.startWaiting()) return undefined;
    const waiting = new WaitingRequest(request, handler, (gone) => this.#remove(gone));
    this.#line.add(waiting);
    return waiting;
  }

  /** The next in line leaves it. */
  next(): WaitingRequest | undefined {
    const [first] = this.#line;
    if (first !== undefined) this.#remove(first);
    return first;
  }

  #remove(waiting: WaitingRequest): void {
    if (this.#line.delete(waiting)) this.#budget.stopWaiting();
  }
}
