/** Owns who may send next: streams whose answers wait for room take turns of a frame each, within the connection's window (RFC 9113 section 5.2). */
import type { FrameWriter } from './frame-writer.ts';
import { DEFAULT_WINDOW, MAX_WINDOW } from './protocol.ts';

export interface Sender {
  readonly id: number;
  /** What the client takes of this stream; below 0 after it has made all windows smaller. */
  sendWindow: number;
  /** It is in the line. The line's alone to change. */
  isInLine: boolean;
  /** It has bytes, or an end, that it could not send. */
  readonly isWaiting: boolean;
  /** Sends one frame; false: there is no room for it. */
  sendNext(): boolean;
}

export class SendTurns {
  readonly #writer: FrameWriter;
  readonly #line: Sender[] = [];
  readonly #onSent: (bytes: number, isWhole: boolean) => void;
  #window = DEFAULT_WINDOW;
  #isGoing = false;

  /** `isWhole`: there was room for all that was to be sent. */
  constructor(writer: FrameWriter, onSent: (bytes: number, isWhole: boolean) => void) {
    this.#writer = writer;
    this.#onSent = onSent;
  }

  /** Sends what there is room for, and gives how much that was. */
  send(sender: Sender, chunk: Buffer): number {
    let sent = 0;
    while (sent < chunk.length) {
      const size = Math.min(chunk.length - sent, this.#writer.room, sender.sendWindow, this.#window);
      if (size <= 0) break;
      this.#writer.data(sender.id, size === chunk.length ? chunk : chunk.subarray(sent, sent + size));
      sender.sendWindow -= size;
      this.#window -= size;
      sent += size;
    }
    if (sent > 0) this.#onSent(sent, sent === chunk.length);
    return sent;
  }

  wait(sender: Sender): void {
    if (sender.isInLine) return;
    sender.isInLine = true;
    this.#line.push(sender);
  }

  /** The client takes so much more; false: more than a window can be (section 6.9.1). */
  widen(bytes: number): boolean {
    this.#window += bytes;
    return this.#window <= MAX_WINDOW;
  }

  /** Goes on with those who wait. */
  go(): void {
    // What a stream is told when it has sent everything may lead back here.
    if (this.#isGoing) return;
    this.#isGoing = true;
    for (let idle = 0; idle < this.#line.length;) {
      const sender = this.#line.shift();
      if (sender === undefined) break;
      sender.isInLine = false;
      idle = sender.isWaiting && sender.sendNext() ? 0 : idle + 1;
      if (sender.isWaiting) this.wait(sender);
      else idle = 0;
    }
    this.#isGoing = false;
  }
}
