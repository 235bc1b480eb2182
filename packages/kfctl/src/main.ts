/** The command line's process: wires streams and signals, and ends with the exit code. */
import { runKfctl } from './cli/run-kfctl.ts';

const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The second time means it.
    if (abort.signal.aborted) process.exit(130);
    abort.abort(new Error(`stopped by ${signal}`));
  });
}
// A reader that went away (`kfctl show | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await runKfctl({
  argv: process.argv.slice(2),
  env: process.env,
  directory: process.cwd(),
  // A getter, because commands that ask nothing must not open it.
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  signal: abort.signal,
});
