/** Owns the gathering of a request's whole body in memory, within a limit. */
import { AppError } from '@kfctl/core';
import type { BodyTaker, Http1Downstream } from '../connection/http1-downstream.ts';

const EMPTY = Buffer.alloc(0);

/** Rejects with AppError 413 beyond `maxBytes`, and when the client goes away. Once for each request. */
export function collectBody(downstream: Http1Downstream, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => downstream.takeBody(new Collector(maxBytes, resolve, reject)));
}

class Collector implements BodyTaker {
  readonly #maxBytes: number;
  readonly #resolve: (body: Buffer) => void;
  readonly #reject: (error: Error) => void;
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor(maxBytes: number, resolve: (body: Buffer) => void, reject: (error: Error) => void) {
    this.#maxBytes = maxBytes;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  push(chunk: Buffer | null): boolean {
    if (chunk === null) {
      const [only = EMPTY] = this.#chunks;
      this.#resolve(this.#chunks.length <= 1 ? only : Buffer.concat(this.#chunks));
      return true;
    }
    this.#size += chunk.length;
    // What is too much is not kept.
    if (this.#size <= this.#maxBytes) this.#chunks.push(chunk);
    else this.#reject(tooLarge(this.#maxBytes));
    return this.#size <= this.#maxBytes;
  }

  destroy(): void {
    this.#reject(new Error('the client went away while sending its request'));
  }
}

function tooLarge(maxBytes: number): AppError {
  return new AppError('BODY_TOO_LARGE', `request body is larger than ${maxBytes} bytes`, {
    status: 413,
    public: 'request body too large',
  });
}
