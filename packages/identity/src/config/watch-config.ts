/** Owns noticing that the configuration file has changed. */
import { readFile, watch } from 'node:fs';
import path from 'node:path';

export interface ConfigWatch {
  readonly file: string;
  /** The text in use. */
  readonly text: string;
  readonly signal: AbortSignal;
  /** Called with each new text, one call at a time. */
  onChange(text: string): Promise<void>;
  /** For file systems without notifications; a minute when absent. */
  readonly pollMs?: number;
}

const SETTLE_MS = 100;

/**
 * Watches the directory, not the file: a ConfigMap volume changes by swapping a symlink beside it, an editor by renaming.
 * A file that is missing for a moment is no change.
 */
export function watchConfig({ file, text, signal, onChange, pollMs = 60_000 }: ConfigWatch): void {
  let current = text;
  let busy = false;
  let again = false;
  const look = async (): Promise<void> => {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    do {
      again = false;
      const next = (await readText(file)) ?? current;
      if (next !== current && !signal.aborted) {
        current = next;
        await onChange(next);
      }
    } while (again);
    busy = false;
  };
  let settle: NodeJS.Timeout | undefined;
  const soon = (): void => {
    clearTimeout(settle);
    settle = setTimeout(() => void look(), SETTLE_MS);
  };
  const poll = setInterval(() => void look(), pollMs).unref();
  watchDirectory(path.dirname(file), signal, soon);
  signal.addEventListener('abort', () => {
    clearInterval(poll);
    clearTimeout(settle);
  });
}

// node:fs/promises would load readline with it: two megabytes for one call.
function readText(file: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    readFile(file, 'utf8', (error, text) => resolve(error === null ? text : undefined));
  });
}

function watchDirectory(directory: string, signal: AbortSignal, onEvent: () => void): void {
  try {
    watch(directory, { signal, persistent: false }, onEvent).on('error', () => undefined);
  } catch {
    // No notifications here: the poll finds changes.
  }
}
