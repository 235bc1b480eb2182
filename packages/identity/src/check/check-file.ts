/** Owns `identity check CONFIG`: reads the file as serving would, says everything that is wrong with it, serves nothing. */
import { readFile } from 'node:fs/promises';
import type { Environment } from '@kfctl/core';
import { describeError } from '@kfctl/core';
import { parseConfig } from '../config/parse-config.ts';
import { renderProblems } from '../config/problems.ts';

export interface CheckIo {
  readonly env: Environment;
  write(text: string): void;
}

/** Resolves with the exit code: 0 when the file can be served. */
export async function checkFile(file: string, { env, write }: CheckIo): Promise<number> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    write(`Cannot read ${file}: ${describeError(error)}\n`);
    return 1;
  }
  const { config, problems, warnings } = await parseConfig(text, env);
  if (warnings.length > 0)
    write(`${warnings.length} of no effect in ${file}:\n\n${renderProblems(text, warnings)}\n\n`);
  if (config === undefined) {
    write(`${problems.length} wrong in ${file}:\n\n${renderProblems(text, problems)}\n\nCorrect the lines shown.\n`);
    return 1;
  }
  const { staticPasswords, staticClients, connectors, storage } = config;
  write(
    `${file} can be served: ${staticPasswords.length} users, ${staticClients.length} clients, ` +
      `${connectors.length} connectors, ${storage.type} storage.\nNext: identity serve ${file}\n`,
  );
  return 0;
}
