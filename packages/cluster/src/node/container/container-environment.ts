/** Owns what a container sees of the cluster: its variables, its small files in /etc, its working directory. */
import { namespaceObjects } from '../node-deps.ts';
import type { NodeDeps } from '../node-deps.ts';
import { isRepository, parseImageName } from '../images/image-name.ts';
import { PROGRAM_PATH } from '../images/find-program.ts';
import { buildEnvironment } from '../pod/environment.ts';
import { expandVariables } from '../pod/expand-variables.ts';
import type { PodAddresses } from '../pod/field-value.ts';
import type { ContainerSpec, LocalPod } from '../pod/pod-spec.ts';
import type { PodRuntime } from '../pod/pod-runtime.ts';
import type { SandboxRequest } from '../sandbox/sandbox.ts';

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

/** /etc/hosts, /etc/resolv.conf and the order in which names are looked up, whatever the machine's own say. */
export function systemFiles(deps: NodeDeps, runtime: PodRuntime, pod: LocalPod): SandboxRequest['files'] {
  const hostname = hostnameOf(pod);
  const { subdomain } = pod.spec;
  const own =
    subdomain === undefined ? hostname : `${hostname}.${subdomain}.${runtime.namespace}.svc.cluster.local\t${hostname}`;
  const aliases = (pod.spec.hostAliases ?? []).map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}`);
  const lines = [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    `${runtime.ip}\t${own}`,
    ...aliases,
    ...deps.hostsLines(runtime.namespace),
  ];
  return [
    { path: '/etc/hosts', content: `${lines.map((line) => line.replaceAll(/[\r\n]/g, ' ')).join('\n')}\n` },
    { path: '/etc/resolv.conf', content: deps.resolvConf(runtime.namespace) },
    {
      path: '/etc/nsswitch.conf',
      content: 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n',
    },
  ];
}
