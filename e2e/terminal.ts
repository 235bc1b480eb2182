/** Owns a person at a terminal: a program on a real pseudo-terminal (util-linux's `script` makes it), typed to and read. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Terminal {
  /** Types, as keys: Ctrl-D is `\u0004`. */
  type(keys: string): void;
  /** Resolves when the pattern has come since the last wait; gives what came. */
  waitFor(pattern: RegExp): Promise<string>;
  readonly exited: Promise<number>;
}

const PATIENCE_MS = 30_000;

export function openTerminal(
  command: string,
  options: { readonly env: NodeJS.ProcessEnv; readonly cwd: string },
): Terminal {
  const child = spawn('script', ['--quiet', '--flush', '--return', '--command', command, '/dev/null'], {
    ...options,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let unread = '';
  let heard = (): void => undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    unread += chunk.toString();
    heard();
  });
  return {
    type: (keys) => void child.stdin.write(keys),
    waitFor: (pattern) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`${pattern} did not come, but:\n${unread}`)), PATIENCE_MS);
        heard = () => {
          const found = pattern.exec(unread);
          if (found === null) return;
          clearTimeout(timer);
          heard = () => undefined;
          const read = unread.slice(0, found.index + found[0].length);
          unread = unread.slice(read.length);
          resolve(read);
        };
        heard();
      }),
    exited: once(child, 'exit').then(([code]) => Number(code)),
  };
}
