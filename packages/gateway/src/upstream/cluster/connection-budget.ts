/** Owns counting connections and waiting requests against what a destination may have (Envoy's circuit breakers). */

export class ConnectionBudget {
  readonly #maxConnections: number;
  readonly #maxWaiting: number;
  #connections = 0;
  #waiting = 0;

  constructor(limits: { readonly maxConnections: number; readonly maxWaiting: number }) {
    this.#maxConnections = limits.maxConnections;
    this.#maxWaiting = limits.maxWaiting;
  }

  /** `isFirst`: the endpoint has none yet. It may always have one, so that no endpoint is cut off by others (Envoy does the same). */
  openConnection(isFirst: boolean): boolean {
    if (!isFirst && this.#connections >= this.#maxConnections) return false;
    this.#connections += 1;
    return true;
  }

  closeConnection(): void {
    this.#connections -= 1;
  }

  startWaiting(): boolean {
    if (this.#waiting >= this.#maxWaiting) return false;
    this.#waiting += 1;
    return true;
  }

  stopWaiting(): void {
    this.#waiting -= 1;
  }
}
