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

/** Removes every field of that name, in place. */
export function removeField(fields: string[], name: string): void {
  let kept = 0;
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index] === name) continue;
    if (kept !== index) {
      fields[kept] = fields[index] ?? '';
      fields[kept + 1] = fields[index + 1] ?? '';
    }
    kept += 2;
  }
  if (kept !== fields.length) fields.length = kept;
}

/** Makes the field have exactly this value, in place. */
export function setField(fields: string[], name: string, value: string): void {
  removeField(fields, name);
  fields.push(name, value);
}
