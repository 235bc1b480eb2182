/** Owns address blocks: `10.0.0.0/8`, `10.1.2.3`, `fd00::/8`. */
import { BlockList, isIP } from 'node:net';

export function isCidr(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}

/** Whether an address lies in one of the blocks; IPv4-mapped IPv6 addresses count as IPv4. */
export function isInBlocks(address: string, blocks: readonly string[]): boolean {
  const plain = address.toLowerCase().startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
  const family = isIP(plain);
  if (family === 0) return false;
  const list = new BlockList();
  for (const block of blocks) addBlock(list, block);
  return list.check(plain, family === 4 ? 'ipv4' : 'ipv6');
}

function addBlock(list: BlockList, block: string): void {
  const [address = '', prefix] = block.split('/');
  const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
  if (prefix === undefined) list.addAddress(address, family);
  else list.addSubnet(address, Number(prefix), family);
}
