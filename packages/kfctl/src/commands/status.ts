/** Owns the command `kfctl status`. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { APP_FILE } from '../app/app-directory.ts';
import { readHealth, renderHealth } from '../apply/health.ts';
import type { PlatformHealth } from '../apply/health.ts';
import { ExitCode } from '../cli/exit-code.ts';
import { dataDirectory, readLock } from '../local/data-directory.ts';
import { connect } from './invocation.ts';
import type { ClusterOptions, Invocation } from './invocation.ts';

export interface StatusFlags extends ClusterOptions {
  readonly dataDir?: string;
  readonly output?: string;
}

/** Prints the health of the platform; ends with exit code 1 when it is not well or not there. */
export async function runStatus(invocation: Invocation, flags: StatusFlags): Promise<void> {
  const { terminal, settings, directory } = invocation;
  const asked = flags.kubeconfig !== undefined || flags.context !== undefined;
  const remote = flags.dataDir === undefined && (asked || existsSync(path.join(directory, APP_FILE)));
  const data = dataDirectory(path.resolve(directory, flags.dataDir ?? settings.dataDirectory));
  const lock = remote ? undefined : readLock(data);
  if (!remote && (lock === undefined || !existsSync(data.kubeconfig))) {
    terminal.result(
      flags.output === 'json'
        ? JSON.stringify({ running: false, deployments: [] })
        : `No local cluster runs on ${data.path}. Start it: kfctl up`,
    );
    throw new ExitCode(1);
  }
  const { client, server } = await connect(invocation, remote ? flags : { kubeconfig: data.kubeconfig });
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
