/** Owns a stream as bytes both ways: what extended CONNECT makes of it (RFC 8441), without heads and bodies. */
import { Duplex } from 'node:stream';
import type { Readable } from 'node:stream';

/** What a tunnel needs of its stream. */
export interface TunnelEnd {
  readonly body: Readable;
  /** False: wait for `onDrain`. */
  write(chunk: Buffer): boolean;
  /** Ends our side; `onSent` follows when all of it has left. */
  end(): void;
  /** Nothing more is sent or taken. */
  giveUp(isFault: boolean): void;
}

type Done = (error?: Error | null) => void;

export class StreamTunnel extends Duplex {
  readonly #end: TunnelEnd;
  #onRoom: Done | undefined;
  #onFinished: Done | undefined;

  constructor(end: TunnelEnd) {
    super({ allowHalfOpen: true });
    this.#end = end;
    end.body
      .on('data', (chunk: Buffer) => {
        if (!this.push(chunk)) end.body.pause();
      })
      .on('end', () => this.push(null))
      .on('close', () => {
        if (!end.body.readableEnded) this.destroy();
      })
      .pause();
  }

  onDrain(): void {
    const go = this.#onRoom;
    this.#onRoom = undefined;
    go?.();
  }

  onSent(): void {
    const done = this.#onFinished;
    this.#onFinished = undefined;
    done?.();
  }

  override _read(): void {
    this.#end.body.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: Done): void {
    if (this.#end.write(chunk)) done();
    else this.#onRoom = done;
  }

  override _final(done: Done): void {
    this.#onFinished = done;
    this.#end.end();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#end.giveUp(error !== null);
    done(error);
  }
}
