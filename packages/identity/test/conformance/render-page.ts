/** Owns the page that tells people who come from Dex what is as they know it and what is not: made from the rows that are proven. */
import type { Row, Section, Stand } from './row.ts';
import { STANDS } from './row.ts';
import { SECTIONS } from './sections.ts';

const VERSIONS = `"2.45" is Dex's release 2.45.1; "later" is its development branch of August 2026. Where the two differ the release is
followed, and the later one where it mends its security or adds what the file asks for; the row says which.`;

export interface Page {
  readonly file: string;
  /** Of the reference: those whose sections are on the page. */
  readonly chapters: readonly string[];
  readonly introduction: string;
}

/** Files of `docs/reference`. */
export const PAGES: readonly Page[] = [
  {
    file: 'dex-behaviour.md',
    chapters: ['1', '2'],
    introduction: `# Dex's behaviour, row by row

Made from \`packages/identity/test/conformance\`: each row is a test that asks a running server over HTTP, by the name
\`section/row\`. ${VERSIONS}`,
  },
  {
    file: 'dex-connectors.md',
    chapters: ['3', '4', '5', '6', '7'],
    introduction: `# Dex's connectors, tests, wishes and advisories, row by row

Made from \`packages/identity/test/conformance\`: each row is a test by the name \`section/row\`, which asks by itself or fails when one of
the tests that hold the fact is gone. ${VERSIONS}`,
  },
];

/** Markdown: first what is not as in Dex, then the rest. Prove what it says with `npm test -- packages/identity/test/conformance`. */
export function renderPage({ chapters, introduction }: Page): string {
  const sections = SECTIONS.filter(({ id }) => chapters.includes(id.split('.')[0] ?? ''));
  const rows = sections.flatMap(namedRows);
  const parts = [introduction, summary(rows)];
  for (const [stand, words] of STAND_WORDS) {
    const those = stand === 'kept' ? [] : rows.filter((row) => row.stand === stand);
    if (those.length > 0) parts.push(`## ${capital(words)}`, differences(those));
  }
  parts.push(`## ${capital(STANDS.kept)}`);
  for (const section of sections) {
    const those = namedRows(section).filter(({ stand }) => stand === 'kept');
    if (those.length > 0) parts.push(`### ${section.title}`, table(['row', 'what holds'], those.map(keptCells)));
  }
  return `${parts.join('\n\n')}\n`;
}

const STAND_WORDS = Object.entries(STANDS) as readonly (readonly [Stand, string])[];

interface NamedRow extends Row {
  readonly name: string;
}

function namedRows({ id, rows }: Section): readonly NamedRow[] {
  return rows.map((row) => ({ ...row, name: `\`${id}/${row.id}\`` }));
}

function summary(rows: readonly Row[]): string {
  const counted = STAND_WORDS.map(([stand, words]) => {
    const count = rows.filter((row) => row.stand === stand).length;
    return [`**${stand}**`, count === 0 ? words : `[${words}](#${anchor(words)})`, String(count)];
  });
  return table(['', '', 'rows'], counted);
}

function differences(rows: readonly NamedRow[]): string {
  return table(
    ['row', 'what holds here', 'in Dex', 'why'],
    rows.map((row) => [row.name, row.fact, versions(row), row.why ?? '']),
  );
}

function keptCells(row: NamedRow): readonly string[] {
  const reason = row.why === undefined ? '' : ` ${row.why}`;
  const note = `${versions(row)}${reason}`.trim();
  return [row.name, note === '' ? row.fact : `${row.fact} *${note}*`];
}

/** What Dex does, and which of its versions is followed where they differ. */
function versions({ dex = '', follows }: Row): string {
  return follows === undefined ? dex : `${dex} Followed: ${follows === 'head' ? 'later' : '2.45'}.`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(line)].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function capital(words: string): string {
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

/** As GitHub makes them. */
function anchor(words: string): string {
  return words
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}
