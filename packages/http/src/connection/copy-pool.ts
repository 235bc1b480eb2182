/**
 * Owns the memory that large pieces of answers are copied into on their way out. Left to the collector, it would stand at hundreds of
 * megabytes under load: such memory is outside of its heap and does not make it run.
 */

export interface CopyPool {
  /** A buffer of `size` bytes that is the caller's until `giveBack`. */
  take(size: number): Buffer;
  /** Only once the write of the buffer has succeeded: after a failure somebody may still look at it, and it is left to the collector. */
  giveBack(buffer: Buffer): void;
  /** Smaller pieces are cheaper without the pool. */
  readonly smallest: number;
}

/** What one read brings, and a head before it. */
const PIECE_BYTES = 65_536 + 8_192;
const SMALLEST_BYTES = 16_384;
const MAX_KEPT = 64;

export function createCopyPool(): CopyPool {
  const kept: ArrayBufferLike[] = [];
  return {
    smallest: SMALLEST_BYTES,
    take(size) {
      if (size > PIECE_BYTES) return Buffer.allocUnsafeSlow(size);
      const memory = kept.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES).buffer;
      return Buffer.from(memory, 0, size);
    },
    giveBack({ buffer }) {
      if (buffer.byteLength === PIECE_BYTES && kept.length < MAX_KEPT) kept.push(buffer);
    },
  };
}
