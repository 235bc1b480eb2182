/** Owns what the kernel tells about network interfaces (rtnetlink), as messages and as values. No I/O. */
import { renderMac } from '../frame/ethernet.ts';

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly mac: Uint8Array;
  /** Up, and with carrier: a cable, an association, a peer. */
  readonly running: boolean;
  /** Ethernet with broadcast and ARP, on its own and not a member of a bridge or bond. */
  readonly suitable: boolean;
}

export type LinkChange =
  | { readonly kind: 'present'; readonly link: Link }
  | { readonly kind: 'gone'; readonly index: number };

const HEADER = 16;
const INFO = 16;
const NEW_LINK = 16;
const DEL_LINK = 17;
const GET_LINK = 18;
const REQUEST_DUMP = 0x0301;
const ATTRIBUTE = { address: 1, name: 3, master: 10 } as const;
const FLAG = { up: 0x1, broadcast: 0x2, loopback: 0x8, running: 0x40, noArp: 0x80 } as const;
const ETHERNET = 1;

/** "Tell all interfaces." */
export function renderLinkDump(): Buffer {
  const message = Buffer.alloc(HEADER + INFO);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(GET_LINK, 4);
  message.writeUInt16LE(REQUEST_DUMP, 6);
  return message;
}

/** The interface changes of one datagram; what is cut short ends the reading. */
export function parseLinkMessages(datagram: Buffer): readonly LinkChange[] {
  const changes: LinkChange[] = [];
  for (let at = 0; at + HEADER <= datagram.length;) {
    const length = datagram.readUInt32LE(at);
    if (length < HEADER || at + length > datagram.length) break;
    const change = parseMessage(datagram.readUInt16LE(at + 4), datagram.subarray(at + HEADER, at + length));
    if (change !== undefined) changes.push(change);
    at += (length + 3) & ~3;
  }
  return changes;
}

function parseMessage(type: number, body: Buffer): LinkChange | undefined {
  if ((type !== NEW_LINK && type !== DEL_LINK) || body.length < INFO) return undefined;
  const index = body.readInt32LE(4);
  // A bridge tells about its ports in its own family; that says nothing about the interface.
  if (body[0] !== 0) return undefined;
  if (type === DEL_LINK) return { kind: 'gone', index };
  const attributes = readAttributes(body.subarray(INFO));
  const mac = attributes.get(ATTRIBUTE.address);
  const name = attributes.get(ATTRIBUTE.name)?.toString('utf8').replace(/\0.*$/s, '') ?? '';
  const flags = body.readUInt32LE(8);
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const suitable =
    body.readUInt16LE(2) === ETHERNET &&
    mac?.length === 6 &&
    has(FLAG.broadcast) &&
    !has(FLAG.noArp) &&
    !has(FLAG.loopback) &&
    !attributes.has(ATTRIBUTE.master);
  const link = { index, name, mac: Buffer.from(mac ?? []), running: has(FLAG.up) && has(FLAG.running), suitable };
  return { kind: 'present', link };
}

function readAttributes(bytes: Buffer): Map<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = bytes.readUInt16LE(at);
    if (length < 4 || at + length > bytes.length) break;
    attributes.set(bytes.readUInt16LE(at + 2) & 0x3f_ff, bytes.subarray(at + 4, at + length));
    at += (length + 3) & ~3;
  }
  return attributes;
}

/** True when both say the same. */
export function isSameLink(left: Link | undefined, right: Link): boolean {
  return (
    left !== undefined &&
    left.name === right.name &&
    left.running === right.running &&
    left.suitable === right.suitable &&
    renderMac(left.mac) === renderMac(right.mac)
  );
}
