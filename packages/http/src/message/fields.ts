/** Owns flat lists of header fields: `[name, value, name, value, …]` with lower-case names, as node hands them over, without objects between. */

export type FieldList = readonly string[];

/** The field's value, repeated fields joined with commas (RFC 9110 section 5.3); undefined when absent. */
export function findField(fields: FieldList, name: string): string | undefined {
  let found: string | undefined;
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index] !== name) continue;
    const value = fields[index + 1] ?? '';
    found = found === undefined ? value : `${found},${value}`;
  }
  return found;
}

export function countField(fields: FieldList, name: string): number {
  let count = 0;
  for (let index = 0; index < fields.length; index += 2) if (fields[index] === name) count += 1;
  return count;
}

/** Removes every field of that name, in place. */
export function removeField(fields: string[], name: string): void {
  if (countField(fields, name) === 0) return;
  const kept: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index] !== name) kept.push(fields[index] ?? '', fields[index + 1] ?? '');
  }
  fields.length = 0;
  fields.push(...kept);
}

/** Makes the field have exactly this value, in place. */
export function setField(fields: string[], name: string, value: string): void {
  removeField(fields, name);
  fields.push(name, value);
}
