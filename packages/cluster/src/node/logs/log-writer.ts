/**
 * Owns the log of one container run: each line with its time, in a bounded pair of files.
 * A line of the file is `<RFC 3339 time, nine digits> stdout|stderr F|P <text>` (the CRI format; P: the line goes on).
 */
import { appendFile, mkdir, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

export type LogStream = 'stdout' | 'stderr';

export interface LogWriter {
  readonly file: string;
  write(stream: LogStream, chunk: Buffer): void;
  /** Writes what is left of unfinished lines; resolves when everything is on disk. */
  close(): Promise<void>;
  /** Called after lines came in (`false`) and once at the end (`true`). Returns the unsubscribe function. */
  onLines(listener: (lines: string, isEnd: boolean) => void): () => void;
  /** Resolves when everything written so far can be read from the files. */
  flushed(): Promise<void>;
}

export interface LogWriterOptions {
  readonly file: string;
  /** The file becomes `<file>.1` beyond this size, and that one is dropped. */
  readonly maxBytes?: number;
  readonly now?: () => Date;
}

const MAX_BYTES = 10 * 1024 * 1024;
const MAX_LINE = 16 * 1024;
/** Beyond this much unwritten text lines are dropped: a disk that is slow or full must not cost memory. */
const MAX_PENDING = 8 * 1024 * 1024;

export async function openLogWriter(options: LogWriterOptions): Promise<LogWriter> {
  const { file, maxBytes = MAX_BYTES, now = () => new Date() } = options;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const partial: Record<LogStream, Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  const listeners = new Set<(lines: string, isEnd: boolean) => void>();
  const sink = createSink(file, maxBytes, (await sizeOf(file)) ?? 0);
  const emit = (lines: string): void => {
    if (lines === '') return;
    sink.write(lines);
    for (const listener of listeners) listener(lines, false);
  };
  return {
    file,
    write(stream, chunk) {
      const { lines, rest } = splitLines(Buffer.concat([partial[stream], chunk]), (part, tag) =>
        render({ now, stream, tag }, part),
      );
      partial[stream] = rest;
      emit(lines);
    },
    async close() {
      for (const stream of ['stdout', 'stderr'] as const) {
        if (partial[stream].length > 0) emit(render({ now, stream, tag: 'F' }, partial[stream]));
        partial[stream] = Buffer.alloc(0);
      }
      for (const listener of listeners) listener('', true);
      listeners.clear();
      await sink.flushed();
    },
    onLines(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    flushed: () => sink.flushed(),
  };
}

interface LineHead {
  readonly now: () => Date;
  readonly stream: LogStream;
  readonly tag: 'F' | 'P';
}

function render({ now, stream, tag }: LineHead, text: Buffer): string {
  return `${now().toISOString().replace('Z', '000000Z')} ${stream} ${tag} ${text.toString('utf8')}\n`;
}

function splitLines(bytes: Buffer, render: (part: Buffer, tag: 'F' | 'P') => string): { lines: string; rest: Buffer } {
  let lines = '';
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(0x0a, start);
    const limit = Math.min(end < 0 ? bytes.length : end, start + MAX_LINE);
    if (end < 0 && bytes.length - start < MAX_LINE) return { lines, rest: Buffer.from(bytes.subarray(start)) };
    const whole = limit === end;
    lines += render(bytes.subarray(start, limit), whole ? 'F' : 'P');
    start = whole ? end + 1 : limit;
  }
}

interface Sink {
  write(text: string): void;
  flushed(): Promise<void>;
}

/** Writes in the background, one append at a time; what comes meanwhile goes along with the next. */
function createSink(file: string, maxBytes: number, initialSize: number): Sink {
  let pending = '';
  let size = initialSize;
  let work: Promise<void> | undefined;
  const flush = async (): Promise<void> => {
    while (pending !== '') {
      const text = pending;
      pending = '';
      if (size > maxBytes) {
        await rename(file, `${file}.1`).catch(() => undefined);
        size = 0;
      }
      size += Buffer.byteLength(text);
      // A full disk loses lines, never the container.
      await appendFile(file, text, { mode: 0o600 }).catch(() => undefined);
    }
    work = undefined;
  };
  return {
    write(text) {
      if (pending.length > MAX_PENDING) return;
      pending += text;
      work ??= flush();
    },
    flushed: () => work ?? Promise.resolve(),
  };
}

async function sizeOf(file: string): Promise<number | undefined> {
  return stat(file).then(
    ({ size }) => size,
    () => undefined,
  );
}
