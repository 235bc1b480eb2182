/** Values -> YAML in a random but valid dress: block or flow, plain, quoted or literal scalars, comments, either list indentation. */

import type { Random } from './random.ts';

export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };

/** Text that is written as it is, for scalars whose spelling matters (`010`, `~`, `2019-08-09`). */
export class Raw {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const plainSafe = /^[A-Za-z_/][A-Za-z0-9_./-]*$/u;
const reserved = /^(?:y|n|yes|no|on|off|true|false|null|~)$/iu;

function quoted(text: string, random: Random): string {
  if (random.chance(0.4) && /^[\x20-\x7e]*$/u.test(text)) return `'${text.replaceAll("'", "''")}'`;
  return JSON.stringify(text).replace(
    /[\x7f-\xa0\u2028\u2029\ufeff]/gu,
    (part) => `\\u${part.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function scalar(value: null | boolean | number | string | Raw, random: Random): string {
  if (value instanceof Raw) return value.text;
  if (value === null) return random.pick(['null', '~', 'Null']);
  if (typeof value !== 'string') return String(value);
  if (plainSafe.test(value) && !reserved.test(value) && random.chance(0.8)) return value;
  return quoted(value, random);
}

function isLeaf(value: unknown): value is null | boolean | number | string | Raw {
  return value === null || typeof value !== 'object' || value instanceof Raw;
}

function flow(value: Value | Raw, random: Random): string {
  if (isLeaf(value)) return scalar(value, random);
  if (Array.isArray(value)) return `[${value.map((item) => flow(item, random)).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, item]) => `${scalar(key, random)}: ${flow(item, random)}`)
    .join(', ')}}`;
}

function canBeLiteral(text: string): boolean {
  return text.includes('\n') && /^[\x20-\x7e\n]*$/u.test(text) && !/^[ \n]/u.test(text) && !/ \n/u.test(text);
}

function literal(text: string, indent: string): string {
  const chomp = text.endsWith('\n\n') ? '+' : text.endsWith('\n') ? '' : '-';
  const body = text
    .replace(/\n$/u, '')
    .split('\n')
    .map((line) => (line === '' ? '' : indent + line))
    .join('\n');
  return `|${chomp}\n${body}`;
}

function block(value: Value | Raw, indent: string, random: Random): string {
  if (isLeaf(value)) return ` ${scalar(value, random)}\n`;
  if (Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0) return ` ${flow(value, random)}\n`;
  if (random.chance(0.06)) return ` ${flow(value, random)}\n`;
  if (Array.isArray(value)) {
    const inner = random.chance(0.5) ? indent : `${indent}  `;
    return `\n${value.map((item) => `${inner}-${item_(item, `${inner}  `, random)}`).join('')}`;
  }
  return `\n${entries(value, `${indent}  `, random)}`;
}

function item_(value: Value | Raw, indent: string, random: Random): string {
  if (isLeaf(value) || Array.isArray(value) || Object.keys(value).length === 0 || random.chance(0.1))
    return ` ${flow(value, random)}\n`;
  return ` ${entries(value, indent, random).slice(indent.length)}`;
}

function entries(map: { [key: string]: Value }, indent: string, random: Random): string {
  let text = '';
  for (const [key, value] of Object.entries(map)) {
    const name = `${indent}${scalar(key, random)}:`;
    if (typeof value === 'string' && canBeLiteral(value) && random.chance(0.7))
      text += `${name} ${literal(value, `${indent}  `)}\n`;
    else text += name + block(value, indent, random);
    if (random.chance(0.02)) text += `${indent}# a comment\n`;
  }
  return text;
}

/** One YAML document; a list starts in the first column, because patches are trimmed. */
export function writeYaml(value: { [key: string]: Value } | Value[], random: Random): string {
  if (Array.isArray(value)) return value.map((item) => `-${item_(item, '  ', random)}`).join('');
  return entries(value, '', random);
}
