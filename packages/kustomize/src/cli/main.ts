/** The process of `kustomize-js`: wires arguments, streams and the exit code. Every import here is paid for by the smallest build. */

import { basename } from 'node:path';
import { runKustomize } from './run-kustomize.ts';
import { writeTo } from './write-to.ts';

const done = runKustomize({
  argv: process.argv.slice(2),
  directory: process.cwd(),
  // `kfctl kustomize` comes here by a file of its own name.
  program: basename(process.argv[1] ?? '').startsWith('kfctl') ? 'kfctl kustomize' : 'kustomize-js',
  stdout: (text) => writeTo(1, text),
  stderr: (text) => writeTo(2, text),
});
if (typeof done === 'number') process.exitCode = done;
else void done.then((code) => (process.exitCode = code));
