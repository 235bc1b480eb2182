/** Owns the installation on the local cluster: init, generate and apply, by the same code as on any cluster, then a word on how to use it. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { formatDuration, isAppError } from '@kfctl/core';
import type { Secret } from '@kfctl/core';
import { createKubeClient, loadKubeConfig, resources } from '@kfctl/kube';
import type { KubeClient, UnknownObject } from '@kfctl/kube';
import { APP_FILE, readApp, saveApp } from '../../app/app-directory.ts';
import type { App } from '../../app/app-directory.ts';
import { generateApp } from '../../app/generate-app.ts';
import { initApp, recordedEmail, setUser } from '../../app/init-app.ts';
import { applyApp } from '../../apply/apply-app.ts';
import { gatewayUrls, isBound, unboundReason } from '../../apply/gateway-urls.ts';
import { readHealth } from '../../apply/health.ts';
import type { Terminal } from '../../cli/terminal.ts';
import { createListener } from '../../commands/apply.ts';
import type { Settings } from '../../config/settings.ts';
import { kfctlError } from '../../errors.ts';
import { GATEWAY_SERVICE } from '../../credentials/plan-certificate.ts';
import { setParameter } from '../../kfdef/edit-document.ts';
import { LOCAL_APP } from '../data-directory.ts';
import type { DataDirectory } from '../data-directory.ts';
import { waitForLogin } from './wait-for-login.ts';

export interface InstallInput {
  readonly data: DataDirectory;
  readonly settings: Settings;
  readonly terminal: Terminal;
  readonly clusterReady: Promise<void>;
  readonly signal: AbortSignal;
}

const PRESET = 'local';
const DEFAULT_EMAIL = 'admin@kubeflow.org';
const TIMEOUT_MS = 300_000;

/** Installs or continues; prints the address, the user and, where it was generated, the password. */
export async function install(input: InstallInput): Promise<void> {
  const { data, settings, terminal, signal } = input;
  const started = performance.now();
  terminal.progress('starting the cluster');
  // The cluster needs a moment, and so does this.
  void import('@kfctl/kustomize').catch(() => undefined);
  await Promise.race([input.clusterReady, interrupted(signal)]);
  signal.throwIfAborted();
  const app = await prepareApp(input);
  const config = await loadKubeConfig({ env: settings.env, kubeconfig: data.kubeconfig });
  const client = createKubeClient(config);
  try {
    const applied = await applyLocal(input, { app, client, server: config.server });
    const urls = await loginUrls(client, signal);
    const user = applied?.user ?? (await readHealth(client)).find((health) => health.user !== undefined)?.user;
    terminal.progress(undefined);
    printWelcome(input, { password: passwordText(input, applied), user, urls, tookMs: performance.now() - started });
  } finally {
    client.close();
  }
}

interface Target {
  readonly app: App;
  readonly client: KubeClient;
  readonly server: string;
}

interface Applied {
  readonly user: string | undefined;
  readonly generated: Secret | undefined;
}

/** Applies; undefined when a deployment made by hand has taken the platform over, which is then left as it is. */
async function applyLocal({ settings, terminal, signal }: InstallInput, target: Target): Promise<Applied | undefined> {
  let generated: Secret | undefined;
  const listener = {
    ...createListener(terminal),
    generatedPassword: (password: Secret): void => {
      generated = password;
    },
  };
  const options = {
    scope: 'all',
    dryRun: false,
    wait: true,
    force: false,
    local: true,
    timeoutMs: TIMEOUT_MS,
  } as const;
  try {
    const { email } = await applyApp({
      ...target,
      listener,
      options: { ...options, signal, password: settings.password },
    });
    return { user: email, generated };
  } catch (error) {
    if (isAppError(error) && error.code === 'OWNED_BY_OTHER') {
      terminal.note('The platform on this cluster is managed from another application directory: it is left as it is.');
      return undefined;
    }
    // The hash is in force by now: the password would be lost.
    if (generated !== undefined) terminal.note(`The generated password is ${generated.reveal()}`);
    throw error;
  }
}

async function prepareApp({ data, settings }: InstallInput): Promise<App> {
  const addresses = { name: 'addresses', value: addressPool(data) };
  if (!existsSync(path.join(data.app, APP_FILE))) {
    await initApp({
      name: LOCAL_APP,
      config: PRESET,
      parent: data.path,
      email: settings.email ?? DEFAULT_EMAIL,
      parameters: new Map([['metallb', [addresses]]]),
    });
  }
  const app = await readApp(data.app);
  if (settings.email !== undefined && settings.email !== recordedEmail(app.kfdef)) {
    setUser(app.document, app.kfdef, settings.email);
  }
  setParameter(app.document, 'metallb', addresses);
  const saved = await saveApp(app);
  await generateApp(saved);
  return saved;
}

/** The load balancer's addresses of this data folder, as the cluster wrote them down. */
function addressPool(data: DataDirectory): string {
  const facts = JSON.parse(readFileSync(data.clusterFile, 'utf8')) as { addresses?: { loadBalancerRange?: unknown } };
  const pool = facts.addresses?.loadBalancerRange;
  return typeof pool === 'string' ? pool : '127.0.0.1-127.0.0.1';
}

/** The dashboard's addresses, once the first of them leads to a login page. */
async function loginUrls(client: KubeClient, signal: AbortSignal): Promise<readonly string[]> {
  // Asked each time: the port is told a moment after the address.
  const read = async (): Promise<readonly string[] | undefined> => {
    const { items } = await client.list(resources.services, { fieldSelector: `metadata.name=${GATEWAY_SERVICE}` });
    const balanced = items.filter(({ spec }) => spec?.type === 'LoadBalancer');
    if (balanced.length === 0) return undefined;
    const services = balanced as unknown as readonly UnknownObject[];
    for (const service of services) requireBound(service);
    return services.filter(isBound).flatMap(gatewayUrls);
  };
  return waitForLogin(read, signal);
}

/** Somebody else has the gateway's ports: what answers there is not this platform. */
function requireBound(service: UnknownObject): void {
  const reason = unboundReason(service);
  if (reason === undefined) return;
  throw kfctlError('PORT_IN_USE', `the gateway has no port on this machine: ${reason}`, {
    hint: 'Stop the program that uses the port (another local cluster?), then run kfctl up again.',
  });
}

interface Welcome {
  readonly user: string | undefined;
  readonly urls: readonly string[];
  readonly password: string;
  readonly tookMs: number;
}

function passwordText({ settings }: InstallInput, applied: Applied | undefined): string {
  if (applied?.generated !== undefined) return `${applied.generated.reveal()}   (generated, shown this once)`;
  return applied === undefined || settings.password === undefined
    ? 'as before   (forgotten? start with KUBEFLOW_PASSWORD=… to set another)'
    : 'as given in KUBEFLOW_PASSWORD';
}

function printWelcome({ data, terminal }: InstallInput, { user, urls, password, tookMs }: Welcome): void {
  const bold = (text: string): string => terminal.style('bold', text);
  const lines = [
    '',
    `${terminal.style('green', 'Kubeflow is up')} (${formatDuration(tookMs)})`,
    '',
    ...urls.map((url) => `  Dashboard  ${bold(url)}   (its certificate is signed by an own CA: the browser asks once)`),
    `  User       ${user ?? ''}`,
    `  Password   ${password}`,
    '',
    `  export KUBECONFIG=${data.kubeconfig}`,
    '',
    'Ctrl-C stops it; everything is kept for the next start.',
  ];
  for (const line of lines) terminal.result(line);
}

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
