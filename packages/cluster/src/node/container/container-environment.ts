/** Owns what a container sees of the cluster: its variables, its small files in /etc, its working directory. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { namespaceObjects } from '../node-deps.ts';
import type { NodeDeps } from '../node-deps.ts';
import { isRepository, parseImageName } from '../images/image-name.ts';
import { PROGRAM_PATH } from '../images/find-program.ts';
import { renderOverlay } from '../../overlay/overlay.ts';
import { buildEnvironment } from '../pod/environment.ts';
import { expandVariables } from '../pod/expand-variables.ts';
import type { PodAddresses } from '../pod/field-value.ts';
import type { ContainerSpec, LocalPod } from '../pod/pod-spec.ts';
import type { PodRuntime } from '../pod/pod-runtime.ts';
import type { Mount, SandboxRequest } from '../sandbox/sandbox.ts';

export function podAddresses(deps: NodeDeps, runtime: PodRuntime): PodAddresses {
  return { podIp: runtime.ip, hostIp: deps.hostIp };
}

export function isPlatformImage(container: ContainerSpec): boolean {
  const image = parseImageName(container.image ?? '');
  return image !== undefined && isRepository(image, 'kfctl/platform');
}

/** Throws `CONTAINER_CONFIG` when the pod refers to something that does not exist. */
export function containerEnvironment(
  deps: NodeDeps,
  runtime: PodRuntime,
  parts: { pod: LocalPod; container: ContainerSpec },
): Map<string, string> {
  const { pod, container } = parts;
  const objects = namespaceObjects(deps, runtime.namespace);
  return buildEnvironment({
    pod,
    container,
    objects,
    addresses: podAddresses(deps, runtime),
    base: {
      PATH: PROGRAM_PATH,
      HOME: '/',
      HOSTNAME: hostnameOf(pod),
      KUBERNETES_SERVICE_HOST: deps.apiServer.host,
      KUBERNETES_SERVICE_PORT: String(deps.apiServer.port),
      KUBERNETES_SERVICE_PORT_HTTPS: String(deps.apiServer.port),
      KFCTL_WILDCARD_ADDRESS: runtime.ip,
      ...(isPlatformImage(container) ? deps.platformEnvironment : {}),
    },
  });
}

export function expandAll(words: readonly string[] | undefined, environment: ReadonlyMap<string, string>): string[] {
  return (words ?? []).map((word) => expandVariables(word, environment));
}

export function hostnameOf({ spec, metadata }: LocalPod): string {
  return (spec.hostname ?? metadata.name ?? 'pod').slice(0, 63);
}

/** The pod's hosts file: itself, its aliases, and the cluster's names where DNS cannot be asked for them. */
export function renderHosts(deps: NodeDeps, runtime: PodRuntime, pod: LocalPod): string {
  const hostname = hostnameOf(pod);
  const { subdomain } = pod.spec;
  const full = `${hostname}.${subdomain ?? ''}.${runtime.namespace}.svc.cluster.local\t${hostname}`;
  const aliases = (pod.spec.hostAliases ?? []).map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}`);
  const lines = [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    `${runtime.ip}\t${subdomain === undefined ? hostname : full}`,
    ...aliases,
    ...(deps.hostsLines?.(runtime.namespace) ?? []),
  ];
  return `${lines.map((line) => line.replaceAll(/[\r\n]/g, ' ')).join('\n')}\n`;
}

/** Where the pod's hosts file lies when it has to be kept current; containers bind it. */
export function hostsFile(runtime: PodRuntime): string {
  return join(runtime.directory, 'hosts');
}

/** Rewritten in place: a bound file follows changes of its content only. */
export async function keepHostsFile(deps: NodeDeps, runtime: PodRuntime, pod: LocalPod): Promise<void> {
  if (deps.hostsLines === undefined) return;
  const wanted = renderHosts(deps, runtime, pod);
  const present = await readFile(hostsFile(runtime), 'utf8').catch(() => undefined);
  if (present === wanted) return;
  await mkdir(runtime.directory, { recursive: true, mode: 0o700 });
  await writeFile(hostsFile(runtime), wanted, { mode: 0o644 });
}

/** /etc/hosts (unless it is bound), /etc/resolv.conf and the order in which names are looked up, whatever the machine's own say. */
export function systemFiles(deps: NodeDeps, runtime: PodRuntime, pod: LocalPod): SandboxRequest['files'] {
  const order = 'hosts: files dns\nservices: files\nprotocols: files\n';
  return [
    ...(deps.hostsLines === undefined ? [{ path: '/etc/hosts', content: renderHosts(deps, runtime, pod) }] : []),
    { path: '/etc/resolv.conf', content: deps.resolvConf(runtime.namespace) },
    { path: '/etc/nsswitch.conf', content: `passwd: files\ngroup: files\nshadow: files\n${order}` },
  ];
}

/** The hosts file that is kept current, for containers to bind. */
export function hostsMounts(deps: NodeDeps, runtime: PodRuntime): Mount[] {
  if (deps.hostsLines === undefined) return [];
  return [{ source: hostsFile(runtime), target: HOSTS, kind: 'file', readOnly: true }];
}

const PRELOAD = new URL('../preload.ts', import.meta.url).href;
const HOSTS = '/etc/hosts';
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Without mount namespaces programs are told where their service account and their names lie; in an overlay, how it is entered. */
export function nameRealPlaces(
  environment: Map<string, string>,
  mounts: readonly Mount[],
  { sandbox, overlay }: Pick<NodeDeps, 'sandbox' | 'overlay'>,
): void {
  const isPlain = sandbox.kind === 'none';
  const place = (target: string): string | undefined => mounts.find((mount) => mount.target === target)?.source;
  const account = isPlain ? place(SERVICE_ACCOUNT) : undefined;
  if (account !== undefined) environment.set('KUBERNETES_SERVICEACCOUNT_DIR', account);
  if (overlay !== undefined) environment.set('KFCTL_OVERLAY', renderOverlay(overlay.network));
  const hosts = isPlain ? place(HOSTS) : overlay === undefined ? undefined : HOSTS;
  if (hosts === undefined) return;
  // A URL: a path could be taken for one of a volume.
  environment.set('KFCTL_HOSTS_FILE', pathToFileURL(hosts).href);
  environment.set('NODE_OPTIONS', `${environment.get('NODE_OPTIONS') ?? ''} --import=${PRELOAD}`.trim());
  // An older Node of the machine could not read it.
  environment.set('PATH', `${dirname(process.execPath)}:${environment.get('PATH') ?? PROGRAM_PATH}`);
}
