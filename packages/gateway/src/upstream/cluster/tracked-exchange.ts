/** Owns watching one exchange for its cluster: it tells once how it ended, whoever ended it. */
import type { FieldList } from '@kfctl/http';
import type { Duplex } from 'node:stream';
import type { AbortReason, UpstreamExchange, UpstreamFailure, UpstreamHandler, UpstreamHead } from '../upstream.ts';
import { outcomeOf } from './outliers.ts';
import type { Outcome } from './outliers.ts';

export class TrackedExchange implements UpstreamHandler, UpstreamExchange {
  readonly #handler: UpstreamHandler;
  readonly #onDone: (outcome: Outcome | undefined) => void;
  #exchange: UpstreamExchange | undefined;
  #status = 0;
  #isDone = false;

  /** `onDone` gets undefined when the end says nothing about the endpoint. */
  constructor(handler: UpstreamHandler, onDone: (outcome: Outcome | undefined) => void) {
    this.#handler = handler;
    this.#onDone = onDone;
  }

  begin(exchange: UpstreamExchange): void {
    this.#exchange = exchange;
  }

  resume(): void {
    this.#exchange?.resume();
  }

  abort(reason?: AbortReason): void {
    this.#finish(this.#outcomeOfAbort(reason));
    this.#exchange?.abort(reason);
  }

  #outcomeOfAbort(reason: AbortReason | undefined): Outcome | undefined {
    if (reason === 'answered') return outcomeOf(this.#status);
    return reason === 'timeout' ? 'local' : undefined;
  }

  onHead(head: UpstreamHead): void {
    this.#status = head.status;
    this.#handler.onHead(head);
  }

  onData(chunk: Buffer): boolean {
    return this.#handler.onData(chunk);
  }

  onEnd(trailers: FieldList): void {
    this.#finish(outcomeOf(this.#status));
    this.#handler.onEnd(trailers);
  }

  onUpgrade(head: UpstreamHead, stream: Duplex): void {
    this.#finish('ok');
    this.#handler.onUpgrade(head, stream);
  }

  onFailure(failure: UpstreamFailure): void {
    this.#finish(failure.kind === 'overflow' ? undefined : 'local');
    this.#handler.onFailure(failure);
  }

  #finish(outcome: Outcome | undefined): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#onDone(outcome);
  }
}
