/** Owns `pods/exec` and `pods/attach` over WebSocket: channels to streams, the exit to the error channel. */
import { PassThrough } from 'node:stream';
import type { WebSocket } from 'ws';
import type { ExecOutcome, ExecStreams } from '../api/node-gateway.ts';
import { createQueue } from '../api/queue.ts';
import { CHANNEL, frame, parseFrame, parseResize } from './stream-frames.ts';

export interface ExecWishes {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

const MAX_BUFFERED = 4 * 1024 * 1024;

/** Runs a command with its streams on the socket; closes the socket when it ends. */
export async function serveExec(
  socket: WebSocket,
  wishes: ExecWishes,
  run: (streams: ExecStreams) => Promise<ExecOutcome>,
): Promise<void> {
  const resize = createQueue<{ readonly width: number; readonly height: number }>();
  const stdin = wishes.stdin ? new PassThrough() : undefined;
  socket.on('message', (data: Buffer) => {
    const message = parseFrame(data);
    if (message === undefined) return;
    if (message.channel === CHANNEL.stdin) stdin?.write(message.bytes);
    else if (message.channel === CHANNEL.close && message.bytes[0] === CHANNEL.stdin) stdin?.end();
    else if (message.channel === CHANNEL.resize) pushSize(resize, message.bytes);
  });
  socket.on('close', () => {
    stdin?.end();
    resize.end();
  });
  const stdout = wishes.stdout ? channelWriter(socket, CHANNEL.stdout) : undefined;
  const stderr = wishes.stderr && !wishes.tty ? channelWriter(socket, CHANNEL.stderr) : undefined;
  const outcome = await run({
    resize,
    ...(stdin ? { stdin } : {}),
    ...(stdout ? { stdout } : {}),
    ...(stderr ? { stderr } : {}),
  }).catch((error: unknown): ExecOutcome => ({ kind: 'failed', message: (error as Error).message }));
  await Promise.all([stdout, stderr].map((stream) => finished(stream)));
  socket.send(frame(CHANNEL.error, Buffer.from(JSON.stringify(renderOutcome(outcome)))), () => socket.close(1000));
  resize.end();
}

function pushSize(
  queue: ReturnType<typeof createQueue<{ readonly width: number; readonly height: number }>>,
  bytes: Buffer,
): void {
  const size = parseResize(bytes);
  if (size !== undefined) queue.push(size);
}

function channelWriter(socket: WebSocket, channel: number): PassThrough {
  const stream = new PassThrough();
  stream.on('data', (bytes: Buffer) => {
    if (socket.readyState !== socket.OPEN) return;
    socket.send(frame(channel, bytes), () => {
      if (stream.isPaused() && socket.bufferedAmount < MAX_BUFFERED) stream.resume();
    });
    if (socket.bufferedAmount > MAX_BUFFERED) stream.pause();
  });
  return stream;
}

/** Resolves when everything written to the stream is with the socket. */
function finished(stream: PassThrough | undefined): Promise<void> {
  if (stream === undefined || stream.readableEnded) return Promise.resolve();
  return new Promise((resolve) => {
    stream.once('end', () => resolve());
    stream.once('close', () => resolve());
    stream.end();
    stream.resume();
  });
}

function renderOutcome(outcome: ExecOutcome): unknown {
  if (outcome.kind === 'exited' && outcome.exitCode === 0) return { metadata: {}, status: 'Success' };
  if (outcome.kind === 'failed') {
    return {
      metadata: {},
      status: 'Failure',
      reason: 'InternalError',
      message: outcome.message,
      details: { causes: [{ message: outcome.message }] },
      code: 500,
    };
  }
  const message = `command terminated with non-zero exit code: exit status ${outcome.exitCode}`;
  const causes = [{ reason: 'ExitCode', message: String(outcome.exitCode) }];
  return { metadata: {}, status: 'Failure', message, reason: 'NonZeroExitCode', details: { causes } };
}
