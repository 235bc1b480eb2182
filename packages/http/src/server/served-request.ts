/** Owns a request as handlers see it: what few handlers ask for is made when it is asked for, the body within its limit. */
import { randomToken } from '@kfctl/core';
import type { DownstreamListener } from '../connection/downstream.ts';
import type { Http1Downstream } from '../connection/http1-downstream.ts';
import type { ServedHead } from '../head/judge-head.ts';
import { collectBody } from './collect-body.ts';
import type { HttpRequest } from './message.ts';

const NO_PARAMS: HttpRequest['params'] = Object.freeze({});

export class ServedRequest implements HttpRequest, DownstreamListener {
  readonly method: string;
  readonly path: string;
  readonly headers: HttpRequest['headers'];
  readonly remoteAddress: string;
  readonly params: HttpRequest['params'] = NO_PARAMS;
  readonly #downstream: Http1Downstream;
  readonly #maxBodyBytes: number;
  readonly #search: string;
  #isGone = false;
  #id: string | undefined;
  #query: URLSearchParams | undefined;
  #abort: AbortController | undefined;
  #body: Promise<Buffer> | undefined;
  #onDrain: (() => void) | undefined;

  constructor(downstream: Http1Downstream, { method, target, headers }: ServedHead, maxBodyBytes: number) {
    const mark = target.indexOf('?');
    this.method = method;
    this.path = mark < 0 ? target : target.slice(0, mark);
    this.headers = headers;
    this.remoteAddress = downstream.remoteAddress;
    this.#search = mark < 0 ? '' : target.slice(mark + 1);
    this.#downstream = downstream;
    this.#maxBodyBytes = maxBodyBytes;
    downstream.listener = this;
  }

  get id(): string {
    return (this.#id ??= randomToken(9));
  }

  get query(): URLSearchParams {
    return (this.#query ??= new URLSearchParams(this.#search));
  }

  /** The client went away before its answer was complete. */
  get isGone(): boolean {
    return this.#isGone;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#isGone) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  body(maxBytes: number = this.#maxBodyBytes): Promise<Buffer> {
    return (this.#body ??= collectBody(this.#downstream, maxBytes));
  }

  /** Called once when the client can take more. */
  whenDrained(resume: () => void): void {
    this.#onDrain = resume;
  }

  onDrain(): void {
    const resume = this.#onDrain;
    this.#onDrain = undefined;
    resume?.();
  }

  onGone(): void {
    this.#isGone = true;
    this.#abort?.abort();
  }
}
