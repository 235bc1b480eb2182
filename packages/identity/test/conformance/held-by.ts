/** Owns rows whose fact other tests assert: which they are, and that they are still there. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Row } from './row.ts';

const PACKAGES = path.join(import.meta.dirname, '../../..');

/** A file, from the folder of all packages or of this one (`src/…`, `test/…`), and names of its tests. */
export type HeldBy = readonly [file: string, ...names: string[]];

export type HeldRow = Omit<Row, 'proof'> & { readonly by: readonly HeldBy[] };

/** The row; its proof fails when one of the tests is not there under that name. */
export function held({ by, ...row }: HeldRow): Row {
  return {
    ...row,
    proof: () => {
      assert.ok(by.length > 0);
      for (const [file, ...names] of by) requireTests(file, names);
      return Promise.resolve();
    },
  };
}

/** Throws where the file has no test of one of the names. */
export function requireTests(file: string, names: readonly string[]): void {
  const full = path.join(PACKAGES, /^(?:src|test)\//.test(file) ? `identity/${file}` : file);
  assert.ok(existsSync(full), `${file} is not there`);
  assert.ok(names.length > 0, `${file}: no test is named`);
  const text = readFileSync(full, 'utf8');
  const suites = Object.entries(SUITES).filter(([call]) => text.includes(`${call}({`));
  const shared = suites.map(([, suite]) => readFileSync(path.join(PACKAGES, suite), 'utf8'));
  const all = [text, ...shared].join('\n');
  const declared = declaredNames(all);
  for (const name of names) {
    const found = declared.some((pattern) => matches(pattern, { name, text: all }));
    assert.ok(found, `${file} has no test '${name}'`);
  }
}

/** Suites of the testkit: whoever calls one has its tests. */
const SUITES: Readonly<Record<string, string>> = {
  runOAuth2ConnectorSuite: 'testkit/src/oauth2-connector.ts',
  runStorageSuite: 'testkit/src/identity-storage.ts',
};

const DECLARATION = /\btest\(\s*(?:'((?:[^'\\\n]|\\.)+)'|"((?:[^"\\\n]|\\.)+)"|`((?:[^`\\]|\\.)+)`)/g;

/** As they are written; in a template `${…}` stands for what the table above it gives. */
function declaredNames(text: string): readonly string[] {
  return [...text.matchAll(DECLARATION)].map(([, single, double, template]) =>
    (single ?? double ?? template ?? '').replaceAll(/\\(['"])/g, '$1'),
  );
}

/** What a template's holes are filled with must be in the file too, or any word would do. */
function matches(pattern: string, { name, text }: { readonly name: string; readonly text: string }): boolean {
  const holes = /\$\{(?:[^{}]|\{[^{}]*\})*\}/g;
  const parts = pattern.split(holes).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  // A colon may belong to what fills a hole or to what stands between two.
  return ['(.+?)', '(.+)'].some((hole) => {
    const found = new RegExp(`^${parts.join(hole)}$`).exec(name);
    return found !== null && found.slice(1).every((piece) => isWritten(text, piece));
  });
}

/** As one literal, or as several that the template joins. */
function isWritten(text: string, piece: string): boolean {
  return piece.split(', ').every((part) => plain(text).includes(plain(part)));
}

function plain(text: string): string {
  return text.replaceAll(/['"]/g, '');
}
