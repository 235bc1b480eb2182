/** Owns the writing of frames (RFC 9113 section 6), each whole in one piece of memory. */
import { NO_ROOM } from './hpack/encoder.ts';
import type { HpackEncoder } from './hpack/encoder.ts';
import type { PieceOutput } from './piece-output.ts';
import { FLAG, FRAME, FRAME_HEAD_BYTES, MAX_FRAME_BYTES } from './protocol.ts';

/** RFC 7541 section 6.3: a table of size 0. The peer need not keep one. */
const NO_TABLE = 0x20;
/** Most heads have room in this. */
const USUAL_HEAD_BYTES = 2_048;
/** Beside its name and value, a field takes no more. */
const FIELD_OVERHEAD = 16;

export interface SentHead {
  readonly stream: number;
  /** Undefined: these are trailers. */
  readonly status: number | undefined;
  readonly fields: readonly string[];
  readonly endsStream: boolean;
}

export class FrameWriter {
  readonly #out: PieceOutput;
  readonly #encoder: HpackEncoder;
  #saysNoTable = false;
  /** Where the DATA frame stands that was written last, and in which piece. */
  #dataAt = 0;
  #dataPiece = -1;
  #dataStream = 0;

  constructor(out: PieceOutput, encoder: HpackEncoder) {
    this.#out = out;
    this.#encoder = encoder;
  }

  /** Bytes of DATA that can be written now. */
  get room(): number {
    return Math.min(MAX_FRAME_BYTES, this.#out.room - FRAME_HEAD_BYTES);
  }

  /** At most `room` bytes; they are copied. */
  data(stream: number, chunk: Buffer): void {
    const out = this.#out;
    const start = this.#begin(FRAME.data, stream, chunk.length);
    chunk.copy(out.piece, out.used);
    out.used += chunk.length;
    [this.#dataAt, this.#dataPiece, this.#dataStream] = [start, out.number, stream];
  }

  /** The end of a stream: said by its last DATA frame where that has not left yet. */
  endData(stream: number): void {
    const { piece, number } = this.#out;
    if (this.#dataStream === stream && this.#dataPiece === number) piece[this.#dataAt + 4] = FLAG.endStream;
    else this.#flag(this.#begin(FRAME.data, stream, 0), FLAG.endStream);
  }

  head(head: SentHead): void {
    if (!this.#shortHead(head)) this.#longHead(head);
    this.#saysNoTable = false;
  }

  /** The next head says that no table is used (RFC 7541 section 4.2). */
  announceTable(): void {
    this.#saysNoTable = true;
  }

  /** A frame of numbers with 32 bits each. */
  numbers(type: number, stream: number, numbers: readonly number[]): void {
    // Room that is told of before an answer ends is to be there before its end.
    if (type === FRAME.windowUpdate) this.#dataStream = 0;
    this.#begin(type, stream, numbers.length * 4);
    for (const number of numbers) this.#number(number);
  }

  settings(values: readonly (readonly [id: number, value: number])[]): void {
    const out = this.#out;
    this.#begin(FRAME.settings, 0, values.length * 6);
    for (const [id, value] of values) {
      out.piece[out.used++] = id >> 8;
      out.piece[out.used++] = id & 0xff;
      this.#number(value);
    }
  }

  settingsAck(): void {
    this.#flag(this.#begin(FRAME.settings, 0, 0), FLAG.ack);
  }

  /** `payload`: eight bytes. */
  ping(payload: Buffer, isAck: boolean): void {
    const out = this.#out;
    const start = this.#begin(FRAME.ping, 0, payload.length);
    if (isAck) this.#flag(start, FLAG.ack);
    payload.copy(out.piece, out.used);
    out.used += payload.length;
  }

  /** False: it has more than one frame. */
  #shortHead({ stream, status, fields, endsStream }: SentHead): boolean {
    const out = this.#out;
    out.reserve(USUAL_HEAD_BYTES);
    const start = this.#begin(FRAME.headers, stream, 0);
    if (this.#saysNoTable) out.piece[out.used++] = NO_TABLE;
    const block = status === undefined ? out.used : this.#encoder.write(statusField(status), out.piece, out.used);
    const end = this.#encoder.write(fields, out.piece, block);
    const length = end - start - FRAME_HEAD_BYTES;
    if (end === NO_ROOM || length > MAX_FRAME_BYTES) {
      out.used = start;
      return false;
    }
    out.used = end;
    writeLength(out.piece, start, length);
    this.#flag(start, FLAG.endHeaders | (endsStream ? FLAG.endStream : 0));
    return true;
  }

  #longHead({ stream, status, fields: others, endsStream }: SentHead): void {
    const fields = status === undefined ? others : [...statusField(status), ...others];
    const size = fields.reduce((sum, text) => sum + text.length + FIELD_OVERHEAD, 1);
    const block = Buffer.alloc(size, NO_TABLE);
    const end = this.#encoder.write(fields, block, this.#saysNoTable ? 1 : 0);
    for (let from = 0; from < end; from += MAX_FRAME_BYTES) {
      const part = block.subarray(from, Math.min(end, from + MAX_FRAME_BYTES));
      const start = this.#begin(from === 0 ? FRAME.headers : FRAME.continuation, stream, part.length);
      part.copy(this.#out.piece, this.#out.used);
      this.#out.used += part.length;
      const isLast = from + part.length === end;
      this.#flag(start, (from === 0 && endsStream ? FLAG.endStream : 0) | (isLast ? FLAG.endHeaders : 0));
    }
  }

  /** Writes the head of a frame and gives where it stands; there is room for its payload. */
  #begin(type: number, stream: number, length: number): number {
    const out = this.#out;
    out.reserve(FRAME_HEAD_BYTES + length);
    const { piece, used } = out;
    writeLength(piece, used, length);
    piece[used + 3] = type;
    piece[used + 4] = 0;
    piece[used + 5] = stream >>> 24;
    piece[used + 6] = stream >>> 16;
    piece[used + 7] = stream >>> 8;
    piece[used + 8] = stream;
    out.used = used + FRAME_HEAD_BYTES;
    return used;
  }

  #flag(start: number, flags: number): void {
    this.#out.piece[start + 4] = flags;
  }

  #number(value: number): void {
    const out = this.#out;
    out.piece[out.used++] = value >>> 24;
    out.piece[out.used++] = value >>> 16;
    out.piece[out.used++] = value >>> 8;
    out.piece[out.used++] = value;
  }
}

const statusFields: (readonly string[])[] = [];

function statusField(status: number): readonly string[] {
  return (statusFields[status] ??= [':status', String(status)]);
}

function writeLength(piece: Buffer, at: number, length: number): void {
  piece[at] = length >>> 16;
  piece[at + 1] = length >>> 8;
  piece[at + 2] = length;
}
