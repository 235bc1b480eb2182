/** Owns neighbour discovery for IPv6 over Ethernet (RFC 4861): bytes to message and back. No I/O; any bytes may come in. */
import { ETHERNET_HEADER, ETHERTYPE, writeEthernet } from './ethernet.ts';

export interface NdpMessage {
  readonly kind: 'solicitation' | 'advertisement';
  /** Of the Ethernet frame. */
  readonly destination: Uint8Array;
  /** Of the Ethernet frame. */
  readonly source: Uint8Array;
  /** Sixteen bytes, as the target; all zero when the sender checks for duplicates. */
  readonly senderIp: Uint8Array;
  readonly targetIp: Uint8Array;
  /** The link-layer address option (source of a solicitation, target of an advertisement). */
  readonly linkAddress?: Uint8Array;
}

const ICMP = ETHERNET_HEADER + 40;
/** Type, code, checksum, flags, target. */
const FIXED = 24;
const ICMPV6 = 58;
const SOLICITATION = 135;
const ADVERTISEMENT = 136;
const ALL_NODES = Buffer.from('ff020000000000000000000000000001', 'hex');
const ALL_NODES_MAC = Buffer.from('333300000001', 'hex');
const UNSPECIFIED = Buffer.alloc(16);

/** The message when it is whole and valid as RFC 4861 section 7.1 demands, or undefined. */
export function parseNdp(frame: Buffer): NdpMessage | undefined {
  if (frame.length < ICMP + FIXED || frame.readUInt16BE(12) !== ETHERTYPE.ipv6) return undefined;
  const length = frame.readUInt16BE(18);
  const isNeighbourMessage =
    (frame[14] ?? 0) >> 4 === 6 && frame[20] === ICMPV6 && frame[21] === 255 && length >= FIXED;
  if (!isNeighbourMessage || frame.length < ICMP + length) return undefined;
  const type = frame[ICMP];
  if ((type !== SOLICITATION && type !== ADVERTISEMENT) || frame[ICMP + 1] !== 0) return undefined;
  const body = frame.subarray(ICMP, ICMP + length);
  if (checksum(frame.subarray(22, 54), body) !== 0) return undefined;
  const options = readLinkAddress(body.subarray(FIXED), type === SOLICITATION ? 1 : 2);
  const targetIp = frame.subarray(ICMP + 8, ICMP + 24);
  if (options.kind === 'invalid' || targetIp[0] === 0xff) return undefined;
  const senderIp = frame.subarray(22, 38);
  const { linkAddress } = options;
  // Who has no address yet cannot tell where to answer to, and asks the target's own group.
  const isProbe = type === SOLICITATION && UNSPECIFIED.equals(senderIp);
  if (isProbe && (linkAddress !== undefined || !solicitedNode(targetIp).ip.equals(frame.subarray(38, 54)))) {
    return undefined;
  }
  return {
    kind: type === SOLICITATION ? 'solicitation' : 'advertisement',
    destination: frame.subarray(0, 6),
    source: frame.subarray(6, 12),
    senderIp,
    targetIp,
    ...(linkAddress === undefined ? {} : { linkAddress }),
  };
}

type Options = { readonly kind: 'valid'; readonly linkAddress?: Uint8Array } | { readonly kind: 'invalid' };

function readLinkAddress(options: Buffer, wanted: number): Options {
  let linkAddress: Uint8Array | undefined;
  for (let at = 0; at < options.length;) {
    // In units of eight bytes; zero would never end.
    const size = (options[at + 1] ?? 0) * 8;
    if (size === 0 || at + size > options.length) return { kind: 'invalid' };
    if (options[at] === wanted && size === 8) linkAddress = options.subarray(at + 2, at + 8);
    at += size;
  }
  return linkAddress === undefined ? { kind: 'valid' } : { kind: 'valid', linkAddress };
}

export function isDuplicateCheck(message: NdpMessage): boolean {
  return message.kind === 'solicitation' && UNSPECIFIED.equals(message.senderIp);
}

/** The group that a solicitation for the address goes to (RFC 4291 section 2.7.1), and its Ethernet address. */
export function solicitedNode(ip: Uint8Array): { readonly ip: Buffer; readonly mac: Buffer } {
  const tail = Buffer.from(ip.subarray(13, 16));
  return {
    ip: Buffer.concat([Buffer.from('ff0200000000000000000001ff', 'hex'), tail]),
    mac: Buffer.concat([Buffer.from('3333ff', 'hex'), tail]),
  };
}

/** The answer to a solicitation: to its sender, or to everybody when that has no address yet (RFC 4861 section 7.2.4). */
export function renderNeighbourAnswer(solicitation: NdpMessage, mac: Uint8Array): Buffer {
  const { targetIp, senderIp, source, linkAddress } = solicitation;
  if (isDuplicateCheck(solicitation)) return renderUnsolicited(targetIp, mac);
  return renderMessage({
    type: ADVERTISEMENT,
    flags: 0x60,
    destination: linkAddress ?? source,
    source: mac,
    from: targetIp,
    to: senderIp,
    target: targetIp,
    option: mac,
  });
}

/** "This address is here", to everybody. */
export function renderUnsolicited(ip: Uint8Array, mac: Uint8Array): Buffer {
  return renderMessage({
    type: ADVERTISEMENT,
    flags: 0x20,
    destination: ALL_NODES_MAC,
    source: mac,
    from: ip,
    to: ALL_NODES,
    target: ip,
    option: mac,
  });
}

/** "Does anybody have this address?" without claiming it (RFC 4862 section 5.4.2). */
export function renderNeighbourProbe(ip: Uint8Array, mac: Uint8Array): Buffer {
  const group = solicitedNode(ip);
  return renderMessage({
    type: SOLICITATION,
    flags: 0,
    destination: group.mac,
    source: mac,
    from: UNSPECIFIED,
    to: group.ip,
    target: ip,
  });
}

interface Rendered {
  readonly type: number;
  readonly flags: number;
  readonly destination: Uint8Array;
  readonly source: Uint8Array;
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  readonly target: Uint8Array;
  readonly option?: Uint8Array;
}

function renderMessage(message: Rendered): Buffer {
  const length = FIXED + (message.option === undefined ? 0 : 8);
  const frame = Buffer.alloc(ICMP + length);
  writeEthernet(frame, { destination: message.destination, source: message.source, type: ETHERTYPE.ipv6 });
  frame[14] = 0x60;
  frame.writeUInt16BE(length, 18);
  frame[20] = ICMPV6;
  frame[21] = 255;
  frame.set(message.from, 22);
  frame.set(message.to, 38);
  frame[ICMP] = message.type;
  frame[ICMP + 4] = message.flags;
  frame.set(message.target, ICMP + 8);
  if (message.option !== undefined) {
    frame[ICMP + FIXED] = message.type === SOLICITATION ? 1 : 2;
    frame[ICMP + FIXED + 1] = 1;
    frame.set(message.option, ICMP + FIXED + 2);
  }
  frame.writeUInt16BE(checksum(frame.subarray(22, 54), frame.subarray(ICMP)), ICMP + 2);
  return frame;
}

/** RFC 1071 over the pseudo-header of RFC 8200 section 8.1; zero over a message whose checksum is right. */
export function checksum(addresses: Uint8Array, body: Uint8Array): number {
  let sum = body.length + ICMPV6;
  for (const bytes of [addresses, body]) {
    for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  }
  while (sum > 0xff_ff) sum = (sum & 0xff_ff) + (sum >>> 16);
  return ~sum & 0xff_ff;
}
