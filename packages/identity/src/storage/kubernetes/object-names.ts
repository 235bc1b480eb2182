/** Owns the names of Dex's custom resources, so that the objects of an existing installation are found again. */
import { decodeSubject } from '@kfctl/oidc';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const FNV_OFFSET = 0xcb_f2_9c_e4_84_22_23_25n;
const FNV_PRIME = 0x1_00_00_00_01_b3n;
const MASK_64 = 0xff_ff_ff_ff_ff_ff_ff_ffn;

/** Clients and passwords: base32 of the id followed by the start value of FNV-64 (a quirk of Go's `hash.Sum`). */
export function nameOfId(id: string): string {
  return base32(Buffer.concat([Buffer.from(id, 'utf8'), uint64(FNV_OFFSET)]));
}

// RFC 1123, as Kubernetes wants names of objects.
const OBJECT_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const MAX_OBJECT_NAME = 253;

/** Connectors: the id itself; where it can be no name, which Dex cannot keep at all, as clients are named. */
export function nameOfConnector(id: string): string {
  return OBJECT_NAME.test(id) && id.length <= MAX_OBJECT_NAME ? id : nameOfId(id);
}

/** Offline sessions: base32 of the FNV-64 of user id and connector id, both out of the subject. */
export function nameOfSubject(subject: string): string {
  const { userId, connectorId } = decodeSubject(subject) ?? { userId: subject, connectorId: '' };
  let hash = FNV_OFFSET;
  for (const byte of Buffer.from(userId + connectorId, 'utf8')) hash = ((hash * FNV_PRIME) & MASK_64) ^ BigInt(byte);
  return base32(uint64(hash));
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

function base32(bytes: Buffer): string {
  let text = '';
  let bits = 0;
  let buffer = 0;
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(buffer >>> bits) & 31];
    }
    buffer &= 31;
  }
  return bits === 0 ? text : text + ALPHABET[(buffer << (5 - bits)) & 31];
}
