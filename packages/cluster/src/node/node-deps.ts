/** Owns the list of what the parts of the node need from each other. */
import type { Logger } from '@kfctl/core';
import type { ConfigMap, Endpoints, Informer, KubeClient, ObjectKey, SecretObject, Service } from '@kfctl/kube';
import type { NamespaceObjects } from './pod/environment.ts';
import type { LocalPod } from './pod/pod-spec.ts';
import type { ImageRegistry } from './images/registry.ts';
import type { Sandbox } from './sandbox/sandbox.ts';
import type { TokenSource } from './volumes/service-account-token.ts';
import type { Overlay } from '../overlay/overlay.ts';
import type { RealPorts } from '../overlay/real-ports.ts';
import type { PodAddressPool } from '../network/pod-addresses.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface NodeDeps {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly nodeName: string;
  /** The node's own address. */
  readonly hostIp: string;
  /** Where pods reach the API server. */
  readonly apiServer: Endpoint;
  /** Real path of the directory below which pods have theirs. */
  readonly podsDirectory: string;
  readonly sandbox: Sandbox;
  readonly images: ImageRegistry;
  readonly pool: PodAddressPool;
  readonly tokens: TokenSource;
  readonly pods: Informer<LocalPod>;
  readonly services: Informer<Service>;
  readonly endpoints: Informer<Endpoints>;
  readonly configMaps: Informer<ConfigMap>;
  readonly secrets: Informer<SecretObject>;
  /** The directory behind a claim; undefined while it is not bound. */
  claimDirectory(namespace: string, claimName: string): string | undefined;
  /** The text of a pod's /etc/resolv.conf. */
  resolvConf(namespace: string): string;
  /** Present where pods cannot ask the cluster's DNS: lines that each pod's hosts file has besides its own, kept current. */
  readonly hostsLines: ((namespace: string) => readonly string[]) | undefined;
  /** Present where the addresses of pods and services are carried by an overlay. */
  readonly overlay: { readonly network: Overlay; readonly ports: RealPorts } | undefined;
  /** Variables of every container of the platform's own image. */
  readonly platformEnvironment: Readonly<Record<string, string>>;
  /** Directories that containers of the platform's own image share with the node (the compile cache). */
  readonly sharedDirectories: readonly string[];
  /** Makes the pod be looked at again. */
  wake(key: ObjectKey): void;
  now(): Date;
  /** Aborts when the node stops. */
  readonly signal: AbortSignal;
}

export type PodEvent = {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
};

export function namespaceObjects(
  deps: Pick<NodeDeps, 'configMaps' | 'secrets' | 'services'>,
  namespace: string,
): NamespaceObjects {
  return {
    configMap: (name) => deps.configMaps.get(name, namespace),
    secret: (name) => deps.secrets.get(name, namespace),
    services: () => deps.services.list(namespace),
  };
}
