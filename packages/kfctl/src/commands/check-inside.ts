/** Owns trying the cluster's configuration where it counts: from the pod of dex, which knows the names of the cluster. */
import { spawn } from 'node:child_process';
import type { ClusterOptions, Invocation } from './invocation.ts';

export interface InsideCheck extends ClusterOptions {
  readonly text: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

type Asking = Pick<Invocation, 'signal'> & { readonly settings: Pick<Invocation['settings'], 'env'> };

/** What the check in the pod said; undefined where it could not be run there (no kubectl, no pod, another image). */
export async function checkInside(
  { settings, signal }: Asking,
  { text, user, password, kubeconfig, context }: InsideCheck,
): Promise<{ readonly ok: boolean; readonly output: string } | undefined> {
  const cluster = [
    ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]),
    ...(context === undefined ? [] : [`--context=${context}`]),
  ];
  const person = [
    ...(user === undefined ? [] : [`--user=${user}`]),
    ...(password === undefined ? [] : ['--password-stdin']),
  ];
  // The password goes where the file goes: arguments of a pod's programs are there for others to read.
  const input = password === undefined ? text : `${password}\n${text}`;
  const command = ['exec', '-i', '-n', 'kubeflow', 'deploy/dex', ...cluster, '--', 'identity', 'check', ...person, '-'];
  const child = spawn('kubectl', command, { stdio: ['pipe', 'pipe', 'ignore'], env: { ...settings.env }, signal });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (output += part));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number>((resolve) => {
    child.once('error', () => resolve(-1));
    child.once('close', (exit) => resolve(exit ?? -1));
  });
  // Whatever else went wrong said nothing of connectors.
  return /^(?:connector |\d+ mistakes|One mistake|standard input )/m.test(output)
    ? { ok: code === 0, output }
    : undefined;
}
