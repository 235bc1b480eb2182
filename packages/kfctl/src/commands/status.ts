/** Owns the command `kfctl status`. */
import { readHealth, renderHealth } from '../apply/health.ts';
import type { PlatformHealth } from '../apply/health.ts';
import { ExitCode } from '../cli/exit-code.ts';
import { chooseCluster } from './choose-cluster.ts';
import type { ClusterChoice } from './choose-cluster.ts';
import { connect } from './invocation.ts';
import type { Invocation } from './invocation.ts';

export interface StatusFlags extends ClusterChoice {
  readonly output?: string;
}

/** Prints the health of the platform; ends with exit code 1 when it is not well or not there. */
export async function runStatus(invocation: Invocation, flags: StatusFlags): Promise<void> {
  const { terminal } = invocation;
  const chosen = chooseCluster(invocation, flags);
  if (chosen.kind === 'none') {
    terminal.result(
      flags.output === 'json'
        ? JSON.stringify({ running: false, deployments: [] })
        : `No local cluster runs on ${chosen.folder}. Start it: kfctl up`,
    );
    throw new ExitCode(1);
  }
  const { client, server } = await connect(invocation, chosen.options);
  try {
    const deployments = await readHealth(client);
    if (flags.output === 'json') terminal.result(JSON.stringify({ running: true, server, deployments }, undefined, 2));
    else printHealth(invocation, { server, deployments });
    const well =
      deployments.length > 0 && deployments.every(({ components }) => components.every(({ ready }) => ready));
    if (!well) throw new ExitCode(1);
  } finally {
    client.close();
  }
}

function printHealth(
  { terminal }: Invocation,
  { server, deployments }: { server: string; deployments: readonly PlatformHealth[] },
): void {
  terminal.result(`Cluster    ${server}`);
  if (deployments.length === 0) terminal.result('No deployment of kfctl is on it.');
  for (const health of deployments) {
    terminal.result(`\n${terminal.style('bold', health.deployment)}`);
    for (const line of renderHealth(health)) terminal.result(`  ${line}`);
    for (const url of health.urls) terminal.result(`  Dashboard  ${url}`);
    if (health.user !== undefined) terminal.result(`  User       ${health.user}`);
  }
}
