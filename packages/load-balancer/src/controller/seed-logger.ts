/** Owns the log format that operators of MetalLB know: one JSON object a line, keys in order, `caller` and `ts` in each. */
import { basename } from 'node:path';
import type { LogFields, Logger, LogLevel } from '@kfctl/core';

export interface SeedLoggerOptions {
  readonly write?: (line: string) => void;
  readonly now?: () => Date;
  readonly debug?: boolean;
}

/** Creates the logger; records below warning carry no level, as they never did. */
export function createSeedLogger(options: SeedLoggerOptions = {}, fields: LogFields = {}): Logger {
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const now = options.now ?? (() => new Date());
  const emit = (level: LogLevel, msg: string, more: LogFields = {}): void => {
    if (level === 'debug' && options.debug !== true) return;
    const record: Record<string, unknown> = {
      ...fields,
      ...more,
      caller: callerOf(new Error('caller')),
      msg,
      ts: now().toISOString().replace('Z', '000000Z'),
      ...(level === 'info' ? {} : { level }),
    };
    const sorted = Object.keys(record).toSorted();
    write(`${JSON.stringify(Object.fromEntries(sorted.map((key) => [key, record[key]])))}\n`);
  };
  return {
    debug: (message, more) => emit('debug', message, more),
    info: (message, more) => emit('info', message, more),
    warn: (message, more) => emit('warn', message, more),
    error: (message, more) => emit('error', message, more),
    child: (more) => createSeedLogger(options, { ...fields, ...more }),
  };
}

/** `file.ts:12`, three frames above: emit, the method, its caller. */
function callerOf(error: Error): string {
  const match = /([^/\\(]+):(\d+):\d+\)?$/.exec(error.stack?.split('\n')[3] ?? '');
  return match === null ? 'unknown' : `${basename(match[1] ?? '')}:${match[2]}`;
}
