/** Owns what every command is given: the terminal, the settings, where it runs, and the signal that ends it. */
import path from 'node:path';
import type { KubeClient } from '@kfctl/kube';
import type { Input } from '../cli/ask-password.ts';
import type { Terminal } from '../cli/terminal.ts';
import type { Settings } from '../config/settings.ts';
import { requireRunning } from '../local/local-kubeconfig.ts';

export interface Invocation {
  readonly terminal: Terminal;
  readonly settings: Settings;
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Opens the standard input, where there is one. */
  readonly input?: () => Input | undefined;
}

export interface ClusterOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
}

export interface Connection {
  readonly client: KubeClient;
  readonly server: string;
}

/** Finds the cluster as kubectl would and opens a client; nothing is sent yet. Throws `NOT_RUNNING` for a local one that is down. */
export async function connect({ settings, directory }: Invocation, options: ClusterOptions): Promise<Connection> {
  const { createKubeClient, loadKubeConfig } = await import('@kfctl/kube');
  const { kubeconfig, context } = options;
  const file = kubeconfig ?? settings.env['KUBECONFIG'] ?? '';
  if (file !== '') requireRunning(path.resolve(directory, file), settings);
  const config = await loadKubeConfig({
    env: settings.env,
    inCluster: 'last',
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
  return { client: createKubeClient(config), server: config.server };
}
