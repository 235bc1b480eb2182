/** Owns the dynamic table of a decoder (RFC 7541 section 4): what a peer has it remember, within the size that was agreed on. */
import type { HeaderField } from './header-field.ts';

/** What a peer may use without asking; nobody is allowed more. */
export const MAX_TABLE_BYTES = 4_096;
/** No field is smaller than 32 bytes. */
const SLOTS = MAX_TABLE_BYTES / 32;

export class DynamicTable {
  readonly #slots: (HeaderField | undefined)[] = [];
  /** Counts what was ever added: what a block meant before is what it means now, where this is the same. */
  added = 0;
  #count = 0;
  #size = 0;
  #maxSize: number = MAX_TABLE_BYTES;

  /** 0 is the youngest. */
  get(index: number): HeaderField | undefined {
    return index < this.#count ? this.#slots[(this.added - 1 - index) % SLOTS] : undefined;
  }

  add(field: HeaderField): void {
    // RFC 7541 section 4.4: one that is larger than the table empties it.
    this.#evict(this.#maxSize - field.size);
    if (field.size > this.#maxSize) return;
    this.#slots[this.added % SLOTS] = field;
    this.added += 1;
    this.#count += 1;
    this.#size += field.size;
  }

  resize(maxSize: number): void {
    this.#maxSize = maxSize;
    this.#evict(maxSize);
  }

  get size(): number {
    return this.#size;
  }

  #evict(size: number): void {
    while (this.#size > size && this.#count > 0) {
      const slot = (this.added - this.#count) % SLOTS;
      this.#size -= this.#slots[slot]?.size ?? 0;
      this.#slots[slot] = undefined;
      this.#count -= 1;
    }
  }
}
