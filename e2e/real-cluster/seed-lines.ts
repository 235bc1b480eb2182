/** Owns the comparison of what our load balancer says with the lines that MetalLB's users know, field by field. */
import assert from 'node:assert/strict';

type LogLine = Readonly<Record<string, unknown>>;

/** What the document shows, less what differs from run to run (the place in the source, the time, the hosts' MACs and names). */
export const SEED = {
  allocated: {
    event: 'ipAllocated',
    ip: '10.0.0.101',
    msg: 'IP address assigned by controller',
    service: 'default/nginx',
  },
  announced: {
    event: 'serviceAnnounced',
    ip: '10.0.0.101',
    msg: 'service has IP, announcing',
    pool: 'default',
    protocol: 'layer2',
    service: 'default/nginx',
  },
  asked: { ip: '10.0.0.101', msg: 'got ARP request for service IP, sending response', senderIP: '10.0.0.204' },
} as const;

/** The JSON lines of a pod's log. */
export function parseLog(text: string): readonly LogLine[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as LogLine);
}

/** The one line whose fields have these values; its keys are exactly these in this order, and `caller` and `ts` have their form. */
export function assertLine(log: readonly LogLine[], fields: LogLine, keys: readonly string[]): LogLine {
  const found = log.filter((line) => Object.entries(fields).every(([key, value]) => line[key] === value));
  const [line = {}] = found;
  assert.ok(found.length > 0, `no line with ${JSON.stringify(fields)}`);
  assert.deepEqual(Object.keys(line), keys);
  assert.match(String(line['caller']), /^[\w-]+\.\w+:\d+$/);
  assert.match(String(line['ts']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  return line;
}

export interface DescribedEvent {
  readonly type: string;
  readonly reason: string;
  readonly age: string;
  readonly from: string;
  readonly message: string;
}

/** The table below `Events:` of `kubectl describe`. */
export function parseEvents(description: string): readonly DescribedEvent[] {
  const [, table = ''] = description.split(/^Events:/m);
  const rows = table.split('\n').map((row) => row.trim().split(/ {2,}/));
  assert.deepEqual(rows[1], ['Type', 'Reason', 'Age', 'From', 'Message']);
  return rows
    .slice(3)
    .filter((row) => row.length === 5)
    .map(([type = '', reason = '', age = '', from = '', message = '']) => ({ type, reason, age, from, message }));
}
