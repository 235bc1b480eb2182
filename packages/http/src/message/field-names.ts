/** Owns the names of header fields: checked and lower-cased once, and remembered. */
import { isFieldName } from './field-syntax.ts';

/** Peers choose names: the memory of them is bounded. */
const MAX_REMEMBERED = 4096;

/** The lower-case form of a name as sent; undefined when it is no name (RFC 9110 section 5.1). */
export type FieldNames = (rawName: string) => string | undefined;

/** A piece of a head keeps the whole head alive; this does not. */
export function ownCopy(name: string): string {
  return Buffer.from(name, 'latin1').toString('latin1');
}

export function createFieldNames(): FieldNames {
  const remembered = new Map<string, string>();
  return (rawName) => {
    const known = remembered.get(rawName);
    if (known !== undefined) return known;
    if (!isFieldName(rawName)) return undefined;
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    const name = rawName.toLowerCase();
    remembered.set(ownCopy(rawName), ownCopy(name));
    return name;
  };
}
