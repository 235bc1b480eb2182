/** Owns the command `kfctl status`. */
import { isAppError } from '@kfctl/core';
import { readHealth, renderHealth } from '../apply/health.ts';
import type { PlatformHealth } from '../apply/health.ts';
import { ExitCode } from '../cli/exit-code.ts';
import type { Terminal } from '../cli/terminal.ts';
import type { DataDirectory } from '../local/data-directory.ts';
import { chooseCluster } from './choose-cluster.ts';
import type { ClusterChoice } from './choose-cluster.ts';
import { connect } from './invocation.ts';
import type { Invocation } from './invocation.ts';

export interface StatusFlags extends ClusterChoice {
  readonly output?: string;
}

interface Status {
  readonly server: string;
  readonly deployments: readonly PlatformHealth[];
  readonly local: DataDirectory | undefined;
}

/** Prints the health of the platform; ends with exit code 1 when it is not well or not there. */
export async function runStatus(invocation: Invocation, flags: StatusFlags): Promise<void> {
  const { terminal } = invocation;
  const isJson = flags.output === 'json';
  const chosen = chooseCluster(invocation, flags);
  if (chosen.kind === 'none') {
    const text = `No local cluster runs on ${chosen.folder}. Start it: ${chosen.start}; or name a cluster: kfctl status --kubeconfig FILE`;
    terminal.result(isJson ? JSON.stringify({ running: false, ready: false, deployments: [] }) : text);
    throw new ExitCode(1);
  }
  const { local } = chosen;
  const { client, server } = await connect(invocation, chosen.options);
  try {
    const deployments = await readHealth(client);
    const ready = deployments.length > 0 && deployments.every(isWell);
    if (isJson) terminal.result(JSON.stringify({ running: true, ready, server, deployments }, undefined, 2));
    else printStatus(terminal, { server, deployments, local });
    if (!ready) throw new ExitCode(1);
  } catch (error) {
    // It has its folder and does not listen yet, or not again.
    if (local === undefined || !isAppError(error) || error.code !== 'KUBE_UNREACHABLE') throw error;
    const text = `The local cluster of ${local.path} is starting: ask again in a moment. Its log is ${local.logFile}.`;
    terminal.result(isJson ? JSON.stringify({ running: true, ready: false, server, deployments: [] }) : text);
    throw new ExitCode(1);
  } finally {
    client.close();
  }
}

function isWell({ components, unreachable }: PlatformHealth): boolean {
  return components.every(({ ready }) => ready) && unreachable === undefined;
}

function printStatus(terminal: Terminal, { server, deployments, local }: Status): void {
  terminal.result(`Cluster    ${server}${local === undefined ? '' : `   (the local one of ${local.path})`}`);
  if (deployments.length === 0) {
    terminal.result('No deployment of kfctl is on it. In an application directory, kfctl apply all installs one.');
  }
  for (const health of deployments) {
    terminal.result(`\n${terminal.style('bold', health.deployment)}`);
    for (const line of renderHealth(health)) terminal.result(`  ${line}`);
    for (const url of health.urls) terminal.result(`  Dashboard  ${url}`);
    if (health.unreachable !== undefined) terminal.result(`  Dashboard  ${health.unreachable}`);
    if (health.user !== undefined) terminal.result(`  User       ${health.user}`);
  }
  if (local !== undefined) terminal.result(`\n  export KUBECONFIG=${local.kubeconfig}`);
  if (!deployments.every(isWell)) terminal.result('\nWhy, and what to do: kfctl doctor');
}
