/** Owns the commands `kfctl dex check` and `kfctl ldap check`: the identity program's own check, on a file or on the cluster's configuration. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
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
import { checkInside } from './check-inside.ts';
import { connect } from './invocation.ts';
import type { ClusterOptions, Invocation } from './invocation.ts';

export interface CheckFlags extends ClusterOptions {
  readonly user?: string;
}

/** Variables that the file names come from the cluster, if they are not set here and there is one. */
export async function runDexCheck(invocation: Invocation, file: string, flags: CheckFlags): Promise<void> {
  const password = await findPassword(invocation, flags.user);
  const question = { file: path.resolve(invocation.directory, file), user: flags.user, password };
  const alone = await runCheck(invocation, { ...question, env: {} });
  const env = UNSET.test(alone.output) ? await findClusterEnvironment(invocation, flags) : undefined;
  const here = env === undefined ? alone : await runCheck(invocation, { ...question, env });
  report(invocation, await askInside(invocation, { ...flags, ...question, here, label: question.file }));
}

const UNSET = /names \S+, which is not set/;

async function findClusterEnvironment(invocation: Invocation, flags: CheckFlags): Promise<Environment | undefined> {
  try {
    const { client } = await connect(invocation, flags);
    try {
      return await readDexEnvironment(client);
    } finally {
      client.close();
    }
  } catch {
    // No cluster, or none with dex: the file is judged by what is set here.
    return undefined;
  }
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
    const password = await findPassword(invocation, flags.user);
    const question = { user: flags.user, password };
    const here = await runCheck(invocation, { ...question, file: copy, env: await readDexEnvironment(client) });
    const asked = { ...flags, ...question, file: copy, here, label: 'ConfigMap kubeflow/dex' };
    report(invocation, await askInside(invocation, asked));
  } finally {
    client.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Asked extends ClusterOptions, Omit<Question, 'env'> {
  readonly here: Checked;
  /** What the file is called. */
  readonly label: string;
}

const NAME_UNKNOWN = /ENOTFOUND|EAI_AGAIN/;

/** The answer from here, or from the pod of dex where names of the cluster are known. */
async function askInside(invocation: Invocation, { here, file, label, ...question }: Asked): Promise<Checked> {
  const outside = { ...here, output: here.output.replaceAll(file, label) };
  if (!NAME_UNKNOWN.test(here.output)) return outside;
  const inside = await checkInside(invocation, { ...question, text: await readFile(file, 'utf8') });
  if (inside === undefined) return outside;
  const said = inside.output.replaceAll('standard input', label);
  const output = `Asked from the pod of dex, because a name is known inside the cluster only.\n\n${said}`;
  return { ok: inside.ok, output };
}

interface Checked {
  readonly ok: boolean;
  readonly output: string;
}

interface Question {
  readonly file: string;
  readonly env: Environment;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

async function runCheck(invocation: Invocation, { file, env, user, password }: Question): Promise<Checked> {
  const args = ['check', ...(user === undefined ? [] : [`--user=${user}`]), '--', file];
  const { IDENTITY_PASSWORD: _dropped, ...own } = invocation.settings.env;
  const all = { ...own, ...env, ...(password === undefined ? {} : { IDENTITY_PASSWORD: password }) };
  const { code, stdout, stderr } = await runProgram('identity', { args, env: all, signal: invocation.signal });
  return { ok: code === 0, output: `${stdout}${stderr}` };
}

/** What to do next is `identity serve` for its own users only. */
function report({ terminal }: Invocation, { ok, output }: Checked): void {
  terminal.result(output.replace(/^Next: identity serve .*\n/m, '').trimEnd());
  if (!ok) throw new ExitCode(1);
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
