/** Owns reading values out of directory entries. */
import type { Entry } from 'ldapts';

/** Attribute names mean the same in any case (RFC 4512 §2.5); `DN` is the entry's own name unless an attribute has that name. */
export function valuesOf(entry: Entry, attribute: string): readonly string[] {
  const wanted = attribute.toLowerCase();
  const key = Object.keys(entry).find((name) => name !== 'dn' && name.toLowerCase() === wanted);
  const raw = key === undefined ? [] : [entry[key] ?? []].flat();
  const values = raw.map((value) => (typeof value === 'string' ? value : readBinary(wanted, value)));
  return values.length === 0 && wanted === 'dn' ? [entry.dn] : values;
}

export function firstValue(entry: Entry, attribute: string): string {
  return attribute === '' ? '' : (valuesOf(entry, attribute)[0] ?? '');
}

/** Attributes to ask for; the entry's name always comes along. */
export function requestable(attributes: readonly string[]): string[] {
  const names = new Map(attributes.filter((name) => name !== '').map((name) => [name.toLowerCase(), name]));
  names.delete('dn');
  // RFC 4511 §4.5.1.8: "1.1" asks for no attributes, while an empty list would ask for all.
  return names.size === 0 ? ['1.1'] : [...names.values()];
}

// Binary ids of Active Directory in the spelling of its own tools; other binary values in hex.
function readBinary(attribute: string, value: Buffer): string {
  return attribute === 'objectguid' && value.length === 16 ? guid(value) : value.toString('hex');
}

// The first three groups are little-endian.
function guid(value: Buffer): string {
  const part = (start: number, end: number, reversed: boolean): string => {
    const bytes = Buffer.from(value.subarray(start, end));
    return (reversed ? bytes.reverse() : bytes).toString('hex');
  };
  return [part(0, 4, true), part(4, 6, true), part(6, 8, true), part(8, 10, false), part(10, 16, false)].join('-');
}
