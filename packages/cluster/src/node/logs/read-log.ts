/** Owns the reading of container logs: the last lines, lines since a time, and what follows. */
import { readFile } from 'node:fs/promises';
import { createQueue } from '../../api/queue.ts';
import type { LogRequest } from '../../api/node-gateway.ts';
import type { LogWriter } from './log-writer.ts';

export interface LogSource {
  readonly file: string;
  /** Present while the container writes. */
  readonly writer?: LogWriter | undefined;
}

const MAX_QUEUED = 4 * 1024 * 1024;

/** Yields log text as the request wants it; with `follow` until the container or the signal ends. */
export async function* readLog(source: LogSource, request: LogRequest, signal: AbortSignal): AsyncGenerator<Buffer> {
  const filter = createFilter(request);
  const follower = request.follow && source.writer !== undefined ? followLines(source.writer, signal) : undefined;
  await source.writer?.flushed();
  const lines = filter.select((await readLines(source.file)).filter((line) => line !== ''));
  const first = filter.render(lines);
  if (first.length > 0) yield first;
  if (follower === undefined) return;
  // What was written while the file was read is in both: the first lines that follow may be known already.
  const seen = new Set(lines.slice(-200));
  for await (const text of follower) {
    const fresh = text.split('\n').filter((line) => line !== '' && !seen.has(line));
    const chunk = filter.render(fresh);
    if (chunk.length > 0) yield chunk;
    if (filter.isFull()) return;
  }
}

async function readLines(file: string): Promise<string[]> {
  const [older, newer] = await Promise.all([`${file}.1`, file].map((path) => readFile(path, 'utf8').catch(() => '')));
  return `${older ?? ''}${newer ?? ''}`.split('\n');
}

interface LogFilter {
  select(lines: readonly string[]): readonly string[];
  render(lines: readonly string[]): Buffer;
  isFull(): boolean;
}

function createFilter(request: LogRequest): LogFilter {
  const { tailLines, timestamps, limitBytes } = request;
  const since = sinceTime(request);
  let left = limitBytes ?? Number.POSITIVE_INFINITY;
  return {
    select(lines) {
      const recent = since === undefined ? lines : lines.filter((line) => line.slice(0, 30) >= since);
      return tailLines === undefined ? recent : lastLines(recent, tailLines);
    },
    render(lines) {
      const text = Buffer.from(lines.map((line) => renderLine(line, timestamps)).join(''));
      const cut = text.subarray(0, Math.min(text.length, left));
      left -= cut.length;
      return cut;
    },
    isFull: () => left <= 0,
  };
}

/** In the form that the log's own times have, so that texts compare. */
function sinceTime({ sinceSeconds, sinceTime: given }: LogRequest): string | undefined {
  const at =
    given === undefined
      ? sinceSeconds === undefined
        ? undefined
        : Date.now() - sinceSeconds * 1000
      : Date.parse(given);
  return at === undefined || Number.isNaN(at) ? undefined : new Date(at).toISOString().replace('Z', '000000Z');
}

/** Parts of one long line count once. */
function lastLines(lines: readonly string[], count: number): readonly string[] {
  let start = lines.length;
  for (let found = 0; start > 0; start -= 1) {
    const isEnd = lines[start - 1]?.split(' ', 3)[2] === 'F';
    if (isEnd && (found += 1) > count) break;
  }
  return count === 0 ? [] : lines.slice(start);
}

function renderLine(line: string, timestamps: boolean): string {
  const [time = '', stream = '', tag = 'F'] = line.split(' ', 3);
  const text = line.slice(time.length + stream.length + tag.length + 3);
  return `${timestamps ? `${time} ` : ''}${text}${tag === 'P' ? '' : '\n'}`;
}

/** Listens from now on, also before anybody iterates. A reader that is too slow loses lines, not memory. */
function followLines(writer: LogWriter, signal: AbortSignal): AsyncIterable<string> {
  const queue = createQueue<string>();
  let waiting = 0;
  const unsubscribe = writer.onLines((lines, isEnd) => {
    if (isEnd) return queue.end();
    if (waiting > MAX_QUEUED) return;
    waiting += lines.length;
    queue.push(lines);
  });
  signal.addEventListener('abort', queue.end, { once: true });
  if (signal.aborted) queue.end();
  return drain(
    queue,
    (lines) => (waiting -= lines.length),
    () => {
      unsubscribe();
      signal.removeEventListener('abort', queue.end);
    },
  );
}

async function* drain(
  queue: AsyncIterable<string>,
  taken: (lines: string) => void,
  stop: () => void,
): AsyncGenerator<string> {
  try {
    for await (const lines of queue) {
      taken(lines);
      yield lines;
    }
  } finally {
    stop();
  }
}
