/** Owns cutting the field lines of an HTTP/1.1 head or trailer section into names and values (RFC 9112 section 5). */

const SPACE = 32;
const TAB = 9;

/**
 * `[name, value, …]` of the lines from `start` on, values without the blanks around them; undefined when a line has no name. Lines end
 * with CR LF and with nothing else. What names and values may consist of is for the caller to check: a continuation line (obs-fold) has a
 * name that begins with a blank, half a line end is a control character in a value.
 */
export function splitFieldLines(text: string, start: number, maxFields: number): string[] | undefined {
  const fields: string[] = [];
  let from = start;
  while (from < text.length && fields.length <= maxFields * 2) {
    const found = text.indexOf('\r\n', from);
    const end = found < 0 ? text.length : found;
    const colon = text.indexOf(':', from);
    if (colon <= from || colon > end) return undefined;
    fields.push(text.slice(from, colon), trimmed(text, colon + 1, end));
    from = end + 2;
  }
  return fields;
}

function trimmed(text: string, start: number, end: number): string {
  let [from, to] = [start, end];
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
