/** The process that `kfctl up` becomes when its arguments are read and the data folder is its own: supervisor and nothing else. */
import { createTerminal } from '../../cli/terminal.ts';
import { dataDirectory, unlockDataDirectory } from '../data-directory.ts';
import { CLUSTER_MAIN } from './cluster-process.ts';
import { INSTALLER_MAIN, supervise } from './supervise.ts';

const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => abort.abort(new Error(`stopped by ${signal}`)));
}

const [directory = '', ...flags] = process.argv.slice(2);
const data = dataDirectory(directory);
const terminal = createTerminal({
  stdout: process.stdout,
  stderr: process.stderr,
  verbose: flags.includes('--verbose'),
  colour: (process.env['NO_COLOR'] ?? '') === '',
});
const programs = { cluster: CLUSTER_MAIN, installer: INSTALLER_MAIN };
try {
  await supervise({ data, terminal, programs, signal: abort.signal, env: process.env });
  terminal.note('Stopped. Everything is kept: kfctl up starts it again.');
} catch (error) {
  // The installer has told its own error.
  if (!(error instanceof Error && error.name === 'ExitCode')) {
    const { reportError } = await import('../../cli/report-error.ts');
    reportError(terminal, error);
  }
  process.exitCode = 1;
} finally {
  unlockDataDirectory(data, process.pid);
}
