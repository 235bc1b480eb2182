/** Owns ARP for IPv4 over Ethernet (RFC 826): bytes to message and back. No I/O; any bytes may come in. */
import { BROADCAST, ETHERNET_HEADER, ETHERTYPE, UNKNOWN_MAC, writeEthernet } from './ethernet.ts';

export interface ArpMessage {
  readonly operation: 'request' | 'reply';
  /** Of the Ethernet frame. */
  readonly destination: Uint8Array;
  readonly senderMac: Uint8Array;
  /** Four bytes, as the target's. */
  readonly senderIp: Uint8Array;
  readonly targetMac: Uint8Array;
  readonly targetIp: Uint8Array;
}

const LENGTH = ETHERNET_HEADER + 28;
/** Shorter frames are runts (IEEE 802.3), and some equipment drops them. */
const MIN_FRAME = 60;
const NO_IP = Buffer.alloc(4);

/** The message, or undefined for anything else. Its bytes are views of the frame. */
export function parseArp(frame: Buffer): ArpMessage | undefined {
  if (frame.length < LENGTH) return undefined;
  const isEthernetIpv4 =
    frame.readUInt16BE(12) === ETHERTYPE.arp &&
    frame.readUInt16BE(14) === 1 &&
    frame.readUInt16BE(16) === 0x08_00 &&
    frame[18] === 6 &&
    frame[19] === 4;
  const code = frame.readUInt16BE(20);
  if (!isEthernetIpv4 || (code !== 1 && code !== 2)) return undefined;
  return {
    operation: code === 1 ? 'request' : 'reply',
    destination: frame.subarray(0, 6),
    senderMac: frame.subarray(22, 28),
    senderIp: frame.subarray(28, 32),
    targetMac: frame.subarray(32, 38),
    targetIp: frame.subarray(38, 42),
  };
}

/** A frame of 60 bytes; its Ethernet source is the sender. */
export function renderArp(message: ArpMessage): Buffer {
  const frame = Buffer.alloc(MIN_FRAME);
  writeEthernet(frame, { destination: message.destination, source: message.senderMac, type: ETHERTYPE.arp });
  frame.writeUInt16BE(1, 14);
  frame.writeUInt16BE(0x08_00, 16);
  frame[18] = 6;
  frame[19] = 4;
  frame.writeUInt16BE(message.operation === 'request' ? 1 : 2, 20);
  frame.set(message.senderMac, 22);
  frame.set(message.senderIp, 28);
  frame.set(message.targetMac, 32);
  frame.set(message.targetIp, 38);
  return frame;
}

/** The answer to a request, to its sender alone. */
export function renderArpReply(request: ArpMessage, mac: Uint8Array): Buffer {
  return renderArp({
    operation: 'reply',
    destination: request.senderMac,
    senderMac: mac,
    senderIp: request.targetIp,
    targetMac: request.senderMac,
    targetIp: request.senderIp,
  });
}

/** "This address is here": a request and a reply to everybody, because some hosts heed only the one or the other. */
export function renderGratuitousArp(ip: Uint8Array, mac: Uint8Array): readonly Buffer[] {
  const about = { destination: BROADCAST, senderMac: mac, senderIp: ip, targetMac: BROADCAST, targetIp: ip };
  return [renderArp({ ...about, operation: 'request' }), renderArp({ ...about, operation: 'reply' })];
}

/** "Does anybody have this address?" without claiming it (RFC 5227 section 2.1.1). */
export function renderArpProbe(ip: Uint8Array, mac: Uint8Array): Buffer {
  return renderArp({
    operation: 'request',
    destination: BROADCAST,
    senderMac: mac,
    senderIp: NO_IP,
    targetMac: UNKNOWN_MAC,
    targetIp: ip,
  });
}
