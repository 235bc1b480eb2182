/** Owns reading of W3C trace context headers, strictly: they come from strangers, and are data and nothing else (Trace Context level 1). */

export interface TraceParent {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  readonly isSampled: boolean;
}

const PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZEROS = /^0+$/;

/** Section 3.2: undefined when it is malformed. Later versions are read as far as this one goes. */
export function parseTraceParent(text: string): TraceParent | undefined {
  const [, version, traceId = '', parentId = '', flags = '', rest] = PARENT.exec(text) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (ZEROS.test(traceId) || ZEROS.test(parentId)) return undefined;
  return { traceId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function renderTraceParent({ traceId, isSampled }: TraceParent, parentId: string): string {
  return `00-${traceId}-${parentId}-${isSampled ? '01' : '00'}`;
}

const MAX_STATE = 512;
const MAX_MEMBERS = 32;
const KEY = /^(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})$/;
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** Section 3.3: the list in one line; undefined when it is malformed, holds a key twice or is longer than anybody must pass on. */
export function parseTraceState(lines: readonly string[]): string | undefined {
  const members = lines
    .join(',')
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
  const keys = members.map((member) => member.slice(0, Math.max(member.indexOf('='), 0)));
  const text = members.join(',');
  if (members.length === 0 || members.length > MAX_MEMBERS || text.length > MAX_STATE) return undefined;
  if (new Set(keys).size !== keys.length || !keys.every((key) => KEY.test(key))) return undefined;
  const isUsable = members.every((member) => VALUE.test(member.slice(member.indexOf('=') + 1)));
  return isUsable ? text : undefined;
}
