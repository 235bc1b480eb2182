/** Owns the running of rows as tests, each by its id and fact. */
import { after, describe, test } from 'node:test';
import type { Section } from './row.ts';
import { SECTIONS_BY_FILE } from './sections.ts';
import { createServers } from './servers.ts';

/** Runs the sections that the list gives to this file; `url` is the file's own. */
export function proveSectionsOf(url: string): void {
  const file = new URL(url).pathname.split('/').at(-1) ?? '';
  for (const section of SECTIONS_BY_FILE[file] ?? []) proveSection(section);
}

function proveSection({ id, title, rows }: Section): void {
  describe(`${id} ${title}`, () => {
    const servers = createServers();
    after(() => servers.stop());
    for (const row of rows) test(`${id}/${row.id}: ${row.fact}`, () => row.proof(servers));
  });
}
