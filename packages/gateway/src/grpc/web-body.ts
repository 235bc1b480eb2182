/** Owns the body of a grpc-web request on its way: text becomes bytes, and what is no sequence of messages goes no further. */
import { Readable } from 'node:stream';

/** Each message: one byte of flags, four of length (gRPC over HTTP/2). */
const PREFIX_BYTES = 5;
const COMPRESSED = 1;

/** Follows the messages in a body, however it is cut. Nothing is kept of them. */
export class MessageScanner {
  #prefix = 0;
  #length = 0;
  /** Of the message that has begun. */
  #left = 0;

  /** All messages so far are whole. */
  get isBetween(): boolean {
    return this.#prefix === 0 && this.#left === 0;
  }

  /** False: a flag that requests do not have (trailers of a request among them: nobody has judged those). */
  push(bytes: Buffer): boolean {
    let at = 0;
    while (at < bytes.length) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, bytes.length - at);
        this.#left -= step;
        at += step;
      } else {
        const byte = bytes[at] ?? 0;
        if (this.#prefix === 0 && byte > COMPRESSED) return false;
        this.#readPrefix(byte);
        at += 1;
      }
    }
    return true;
  }

  #readPrefix(byte: number): void {
    if (this.#prefix > 0) this.#length = this.#length * 256 + byte;
    this.#prefix += 1;
    if (this.#prefix < PREFIX_BYTES) return;
    this.#left = this.#length;
    this.#length = 0;
    this.#prefix = 0;
  }
}

const PLAIN = /^[A-Za-z0-9+/]*$/;
const PADDED = /^[A-Za-z0-9+/]+={1,2}$/;

/** Base64 (RFC 4648 section 4) in pieces. Padding may stand in the middle: clients encode each message by itself. */
export class Base64Decoder {
  #rest = '';

  get isBetween(): boolean {
    return this.#rest === '';
  }

  /** Undefined: this is no base64. */
  push(chunk: Buffer): Buffer | undefined {
    const text = this.#rest + chunk.toString('latin1');
    const whole = text.length - (text.length % 4);
    this.#rest = text.slice(whole);
    const pieces: Buffer[] = [];
    for (let at = 0; at < whole;) {
      const mark = text.indexOf('=', at);
      const isPadded = mark >= 0 && mark < whole;
      const end = isPadded ? mark - (mark % 4) + 4 : whole;
      const piece = text.slice(at, end);
      if (!(isPadded ? PADDED : PLAIN).test(piece)) return undefined;
      pieces.push(Buffer.from(piece, 'base64'));
      at = end;
    }
    return Buffer.concat(pieces);
  }
}

/** The messages as gRPC has them. `onBad` is told once when there is something else; the body then breaks off. */
export function readWebBody(source: Readable, isText: boolean, onBad: () => void): Readable {
  const decoder = isText ? new Base64Decoder() : undefined;
  const scanner = new MessageScanner();
  const body = new Readable({ read: () => void source.resume() });
  let isOver = false;
  const fail = (): void => {
    isOver = true;
    onBad();
    body.destroy();
  };
  const onBreak = (): void => {
    if (!isOver) body.destroy();
    isOver = true;
  };
  source.on('data', (chunk: Buffer) => {
    if (isOver) return;
    const bytes = decoder === undefined ? chunk : decoder.push(chunk);
    if (bytes === undefined || !scanner.push(bytes)) return fail();
    if (bytes.length > 0 && !body.push(bytes)) source.pause();
  });
  source.on('end', () => {
    if (isOver) return;
    // A message that is cut short is none.
    if (decoder?.isBetween === false || !scanner.isBetween) return fail();
    isOver = true;
    body.push(null);
  });
  source.on('close', onBreak).on('error', onBreak).pause();
  return body;
}
