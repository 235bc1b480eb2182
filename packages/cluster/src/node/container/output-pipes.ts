/**
 * Owns the pipes that a container writes its output to. Real pipes, as container runtimes give: programs open /dev/stdout again by
 * name, which works with a pipe and not with the sockets that Node makes for its children.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, constants, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';

export interface OutputPipe {
  readonly reader: Socket;
  /** For the child; to be closed here once the child has it. */
  readonly writeFd: number;
}

const run = process.getBuiltinModule('node:util').promisify(execFile);

/** Two pipes, for stdout and stderr. */
export async function openOutputPipes(directory: string): Promise<readonly [OutputPipe, OutputPipe]> {
  const id = randomUUID();
  const paths = [join(directory, `${id}.out`), join(directory, `${id}.err`)] as const;
  await run('mkfifo', ['-m', '600', ...paths]);
  try {
    return [openPipe(paths[0]), openPipe(paths[1])];
  } finally {
    await Promise.all(paths.map((path) => rm(path, { force: true })));
  }
}

/** The reading end comes first, without blocking: only then the writing end opens at once. */
function openPipe(path: string): OutputPipe {
  const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeFd = openSync(path, constants.O_WRONLY);
  return { reader: new Socket({ fd: readFd, readable: true, writable: false }), writeFd };
}

export function closeWriteEnds(pipes: readonly OutputPipe[]): void {
  for (const { writeFd } of pipes) closeSync(writeFd);
}
