/** The installer's process of `kfctl up`: waits until its parent says that the cluster is ready, installs, tells, ends. */
import { readSettings } from '../../config/settings.ts';
import { createTerminal } from '../../cli/terminal.ts';
import { reportError } from '../../cli/report-error.ts';
import { dataDirectory } from '../data-directory.ts';
import { install } from './install.ts';

const abort = new AbortController();
const stop = (): void => abort.abort(new Error('stopped'));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
process.on('disconnect', stop);

const clusterReady = new Promise<void>((resolve) => {
  process.on('message', (message) => {
    if ((message as { kind?: unknown } | null)?.kind === 'cluster-ready') resolve();
  });
});

const [directory = '', ...flags] = process.argv.slice(2);
const terminal = createTerminal({
  stdout: process.stdout,
  stderr: process.stderr,
  verbose: flags.includes('--verbose'),
  colour: (process.env['NO_COLOR'] ?? '') === '',
});
try {
  const settings = readSettings(process.env);
  await install({ data: dataDirectory(directory), settings, terminal, clusterReady, signal: abort.signal });
} catch (error) {
  if (!abort.signal.aborted) reportError(terminal, error);
  process.exitCode = 1;
} finally {
  terminal.progress(undefined);
  process.off('disconnect', stop);
  if (process.connected) process.disconnect?.();
}
