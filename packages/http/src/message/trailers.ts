/** Owns reading of a trailer section (RFC 9112 section 7.1.2). */
import { isFieldName, isFieldValue } from './field-syntax.ts';
import { splitFieldLines } from './field-lines.ts';

const MAX_FIELDS = 100;
const FRAMING = new Set(['content-length', 'transfer-encoding']);
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'upgrade', 'trailer', 'te']);

/** Fields of a trailer section, names in lower case; undefined when malformed. Framing fields in trailers are refused (RFC 9110 section 6.5.1). */
export function parseTrailers(text: string): string[] | undefined {
  const raw = splitFieldLines(text, 0, MAX_FIELDS);
  if (raw === undefined || raw.length > MAX_FIELDS * 2) return undefined;
  const fields: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase();
    const value = raw[index + 1] ?? '';
    if (!isFieldName(name) || !isFieldValue(value) || FRAMING.has(name)) return undefined;
    if (!HOP_BY_HOP.has(name)) fields.push(name, value);
  }
  return fields;
}
