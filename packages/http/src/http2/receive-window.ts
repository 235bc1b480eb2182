/** Owns how much a peer may send, of a stream or of the connection (RFC 9113 section 5.2): room is given back in large steps, not byte by byte. */

export class ReceiveWindow {
  readonly #size: number;
  #left: number;
  /** Read, and not given back yet. */
  #read = 0;

  constructor(size: number) {
    this.#size = size;
    this.#left = size;
  }

  /** False: the peer has sent more than it may. */
  take(bytes: number): boolean {
    this.#left -= bytes;
    return this.#left >= 0;
  }

  /** Somebody has read so much; gives what the peer is to be told, 0 for nothing. */
  give(bytes: number): number {
    this.#read += bytes;
    if (this.#read * 2 < this.#size) return 0;
    const told = this.#read;
    this.#read = 0;
    this.#left += told;
    return told;
  }

  /** Whatever was read, the peer may send at least so much from now on; gives what it is to be told, 0 for nothing. */
  open(bytes: number): number {
    const told = Math.max(bytes - this.#left, 0);
    this.#read = Math.max(this.#read - told, 0);
    this.#left += told;
    return told;
  }

  /** Gives back all that was read, however little; gives what the peer is to be told, 0 for nothing. */
  giveAll(): number {
    return this.open(this.#left + this.#read);
  }
}
