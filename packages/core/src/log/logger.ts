/** Owns log records: constant lower-case message, then fields. It must never be handed tokens, codes, cookies or secrets. */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;
export type LogFormat = 'json' | 'text';

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  /** A human must act. */
  error(message: string, fields?: LogFields): void;
  /** A logger whose records carry these fields too. */
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  readonly level?: LogLevel;
  readonly format?: LogFormat;
  readonly fields?: LogFields;
  /** Names of fields that no record has. */
  readonly excludeFields?: readonly string[];
  /** Gets one whole line, newline included. Standard error when absent. */
  readonly write?: (line: string) => void;
  readonly now?: () => Date;
}

const SEVERITY: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Creates a logger that writes one record a line: JSON for servers, `level message key=value` text for people. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = 'info', format = 'json', fields = {}, now = () => new Date() } = options;
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const excluded = new Set(options.excludeFields);
  const time = createTimestamp(now);
  const emit = (recordLevel: LogLevel, message: string, given: LogFields = {}): void => {
    if (SEVERITY[recordLevel] < SEVERITY[level]) return;
    if (format !== 'json' || excluded.size > 0) return write(atLength(recordLevel, message, { ...fields, ...given }));
    // A field `time` of the record wins.
    write(`${JSON.stringify({ time: time(), level: recordLevel, msg: message, ...fields, ...given })}\n`);
  };
  const atLength = (recordLevel: LogLevel, message: string, whole: LogFields): string => {
    const more = excluded.size === 0 ? whole : withoutFields(whole, excluded);
    return format === 'json'
      ? `${JSON.stringify({ time: time(), level: recordLevel, msg: message, ...more })}\n`
      : renderText(recordLevel, message, more);
  };
  return {
    debug: (message, more) => emit('debug', message, more),
    info: (message, more) => emit('info', message, more),
    warn: (message, more) => emit('warn', message, more),
    error: (message, more) => emit('error', message, more),
    child: (more) => createLogger({ ...options, fields: { ...fields, ...more } }),
  };
}

/** Now as text, made once for the records of a millisecond. */
function createTimestamp(now: () => Date): () => string {
  let [madeFor, text] = [Number.NaN, ''];
  return () => {
    const date = now();
    if (date.getTime() !== madeFor) {
      madeFor = date.getTime();
      text = date.toISOString();
    }
    return text;
  };
}

function withoutFields(fields: LogFields, excluded: ReadonlySet<string>): LogFields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !excluded.has(name)));
}

/** A logger that drops everything. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};

function renderText(level: LogLevel, message: string, fields: LogFields): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${renderValue(value)}`)
    .join('');
  return `${level.toUpperCase()} ${oneLine(message)}${pairs}\n`;
}

function renderValue(value: unknown): string {
  if (typeof value === 'string') return /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value);
  return oneLine(JSON.stringify(value) ?? 'undefined');
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ');
}
