/** Owns the command `kfctl diff`: what the server would make of an apply, beside what it has. Secrets are not shown. */
import { dumpYaml } from '@kfctl/kube';
import type { UnknownObject } from '@kfctl/kube';
import { readApp } from '../app/app-directory.ts';
import { parseScope } from '../app/scope.ts';
import { applyObject } from '../apply/apply-object.ts';
import type { ApplyContext } from '../apply/apply-object.ts';
import { withChecksum } from '../apply/checksum.ts';
import { renderLineDiff } from '../apply/line-diff.ts';
import { prepareApply } from '../apply/prepare-apply.ts';
import { ExitCode } from '../cli/exit-code.ts';
import type { Terminal } from '../cli/terminal.ts';
import { describeId, keyOfId } from '../plan/object-id.ts';
import { connect } from './invocation.ts';
import type { ClusterOptions, Invocation } from './invocation.ts';

export async function runDiff(
  invocation: Invocation,
  scopeText: string | undefined,
  flags: ClusterOptions,
): Promise<void> {
  const { terminal, directory, settings, signal } = invocation;
  const app = await readApp(directory);
  const { client, server } = await connect(invocation, flags);
  try {
    const { planned, before, ownership } = await prepareApply({
      app,
      client,
      server,
      listener: { stage: (text) => terminal.detail(text), warn: (text) => terminal.warn(text) },
      options: { scope: parseScope(scopeText), password: settings.password },
    });
    const context: ApplyContext = { client, ownership, force: false, dryRun: true, signal, retryMs: 0 };
    const applied = new Map<string, UnknownObject>();
    let changed = 0;
    for (const one of planned) {
      const live = before.get(keyOfId(one.id));
      const after = await applyObject({ ...one, object: withChecksum(one.object, applied) }, live, context);
      applied.set(keyOfId(one.id), after.live);
      if (after.action === 'unchanged') continue;
      changed += 1;
      const lines = renderLineDiff(live === undefined ? '' : renderObject(live), renderObject(after.live));
      printDiff(terminal, `${describeId(one.id)}${live === undefined ? ' (new)' : ''}`, lines);
    }
    if (changed > 0) throw new ExitCode(1);
    terminal.note('Nothing would change.');
  } finally {
    client.close();
  }
}

function printDiff(terminal: Terminal, title: string, lines: readonly string[]): void {
  terminal.result(terminal.style('bold', title));
  for (const line of lines) {
    const format = line.startsWith('+') ? 'green' : line.startsWith('-') ? 'red' : 'dim';
    terminal.result(terminal.style(format, line));
  }
}

/** Without what the server keeps for itself. */
function renderObject(object: UnknownObject): string {
  const { status: _status, metadata, ...rest } = object;
  const {
    managedFields: _fields,
    resourceVersion: _version,
    generation: _generation,
    uid: _uid,
    creationTimestamp: _time,
    ...meta
  } = metadata;
  const secret = object.kind === 'Secret' ? { data: '[secret]', stringData: '[secret]' } : {};
  return dumpYaml({ ...rest, metadata: meta, ...secret });
}
