/** Owns the commands `kfctl dex check` and `kfctl ldap check`: the identity program's own check, on a file or on the cluster's configuration. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Environment } from '@kfctl/core';
import { resources } from '@kfctl/kube';
import type { KubeClient } from '@kfctl/kube';
import { askPassword } from '../cli/ask-password.ts';
import { ExitCode } from '../cli/exit-code.ts';
import { runProgram } from '../doctor/run-program.ts';
import { kfctlError } from '../errors.ts';
import { readDexConfig } from '../users/dex-config-map.ts';
import { connect } from './invocation.ts';
import type { ClusterOptions, Invocation } from './invocation.ts';

export interface CheckFlags extends ClusterOptions {
  readonly user?: string;
}

export async function runDexCheck(invocation: Invocation, file: string, flags: CheckFlags): Promise<void> {
  await runCheck(invocation, { file: path.resolve(invocation.directory, file), env: {}, flags });
}

/** Without a file the cluster's configuration is tried, with the values that its Secrets give. */
export async function runLdapCheck(invocation: Invocation, file: string | undefined, flags: CheckFlags): Promise<void> {
  if (file !== undefined) return runDexCheck(invocation, file, flags);
  const { client } = await connect(invocation, flags);
  const folder = await mkdtemp(path.join(tmpdir(), 'kfctl-check-'));
  try {
    const { text } = await readDexConfig(client);
    const copy = path.join(folder, 'config.yaml');
    await writeFile(copy, text, { mode: 0o600 });
    await runCheck(invocation, { file: copy, env: await readDexEnvironment(client), flags });
  } finally {
    client.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function runCheck(
  invocation: Invocation,
  { file, env, flags }: { file: string; env: Environment; flags: CheckFlags },
): Promise<void> {
  const password = await findPassword(invocation, flags.user);
  const args = ['check', ...(flags.user === undefined ? [] : [`--user=${flags.user}`]), '--', file];
  const { IDENTITY_PASSWORD: _dropped, ...own } = invocation.settings.env;
  const all = { ...own, ...env, ...(password === undefined ? {} : { IDENTITY_PASSWORD: password }) };
  const { code, stdout, stderr } = await runProgram('identity', { args, env: all, signal: invocation.signal });
  invocation.terminal.result(`${stdout}${stderr}`.replace(/^Next: identity serve .*\n/m, '').trimEnd());
  if (code !== 0) throw new ExitCode(1);
}

async function findPassword(invocation: Invocation, user: string | undefined): Promise<string | undefined> {
  if (user === undefined) return undefined;
  const given = invocation.settings.env['IDENTITY_PASSWORD'];
  if (given !== undefined && given !== '') return given;
  const { terminal, signal } = invocation;
  const typed = await askPassword(invocation.input?.(), { terminal, signal, prompt: `Password of ${user}:` });
  if (typed !== undefined) return typed.reveal();
  throw kfctlError('PASSWORD_INVALID', `no password of ${user} was given, and there is no terminal to ask on`, {
    hint: 'Set IDENTITY_PASSWORD in the environment.',
  });
}

interface Container {
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly secretKeyRef?: { readonly name?: string; readonly key?: string } };
  }[];
}

/** The variables that the Deployment gives dex, with the values of its Secrets. They stay in memory. */
export async function readDexEnvironment(client: KubeClient): Promise<Environment> {
  const place = { namespace: 'kubeflow' };
  const deployment = await client.get(resources.deployments, 'dex', place);
  const env: Record<string, string> = {};
  const containers = deployment?.spec?.template?.spec?.['containers'];
  for (const container of Array.isArray(containers) ? (containers as Container[]) : []) {
    for (const { name, value, valueFrom } of container.env ?? []) {
      const reference = valueFrom?.secretKeyRef;
      const secret =
        reference?.name === undefined ? undefined : await client.get(resources.secrets, reference.name, place);
      const encoded = secret?.data?.[reference?.key ?? ''];
      if (value !== undefined) env[name] = value;
      else if (encoded !== undefined) env[name] = Buffer.from(encoded, 'base64').toString('utf8');
    }
  }
  return env;
}
