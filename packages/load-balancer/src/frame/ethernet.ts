/** Owns Ethernet addresses as text and bytes. */

export const BROADCAST: Buffer = Buffer.alloc(6, 0xff);
export const UNKNOWN_MAC: Buffer = Buffer.alloc(6);
export const ETHERTYPE = { arp: 0x08_06, ipv6: 0x86_dd } as const;
/** Destination, source, type. */
export const ETHERNET_HEADER = 14;

/** Lower case, colons. */
export function renderMac(mac: Uint8Array): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** Writes the header at the start of a frame. */
export function writeEthernet(
  frame: Buffer,
  header: { readonly destination: Uint8Array; readonly source: Uint8Array; readonly type: number },
): void {
  frame.set(header.destination, 0);
  frame.set(header.source, 6);
  frame.writeUInt16BE(header.type, 12);
}
