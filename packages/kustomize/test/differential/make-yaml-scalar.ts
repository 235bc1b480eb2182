/** Random scalars over one or several lines: plain, quoted, literal and folded. */

import type { Random } from './random.ts';
import { words } from './yaml-spellings.ts';

export function randomText(random: Random): string {
  const count = 1 + random.below(random.chance(0.2) ? 30 : 6);
  let made = '';
  for (let at = 0; at < count; at += 1) {
    if (at > 0) made += random.pick([' ', ' ', ' ', ' ', '  ', '\n', '\n\n', '\n  ', ' \n', '\t']);
    made += random.pick(words);
  }
  if (random.chance(0.2)) made += random.pick(['\n', '\n\n', ' ', '\n ', '\n\n\n']);
  if (random.chance(0.1)) made = random.pick([' ', '\n', '  ', '\t']) + made;
  return made;
}

export function doubleQuoted(value: string): string {
  return JSON.stringify(value).replace(
    /[\x7f-\xa0\u2028\u2029\ufeff]/gu,
    (part) => `\\u${part.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Quoted over several lines, so that folding matters. */
export function multiLineQuoted(random: Random, indent: string): string {
  const parts = Array.from({ length: 2 + random.below(4) }, () =>
    random.pick(['one', 'two words', 'a  b', 'x:', '#', '-', "'", 'é', '\\']),
  );
  const separator = (): string =>
    random.pick(
      [' ', '\n', '\n', '\n\n', ' \n', '\n\n\n', '\t\n'].map((part) =>
        part.includes('\n') ? part + indent + random.pick(['', ' ', '   ']) : part,
      ),
    );
  const join = (escape: (part: string) => string): string =>
    parts.map((part, index) => (index === 0 ? '' : separator()) + escape(part)).join('');
  if (random.chance(0.5)) return `'${join((part) => part.replaceAll("'", "''"))}'`;
  const continued = random.chance(0.3) ? `\\\n${indent}` : '';
  return `"${join((part) => part.replaceAll('\\', '\\\\').replaceAll('"', '\\"'))}${continued}${random.pick(['', '\\t', '\\x41', '\\u00e9', '\\U0001F600', '\\N', '\\_', '\\e', '\\ '])}"`;
}

export function multiLinePlain(random: Random, indent: string): string {
  const lines = Array.from({ length: 1 + random.below(4) }, () =>
    random.pick(['one', 'two words', 'a  b', 'x:y', 'a#b', '-x', "it's", '12', 'http://a/b?c=d', '[x]y'.slice(3)]),
  );
  return (
    lines
      .map(
        (line, index) =>
          (index === 0 ? '' : `${random.pick(['\n', '\n\n', ' \n'])}${indent}${random.pick(['', ' '])}`) + line,
      )
      .join('') + random.pick(['', ' # comment'])
  );
}

export function blockScalar(random: Random, indent: string): string {
  const style = random.pick(['|', '>']);
  const chomp = random.pick(['', '-', '+']);
  const extra = random.pick(['', '', ' ', '  ', '    ']);
  const lines = Array.from({ length: 1 + random.below(6) }, () =>
    random.pick([
      'text',
      'more text here',
      '  indented',
      '',
      '',
      ' one',
      'trailing ',
      'tab\there',
      '\tstart',
      '# not a comment',
      'key: value',
      '- item',
      '---'.slice(1),
      'é',
      'x'.repeat(100),
      'word '.repeat(20).trim(),
    ]),
  );
  const first = lines.find((line) => line !== '') ?? 'x';
  const needs = /^[ \t]/u.test(first) || lines.every((line) => line === '');
  const hint = needs ? String(2 + extra.length) : random.chance(0.1) ? String(2 + extra.length) : '';
  const header = random.chance(0.5) ? `${style}${hint}${chomp}` : `${style}${chomp}${hint}`;
  const body = lines.map((line) => (line === '' ? random.pick(['', '', indent]) : indent + extra + line)).join('\n');
  return `${header}${random.pick(['', ' # c'])}\n${body}${random.pick(['', '\n', '\n\n'])}`;
}
