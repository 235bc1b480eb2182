/** Owns the joining of a client to a container's own program: its output from now on, its input, the size of its terminal. */
import type { Writable } from 'node:stream';
import type { ExecOutcome, ExecStreams } from '../../api/node-gateway.ts';
import type { ContainerProcess } from './container-process.ts';
import { followSizes } from './terminal-size.ts';

export interface Attachment {
  readonly streams: ExecStreams;
  /** The program's input ends with the first client's (`stdinOnce`). */
  readonly endsInput: boolean;
}

/** A client that does not read loses output rather than costs memory. */
const MAX_WAITING = 4 * 1024 * 1024;

/** Resolves when the program has ended or the client is gone. */
export async function attachContainer(
  process: ContainerProcess,
  { streams, endsInput }: Attachment,
  signal: AbortSignal,
): Promise<ExecOutcome> {
  const { stdin, stdout, stderr, resize } = streams;
  const detach = process.output.attach((stream, chunk) => write(stream === 'stdout' ? stdout : stderr, chunk));
  if (stdin !== undefined && process.stdin !== undefined) stdin.pipe(process.stdin, { end: endsInput });
  void followSizes(process.pid, resize, process.exited).catch(() => undefined);
  const gone = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([process.exited, gone]);
  detach();
  if (process.stdin !== undefined) stdin?.unpipe(process.stdin);
  // The container's own exit code stands in the pod's status, where clients look for it.
  return { kind: 'exited', exitCode: 0 };
}

function write(stream: Writable | undefined, chunk: Buffer): void {
  if (stream !== undefined && stream.writableLength < MAX_WAITING) stream.write(chunk);
}
