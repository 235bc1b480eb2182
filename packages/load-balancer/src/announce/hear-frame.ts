/** Owns the one view of ARP and NDP that answering needs: who asks for which address, and who says that it has one. No I/O. */
import { parseArp, renderArpProbe, renderArpReply, renderGratuitousArp } from '../frame/arp.ts';
import {
  isDuplicateCheck,
  parseNdp,
  renderNeighbourAnswer,
  renderNeighbourProbe,
  renderUnsolicited,
} from '../frame/ndp.ts';

export interface Heard {
  readonly protocol: 'ARP' | 'NDP';
  /** Key of the address that is asked for. */
  readonly asks?: string;
  /** Key of the address that the sender says is its own. */
  readonly claims?: string;
  /** The sender asks because it wants to take the address. */
  readonly isProbe: boolean;
  readonly destination: Uint8Array;
  readonly senderMac: Uint8Array;
  readonly senderIp: Uint8Array;
  answer(mac: Uint8Array): Buffer;
}

/** How addresses are looked up: their bytes in hexadecimal. */
export function addressKey(ip: Uint8Array): string {
  return Buffer.from(ip.buffer, ip.byteOffset, ip.byteLength).toString('hex');
}

export function hearFrame(frame: Buffer): Heard | undefined {
  return frame.length > 13 && frame[12] === 0x08 ? hearArp(frame) : hearNdp(frame);
}

function hearArp(frame: Buffer): Heard | undefined {
  const message = parseArp(frame);
  // A group cannot be answered to: that would turn one frame into many.
  if (message === undefined || isGroup(message.senderMac)) return undefined;
  const isProbe = message.senderIp.every((byte) => byte === 0);
  const { destination, senderMac, senderIp } = message;
  const target = addressKey(message.targetIp);
  const sender = addressKey(senderIp);
  return {
    protocol: 'ARP',
    ...(message.operation === 'request' && sender !== target ? { asks: target } : {}),
    ...(isProbe ? {} : { claims: sender }),
    isProbe: isProbe && message.operation === 'request',
    destination,
    senderMac,
    senderIp,
    answer: (mac) => renderArpReply(message, mac),
  };
}

function hearNdp(frame: Buffer): Heard | undefined {
  const message = parseNdp(frame);
  if (message === undefined) return undefined;
  const senderMac = message.linkAddress ?? message.source;
  if (isGroup(senderMac) || message.senderIp[0] === 0xff) return undefined;
  const target = addressKey(message.targetIp);
  return {
    protocol: 'NDP',
    ...(message.kind === 'solicitation' ? { asks: target } : { claims: target }),
    isProbe: isDuplicateCheck(message),
    destination: message.destination,
    senderMac,
    senderIp: message.senderIp,
    answer: (mac) => renderNeighbourAnswer(message, mac),
  };
}

function isGroup(mac: Uint8Array): boolean {
  return ((mac[0] ?? 1) & 1) === 1;
}

/** The frames that tell everybody where the address is. */
export function renderGratuitous(ip: Uint8Array, mac: Uint8Array): readonly Buffer[] {
  return ip.length === 4 ? renderGratuitousArp(ip, mac) : [renderUnsolicited(ip, mac)];
}

/** The frame that asks whether somebody has the address. */
export function renderProbe(ip: Uint8Array, mac: Uint8Array): Buffer {
  return ip.length === 4 ? renderArpProbe(ip, mac) : renderNeighbourProbe(ip, mac);
}
