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

/** Markdown. Prove what it says with `npm test -- packages/identity/test/conformance`. */
export function renderPage({ chapters, introduction }: Page): string {
  const sections = SECTIONS.filter(({ id }) => chapters.includes(id.split('.')[0] ?? ''));
  const parts = [introduction, summary(sections)];
  for (const section of sections) parts.push(`## ${section.title}`, table(section));
  return `${parts.join('\n\n')}\n`;
}

function summary(sections: readonly Section[]): string {
  const rows = sections.flatMap((section) => section.rows);
  const stands = Object.entries(STANDS) as readonly (readonly [Stand, string])[];
  const lines = stands.map(([stand, words]) => {
    const count = rows.filter((row) => row.stand === stand).length;
    return `| **${stand}** | ${words} | ${count} |`;
  });
  return ['| | | rows |', '|---|---|---|', ...lines].join('\n');
}

function table({ id, rows }: Section): string {
  const lines = rows.map((row) => `| \`${id}/${row.id}\` | ${cell(row.fact)} | ${standing(row)} |`);
  return ['| row | what holds here | and in Dex |', '|---|---|---|', ...lines].join('\n');
}

function standing({ stand, dex, follows, why }: Row): string {
  const followed = follows === undefined ? '' : follows === 'head' ? ' Followed: later.' : ' Followed: 2.45.';
  const difference = dex === undefined ? '' : ` ${dex}${followed}`;
  return cell(`**${stand}.**${difference}${why === undefined ? '' : ` *${why}*`}`);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
