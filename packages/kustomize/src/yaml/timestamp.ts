/** Dates and times that YAML types by their look; rendered as RFC 3339 strings. */

const pattern =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:([Tt])(\d{1,2}):(\d{1,2}):(\d{1,2})([.,]\d+)?(Z|[+-]\d{2}:\d{2})|( +)(\d{1,2}):(\d{1,2}):(\d{1,2})([.,]\d+)?)?$/u;

const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysIn(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && leap ? 29 : (monthDays[month - 1] ?? 0);
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function fractionText(raw: string | undefined): string {
  const digits = (raw ?? '').slice(1, 10).replace(/0+$/u, '');
  return digits === '' ? '' : `.${digits}`;
}

/** RFC 3339 text of a YAML timestamp; undefined when the text is none. */
export function parseTimestamp(text: string): string | undefined {
  if (text.charCodeAt(4) !== 0x2d) return undefined;
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  const base = match[4] === undefined ? 11 : 5;
  const [hour, minute, second] = [0, 1, 2].map((offset) => Number(match[base + offset] ?? 0));
  if (hour === undefined || minute === undefined || second === undefined) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const zone = match[9] === undefined || match[9].slice(1) === '00:00' ? 'Z' : match[9];
  if (zone !== 'Z' && (Number(zone.slice(1, 3)) > 24 || Number(zone.slice(4)) >= 60)) return undefined;
  const time = `${two(hour)}:${two(minute)}:${two(second)}${fractionText(match[base + 3])}`;
  return `${match[1]}-${two(month)}-${two(day)}T${time}${zone}`;
}
