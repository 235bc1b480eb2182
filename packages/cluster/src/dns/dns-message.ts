/** Owns DNS messages on the wire (RFC 1035 §4): one question in, an answer out. Everything read is bounds-checked. */

export const RECORD = { A: 1, CNAME: 5, SOA: 6, PTR: 12, AAAA: 28, SRV: 33, ANY: 255 } as const;
export const RCODE = {
  OK: 0,
  FORMAT_ERROR: 1,
  SERVER_FAILURE: 2,
  NAME_ERROR: 3,
  NOT_IMPLEMENTED: 4,
  REFUSED: 5,
} as const;

export interface DnsQuestion {
  readonly id: number;
  /** Lower case, without the last dot. */
  readonly name: string;
  readonly type: number;
  /** Largest answer that the asker takes over UDP. */
  readonly maxBytes: number;
  readonly recursionDesired: boolean;
  /** The question section as it came, to be sent back. */
  readonly section: Buffer;
}

export type DnsRecord =
  | { readonly kind: 'a'; readonly name: string; readonly address: string }
  | { readonly kind: 'cname' | 'ptr'; readonly name: string; readonly target: string }
  | { readonly kind: 'srv'; readonly name: string; readonly port: number; readonly target: string };

export interface DnsAnswer {
  readonly code: number;
  readonly records: readonly DnsRecord[];
}

const HEADER = 12;
const CLASS_IN = 1;
const TYPE_OPT = 41;
const TTL_SECONDS = 5;
const DEFAULT_BYTES = 512;
const MAX_UDP_BYTES = 1232;

/** The question of a query; undefined when the packet is no query that can be answered. */
export function parseQuestion(packet: Buffer): DnsQuestion | undefined {
  if (packet.length < HEADER + 5) return undefined;
  const flags = packet.readUInt16BE(2);
  const isQuery = (flags & 0x8000) === 0 && (flags & 0x7800) === 0;
  if (!isQuery || packet.readUInt16BE(4) !== 1) return undefined;
  const name = readName(packet, HEADER);
  if (name === undefined || name.end + 4 > packet.length) return undefined;
  return {
    id: packet.readUInt16BE(0),
    name: name.text,
    type: packet.readUInt16BE(name.end),
    maxBytes: bufferSize(packet, name.end + 4),
    recursionDesired: (flags & 0x0100) !== 0,
    section: packet.subarray(HEADER, name.end + 4),
  };
}

/** Questions are never compressed: a pointer here is an attack or a mistake. */
function readName(packet: Buffer, start: number): { text: string; end: number } | undefined {
  const labels: string[] = [];
  let position = start;
  for (;;) {
    const length = packet[position];
    if (length === undefined || length > 63 || position - start > 255) return undefined;
    if (length === 0) return { text: labels.join('.').toLowerCase(), end: position + 1 };
    if (position + 1 + length > packet.length) return undefined;
    labels.push(packet.toString('latin1', position + 1, position + 1 + length));
    position += 1 + length;
  }
}

/** EDNS(0): the size in the class field of the OPT record (RFC 6891 §6.1.2), which common resolvers send right after the question. */
function bufferSize(packet: Buffer, position: number): number {
  const hasOpt =
    position + 5 <= packet.length && packet[position] === 0 && packet.readUInt16BE(position + 1) === TYPE_OPT;
  const size = hasOpt ? packet.readUInt16BE(position + 3) : DEFAULT_BYTES;
  return Math.max(DEFAULT_BYTES, Math.min(size, MAX_UDP_BYTES));
}

/** The whole answer; beyond `maxBytes` the records are left out and the asker is told to come by TCP. */
export function renderAnswer(question: DnsQuestion, { code, records }: DnsAnswer, maxBytes = 65_535): Buffer {
  const rendered = records.map(renderRecord);
  const size = HEADER + question.section.length + rendered.reduce((sum, record) => sum + record.length, 0);
  const truncated = size > maxBytes;
  const header = Buffer.alloc(HEADER);
  header.writeUInt16BE(question.id, 0);
  // Answer, authoritative, recursion available; recursion desired as asked.
  header.writeUInt16BE(0x8480 | (truncated ? 0x0200 : 0) | (question.recursionDesired ? 0x0100 : 0) | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(truncated ? 0 : rendered.length, 6);
  return Buffer.concat([header, question.section, ...(truncated ? [] : rendered)]);
}

function renderRecord(record: DnsRecord): Buffer {
  const { type, data } = renderData(record);
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(CLASS_IN, 2);
  fixed.writeUInt32BE(TTL_SECONDS, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([renderName(record.name), fixed, data]);
}

function renderData(record: DnsRecord): { type: number; data: Buffer } {
  switch (record.kind) {
    case 'a':
      return { type: RECORD.A, data: Buffer.from(record.address.split('.').map(Number)) };
    case 'cname':
      return { type: RECORD.CNAME, data: renderName(record.target) };
    case 'ptr':
      return { type: RECORD.PTR, data: renderName(record.target) };
    case 'srv': {
      const head = Buffer.alloc(6);
      head.writeUInt16BE(100, 2);
      head.writeUInt16BE(record.port, 4);
      return { type: RECORD.SRV, data: Buffer.concat([head, renderName(record.target)]) };
    }
  }
}

function renderName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([
    ...labels.flatMap((label) => [
      Buffer.from([Math.min(label.length, 63)]),
      Buffer.from(label.slice(0, 63), 'latin1'),
    ]),
    Buffer.from([0]),
  ]);
}
