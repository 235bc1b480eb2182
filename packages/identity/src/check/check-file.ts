/** Owns `identity check CONFIG`: reads the file as serving would, says everything that is wrong, tries the connectors, serves nothing. */
import { existsSync, readFileSync } from 'node:fs';
import { describeError, silentLogger } from '@kfctl/core';
import type { Environment } from '@kfctl/core';
import type { IdentityConfig } from '../config/config.ts';
import { parseConfig } from '../config/parse-config.ts';
import { tryConnector } from './try-connector.ts';
import { renderProblems } from '../config/problems.ts';
import { loadTemplatePages } from '../pages/template-pages.ts';
import type { CheckedPerson } from '../connectors/connector.ts';

export interface CheckIo {
  readonly env: Environment;
  /** Tried at every connector that can be tried. */
  readonly person: CheckedPerson;
  /** What the file holds, where it is no file that could be read. */
  readonly text?: string;
  write(text: string): void;
}

/** Resolves with the exit code: 0 when the file can be served and its connectors answer. */
export async function checkFile(file: string, io: CheckIo): Promise<number> {
  const text = readText(file, io);
  if (text === undefined) return 1;
  const { config, problems, warnings } = await parseConfig(text, io.env);
  if (warnings.length > 0) io.write(`Of no effect in ${file}:\n\n${renderProblems(text, warnings)}\n\n`);
  if (config === undefined) {
    const count = problems.length === 1 ? 'One mistake' : `${problems.length} mistakes`;
    io.write(`${count} in ${file}:\n\n${renderProblems(text, problems)}\n\nCorrect the lines shown.\n`);
    return 1;
  }
  const connected = await tryConnectors(config, io);
  const rendered = checkPages(config, io);
  const { staticPasswords, staticClients, connectors, storage } = config;
  io.write(
    `${file} can be served: ${staticPasswords.length} users, ${staticClients.length} clients, ` +
      `${connectors.length} connectors, ${storage.type} storage.\n`,
  );
  if (!connected) io.write('Next: correct what the connectors say above.\n');
  if (!rendered) io.write('Next: correct the templates named above; until then the built-in pages are shown.\n');
  if (connected && rendered) io.write(`Next: identity serve ${file}\n`);
  return connected && rendered ? 0 : 1;
}

/** The operator's page templates, each tried with data as it comes. */
function checkPages({ frontend, basePath }: IdentityConfig, { write }: CheckIo): boolean {
  if (frontend.dir !== '' && !existsSync(frontend.dir)) {
    write(`frontend.dir ${frontend.dir} is not on this machine: its templates are not checked.\n\n`);
    return true;
  }
  const pages = loadTemplatePages(frontend, { basePath, log: silentLogger });
  if (pages === undefined) return true;
  const lines = pages.mistakes.map((mistake) => `  ${mistake}\n`).join('');
  write(`page templates: ${pages.used.length === 0 ? 'none can be used' : pages.used.join(', ')}\n${lines}\n`);
  return pages.mistakes.length === 0;
}

async function tryConnectors({ connectors, basePath }: IdentityConfig, io: CheckIo): Promise<boolean> {
  const { person, write } = io;
  let good = true;
  for (const entry of connectors) {
    const { id, type, check } = entry;
    const { ok, lines } = await (check === undefined ? tryConnector(entry, basePath) : check(person));
    write(`connector ${id} (${type}):\n${lines.map((line) => `  ${line}\n`).join('')}\n`);
    good &&= ok;
  }
  return good;
}

function readText(file: string, { write, text }: CheckIo): string | undefined {
  if (text !== undefined) return text;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    write(`Cannot read ${file}: ${describeError(error)}\n`);
    return undefined;
  }
}
