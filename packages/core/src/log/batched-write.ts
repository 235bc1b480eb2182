/** Owns writing many log lines at once: a line for each of a burst of requests costs one write, not one each. */

export interface BatchedWriteOptions {
  /** Gets one or more whole lines; must have written them when it returns. */
  readonly write: (lines: string) => void;
  /** Calls back when the process is about to end. */
  readonly onExit: (flush: () => void) => void;
}

const MAX_WAITING_CHARACTERS = 65_536;

/** A `write` for createLogger that keeps lines until the event loop has come round. Lines wait for milliseconds at most. */
export function createBatchedWrite({ write, onExit }: BatchedWriteOptions): (line: string) => void {
  let waiting = '';
  const flush = (): void => {
    const lines = waiting;
    waiting = '';
    if (lines !== '') write(lines);
  };
  onExit(flush);
  return (line) => {
    if (waiting === '') setImmediate(flush);
    waiting += line;
    if (waiting.length > MAX_WAITING_CHARACTERS) flush();
  };
}

/** To standard error, which is written to synchronously on Linux, so that nothing is lost at an orderly end. */
export function createStderrBatch(): (line: string) => void {
  return createBatchedWrite({
    write: (lines) => void process.stderr.write(lines),
    onExit: (flush) => process.on('exit', flush),
  });
}
