/** Writes to the standard streams without loading Node's stream classes, which takes longer than building ten objects. */

import { writeSync } from 'node:fs';

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/** Writes all of a text. A reader that went away (`| head`) ends the process quietly, as with other programs. */
export function writeTo(descriptor: 1 | 2, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      if (codeOf(error) === 'EPIPE') process.exit(0);
      if (codeOf(error) !== 'EAGAIN') throw error;
      waitForReader();
    }
  }
}

/** A pipe that does not block (a parent made it so) is full: its reader needs a moment. */
function waitForReader(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
}
