/**
 * The start of the published `kustomize-js`: runs the bundled program with V8's compiled code of an earlier run, when there is one. It loads
 * nothing that Node has not loaded already: every other built-in module costs more than building ten objects.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { cacheDirectory, readCode, writeCode } from './code-cache.ts';

/** Set by the build: the file name of the program, which holds the digest of its content. */
declare const PROGRAM_FILE: string;

type Program = (require: NodeJS.Require) => void;

const file = join(import.meta.dirname, PROGRAM_FILE);
const cacheName = `${PROGRAM_FILE}-${process.version}-${process.arch}`;
const directory = cacheDirectory({ platform: process.platform, env: process.env });
const cachedData = directory === undefined ? undefined : readCode(directory, cacheName);
const script = new Script(readFileSync(file, 'utf8'), {
  filename: file,
  ...(cachedData === undefined ? {} : { cachedData }),
});
const program = script.runInThisContext() as Program;
program(require);
if (directory !== undefined && (cachedData === undefined || script.cachedDataRejected === true))
  process.once('exit', () => writeCode(directory, cacheName, script.createCachedData()));
