/** Owns the command `kfctl delete`. */
import { readApp } from '../app/app-directory.ts';
import { parseScope } from '../app/scope.ts';
import { createWaitingDisplay } from '../cli/waiting-display.ts';
import { deleteApp } from '../remove/delete-app.ts';
import { parseTimeout } from './apply.ts';
import { connect } from './invocation.ts';
import type { ClusterOptions, Invocation } from './invocation.ts';

export interface DeleteFlags extends ClusterOptions {
  readonly dryRun?: boolean;
  readonly timeout?: string;
}

export async function runDelete(
  invocation: Invocation,
  scopeText: string | undefined,
  flags: DeleteFlags,
): Promise<void> {
  const scope = parseScope(scopeText);
  const { terminal, directory, signal } = invocation;
  const app = await readApp(directory);
  const { client, server } = await connect(invocation, flags);
  const display = createWaitingDisplay(terminal, { title: 'waiting for the end of' });
  try {
    const result = await deleteApp({
      app,
      client,
      server,
      scope,
      signal,
      timeoutMs: parseTimeout(flags.timeout),
      dryRun: flags.dryRun === true,
      onStage: (text) => {
        terminal.progress(text);
        terminal.note(text);
      },
      onDeleted: (text) => terminal.detail(`  ${flags.dryRun === true ? 'would delete' : 'deleted'} ${text}`),
      onWaiting: (pending) => display.show(pending),
    });
    terminal.progress(undefined);
    if (result === undefined) {
      terminal.result(`Nothing to delete: ${server} has no deployment ${app.kfdef.name}.`);
      return;
    }
    const would = flags.dryRun === true ? 'would be ' : '';
    terminal.result(`${result.deleted.length} objects ${would}deleted.`);
    for (const line of result.left) terminal.result(`Left: ${line}`);
  } finally {
    display.end();
    client.close();
  }
}
