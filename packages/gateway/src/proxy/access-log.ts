/** Owns the access log: Envoy's default format, one line per request, written in batches. Codes and tokens in queries are masked. */
import { findField } from '@kfctl/http';
import type { RequestHead } from '../request/request-head.ts';

export interface AccessRecord {
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly method: string;
  /** As the client sent it. */
  readonly target: string;
  readonly protocol: string;
  readonly status: number;
  /** Envoy's response flags: `UH` no healthy upstream, `UF` connect failure, `NR` no route … */
  readonly flags: string;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly durationMs: number;
  readonly upstreamMs: number | undefined;
  readonly forwardedFor: string;
  readonly requestId: string;
  readonly upstreamHost: string | undefined;
  readonly traceId: string | undefined;
  readonly head: RequestHead | undefined;
}

export interface AccessLog {
  write(record: AccessRecord): void;
  flush(): void;
}

/** For gateways that are to write none. */
export const NO_LOG: AccessLog = { write: () => undefined, flush: () => undefined };

const FLUSH_MS = 100;
const MAX_BUFFERED = 65_536;
const MAX_FIELD = 512;
const SECRET_PARAMETERS =
  /([?&](?:code|state|token|id_token|access_token|refresh_token|id_token_hint|client_secret|password|session_state|key|sig|signature)=)[^&]*/gi;

export interface AccessLogOptions {
  /** Adds the trace id as a last field: more than Envoy's default format has. */
  readonly withTraceId?: boolean;
}

/** A log that hands whole lines to `write` at most every 100 ms. */
export function createAccessLog(
  write: (lines: string) => void,
  { withTraceId = false }: AccessLogOptions = {},
): AccessLog {
  let buffered = '';
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (buffered !== '') write(buffered);
    buffered = '';
  };
  return {
    flush,
    write(record) {
      const line = renderAccessLine(record);
      buffered += withTraceId ? `${line.slice(0, -1)} "${record.traceId ?? '-'}"\n` : line;
      if (buffered.length > MAX_BUFFERED) return flush();
      timer ??= setTimeout(flush, FLUSH_MS);
    },
  };
}

/** One line, newline included, in Envoy's default format. */
export function renderAccessLine(record: AccessRecord): string {
  const { head } = record;
  const agent = head === undefined ? undefined : findField(head.fields, 'user-agent');
  return (
    `[${new Date(record.startedAtMs).toISOString()}] ` +
    `"${clean(record.method)} ${clean(masked(record.target))} ${record.protocol}" ` +
    `${record.status} ${record.flags || '-'} ${record.bytesReceived} ${record.bytesSent} ${Math.round(record.durationMs)} ` +
    `${record.upstreamMs === undefined ? '-' : Math.round(record.upstreamMs)} ` +
    `"${clean(record.forwardedFor)}" "${clean(agent)}" "${record.requestId}" "${clean(head?.authority)}" "${record.upstreamHost ?? '-'}"\n`
  );
}

function masked(target: string): string {
  return target.includes('?') ? target.replaceAll(SECRET_PARAMETERS, '$1[masked]') : target;
}

const ODD = /[^\x20-\x7e…]|["\\]/;

/** What clients sent cannot end a field or a line. */
function clean(text: string | undefined): string {
  if (text === undefined || text === '') return '-';
  const cut = text.length > MAX_FIELD ? `${text.slice(0, MAX_FIELD)}…` : text;
  if (!ODD.test(cut)) return cut;
  return cut.replaceAll(
    new RegExp(ODD, 'g'),
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
