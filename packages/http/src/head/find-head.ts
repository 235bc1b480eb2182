/** Owns finding the end of a request's head in the bytes that have come so far. */

/** What most heads fit into: looked at first, so that a long body behind the head is not searched. */
const USUAL_HEAD_BYTES = 4_096;
const CR = 0x0d;
const LF = 0x0a;

/** The head without its empty line; otherwise why there is none, or none yet. Heads are bytes: latin1 keeps each as one character. */
export type FoundHead = string | typeof INCOMPLETE | typeof TOO_LARGE | typeof STRAY;

export const INCOMPLETE: unique symbol = Symbol('incomplete');
export const TOO_LARGE: unique symbol = Symbol('too large');
/** A line feed without its carriage return: what comes is no HTTP, and may never have an end. */
export const STRAY: unique symbol = Symbol('stray line feed');

/** `searched`: this many bytes were looked at before, and hold no end. */
export function findHead(bytes: Buffer, searched: number, maxBytes: number): FoundHead {
  if (searched === 0) {
    const usual = bytes.toString('latin1', 0, Math.min(bytes.length, USUAL_HEAD_BYTES));
    const end = usual.indexOf('\r\n\r\n');
    if (end >= 0) return usual.slice(0, end);
  }
  const end = bytes.indexOf('\r\n\r\n', Math.max(0, searched - 3));
  if (end > maxBytes || (end < 0 && bytes.length > maxBytes)) return TOO_LARGE;
  if (end >= 0) return bytes.toString('latin1', 0, end);
  return hasStrayLineFeed(bytes, searched) ? STRAY : INCOMPLETE;
}

/** RFC 9112 section 2.2: one empty line before a request is forgiven; old clients send it after a form. */
export function beginsWithEmptyLine(bytes: Buffer): boolean {
  return bytes[0] === CR && bytes[1] === LF;
}

function hasStrayLineFeed(bytes: Buffer, from: number): boolean {
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at - 1] !== CR) return true;
  }
  return false;
}
