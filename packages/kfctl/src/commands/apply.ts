/** Owns the command `kfctl apply`: what a person sees of it, as text or JSON. */
import { formatDuration, parseDurationMs } from '@kfctl/core';
import type { Secret } from '@kfctl/core';
import { readApp } from '../app/app-directory.ts';
import type { App } from '../app/app-directory.ts';
import { effectiveParameter } from '../app/effective-parameter.ts';
import { generateApp } from '../app/generate-app.ts';
import { recordedEmail } from '../app/init-app.ts';
import { parseScope } from '../app/scope.ts';
import { applyApp } from '../apply/apply-app.ts';
import type { ApplyListener, ApplyResult } from '../apply/apply-app.ts';
import type { AppliedObject } from '../apply/apply-object.ts';
import type { Terminal } from '../cli/terminal.ts';
import { createWaitingDisplay } from '../cli/waiting-display.ts';
import type { WaitingDisplay } from '../cli/waiting-display.ts';
import type { Rotation } from '../credentials/rotation.ts';
import { kfctlError } from '../errors.ts';
import { describeId } from '../plan/object-id.ts';
import { recordUser } from './generate.ts';
import { connect } from './invocation.ts';
import type { ClusterOptions, Invocation } from './invocation.ts';

export interface ApplyFlags extends ClusterOptions {
  readonly dryRun?: boolean;
  readonly wait?: boolean;
  readonly forceConflicts?: boolean;
  readonly timeout?: string;
  readonly output?: string;
}

/** `rotate` names credentials to make anew on the way. */
export async function runApply(
  invocation: Invocation,
  flags: ApplyFlags & { readonly scope?: string | undefined },
  rotate: readonly Rotation[] = [],
): Promise<void> {
  const scope = parseScope(flags.scope);
  const { terminal, settings, directory, signal } = invocation;
  const app = await withUser(invocation, await readApp(directory));
  const { client, server } = await connect(invocation, flags);
  const started = performance.now();
  const dryRun = flags.dryRun === true;
  try {
    const result = await applyApp({
      app,
      client,
      server,
      listener: createListener(terminal),
      options: {
        scope,
        signal,
        dryRun,
        rotate,
        wait: flags.wait !== false,
        force: flags.forceConflicts === true,
        timeoutMs: parseTimeout(flags.timeout),
        password: settings.password,
      },
    });
    terminal.progress(undefined);
    if (flags.output === 'json') terminal.result(JSON.stringify(toJson(result), undefined, 2));
    else printResult(terminal, result, { dryRun, tookMs: performance.now() - started });
  } finally {
    terminal.progress(undefined);
    client.close();
  }
}

/** Milliseconds of `--timeout`; throws `ARGUMENT_INVALID`. */
export function parseTimeout(text = '5m'): number {
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : parseDurationMs(text);
  if (ms !== undefined && ms > 0 && ms <= 86_400_000) return ms;
  throw kfctlError('ARGUMENT_INVALID', `--timeout: ${JSON.stringify(text)} is not a duration`, {
    hint: 'Write for example 90s, 5m or 1h.',
  });
}

/** The credentials may be given at apply for the first time; to change the user takes a generate. */
async function withUser(invocation: Invocation, app: App): Promise<App> {
  const { email } = invocation.settings;
  const present = effectiveParameter(app, 'static_email');
  if (email === undefined || present === undefined || email === present) return app;
  if (recordedEmail(app.kfdef) !== undefined) {
    throw kfctlError('USER_DIFFERS', `KUBEFLOW_USER_EMAIL is ${email}, but this app's first user is ${present}`, {
      hint: 'Run "kfctl generate all" to change the user, or unset KUBEFLOW_USER_EMAIL.',
    });
  }
  const next = await recordUser(invocation, app);
  await generateApp(next);
  return next;
}

/** Tells a person what an apply does: a live line on a terminal, a lasting line for each step elsewhere. */
export function createListener(terminal: Terminal): ApplyListener {
  let pendingBefore: readonly string[] = [];
  let display: WaitingDisplay | undefined;
  // What was as it should be is ready, too: only changes are worth a line each.
  let changed = false;
  return {
    stage: (text) => {
      terminal.progress(text);
      if (!terminal.live || terminal.verbose) terminal.note(text);
    },
    applied: (object, { done, total }) => {
      changed ||= object.action !== 'unchanged';
      terminal.detail(`  ${object.action.padEnd(10)} ${describeId(object.id)}`);
      for (const line of keptLines(object)) terminal.note(`note: ${line}`);
      terminal.progress(`applying ${done}/${total} ${describeId(object.id)}`);
    },
    waiting: (pending) => {
      const names = pending.map(({ id }) => describeId(id));
      for (const name of pendingBefore.filter((one) => !names.includes(one))) {
        if ((changed && !terminal.live) || terminal.verbose) terminal.note(`  ready      ${name}`);
      }
      pendingBefore = names;
      display ??= createWaitingDisplay(terminal, { title: 'waiting for' });
      display.show(pending);
    },
    warn: (text) => terminal.warn(text),
    generatedPassword: (password) => printPassword(terminal, password),
  };
}

/** The one time that a generated password is shown. */
export function printPassword(terminal: Terminal, password: Secret): void {
  terminal.note(
    `\n  No KUBEFLOW_PASSWORD was given: the password is ${terminal.style('bold', password.reveal())}\n` +
      '  It is shown this once; only its hash is kept.\n',
  );
}

function keptLines({ id, kept }: AppliedObject): string[] {
  return kept.map(
    ({ field, manager }) =>
      `${describeId(id)}: kept ${field} as ${manager} set it (kfctl apply --force-conflicts takes it back)`,
  );
}

interface Run {
  readonly dryRun: boolean;
  readonly tookMs: number;
}

function printResult(terminal: Terminal, result: ApplyResult, { dryRun, tookMs }: Run): void {
  const { applied, pruned } = result;
  const count = (action: string): number => applied.filter((object) => object.action === action).length;
  for (const { entry, reason } of pruned.kept)
    terminal.warn(`${describeId(entry)} is no longer wanted but stays: ${reason}`);
  for (const entry of pruned.removed) terminal.detail(`  removed    ${describeId(entry)}`);
  const [created, configured, removed] = [count('created'), count('configured'), pruned.removed.length];
  const would = dryRun ? 'would be ' : '';
  terminal.result(
    created + configured + removed === 0
      ? `Nothing ${dryRun ? 'would change' : 'changed'}: all ${applied.length} objects are as they should be (${formatDuration(tookMs)}).`
      : `${created} ${would}created, ${configured} ${would}changed, ${count('unchanged')} unchanged, ${removed} ${would}removed (${formatDuration(tookMs)}).`,
  );
  if (dryRun) return;
  for (const url of result.urls) terminal.result(`Dashboard: ${url}`);
  if (result.email !== undefined) terminal.result(`User:      ${result.email}`);
}

function toJson({ applied, pruned, urls, email }: ApplyResult): unknown {
  return {
    objects: applied.map(({ id, application, action, kept }) => ({ ...id, application, action, kept })),
    removed: pruned.removed,
    changed: applied.filter(({ action }) => action !== 'unchanged').length + pruned.removed.length,
    urls,
    user: email ?? null,
  };
}
