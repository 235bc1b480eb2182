/** Owns the syntax of header fields (RFC 9110 section 5). */

/** A field name: a token. */
export function isFieldName(name: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name);
}

/** A field value: visible characters, obs-text, spaces and tabs; no other control characters. */
export function isFieldValue(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}
