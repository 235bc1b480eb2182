/** Owns the core group's resources, with the fields that the platform reads. */
import type { KubeObject, ResourceType, UnknownObject } from '../client/object.ts';
import type { Condition } from '../conditions/conditions.ts';
import { defineResource } from './define-resource.ts';

export interface Namespace extends KubeObject {
  spec?: { finalizers?: string[] };
  status?: { phase?: string };
}

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
  /** Base64. */
  binaryData?: Record<string, string>;
  immutable?: boolean;
}

export interface SecretObject extends KubeObject {
  type?: string;
  /** Base64. */
  data?: Record<string, string>;
  stringData?: Record<string, string>;
  immutable?: boolean;
}

export interface ServiceAccount extends KubeObject {
  secrets?: { name?: string }[];
  imagePullSecrets?: { name?: string }[];
  automountServiceAccountToken?: boolean;
}

export interface ServicePort {
  name?: string;
  protocol?: 'TCP' | 'UDP' | 'SCTP';
  port: number;
  targetPort?: number | string;
  nodePort?: number;
  appProtocol?: string;
}

export interface LoadBalancerIngress {
  ip?: string;
  hostname?: string;
  ipMode?: string;
}

export interface Service extends KubeObject {
  spec?: {
    type?: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';
    selector?: Record<string, string>;
    ports?: ServicePort[];
    clusterIP?: string;
    clusterIPs?: string[];
    externalIPs?: string[];
    externalName?: string;
    ipFamilies?: ('IPv4' | 'IPv6')[];
    ipFamilyPolicy?: string;
    loadBalancerIP?: string;
    loadBalancerClass?: string;
    loadBalancerSourceRanges?: string[];
    externalTrafficPolicy?: 'Cluster' | 'Local';
    healthCheckNodePort?: number;
    sessionAffinity?: string;
    publishNotReadyAddresses?: boolean;
  };
  status?: { loadBalancer?: { ingress?: LoadBalancerIngress[] }; conditions?: Condition[] };
}

export interface ContainerStatus {
  name: string;
  ready: boolean;
  restartCount: number;
  image?: string;
  state?: {
    waiting?: { reason?: string; message?: string };
    running?: { startedAt?: string };
    terminated?: { exitCode: number; reason?: string; message?: string };
  };
}

export interface Pod extends KubeObject {
  spec?: {
    nodeName?: string;
    serviceAccountName?: string;
    hostname?: string;
    subdomain?: string;
    [field: string]: unknown;
  };
  status?: {
    phase?: string;
    reason?: string;
    message?: string;
    podIP?: string;
    podIPs?: { ip: string }[];
    hostIP?: string;
    conditions?: Condition[];
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
  };
}

export interface EndpointAddress {
  ip: string;
  hostname?: string;
  nodeName?: string;
  targetRef?: ObjectReference;
}

export interface Endpoints extends KubeObject {
  subsets?: {
    addresses?: EndpointAddress[];
    notReadyAddresses?: EndpointAddress[];
    ports?: { name?: string; port: number; protocol?: string; appProtocol?: string }[];
  }[];
}

export interface ObjectReference {
  apiVersion?: string;
  kind?: string;
  namespace?: string;
  name?: string;
  uid?: string;
  resourceVersion?: string;
  fieldPath?: string;
}

export interface CoreEvent extends KubeObject {
  involvedObject: ObjectReference;
  reason?: string;
  message?: string;
  type?: string;
  source?: { component?: string; host?: string };
  firstTimestamp?: string | null;
  lastTimestamp?: string | null;
  eventTime?: string | null;
  count?: number;
  reportingComponent?: string;
  reportingInstance?: string;
}

export interface NodeObject extends KubeObject {
  spec?: { unschedulable?: boolean; taints?: { key: string; value?: string; effect: string }[] };
  status?: { addresses?: { type: string; address: string }[]; conditions?: Condition[] };
}

export interface ResourceQuota extends KubeObject {
  spec?: { hard?: Record<string, string>; scopes?: string[]; scopeSelector?: unknown };
  status?: { hard?: Record<string, string>; used?: Record<string, string> };
}

export const pods: ResourceType<Pod> = defineResource('v1', 'Pod', { plural: 'pods' });
export const services: ResourceType<Service> = defineResource('v1', 'Service', { plural: 'services' });
export const endpoints: ResourceType<Endpoints> = defineResource('v1', 'Endpoints', { plural: 'endpoints' });
export const configMaps: ResourceType<ConfigMap> = defineResource('v1', 'ConfigMap', { plural: 'configmaps' });
export const secrets: ResourceType<SecretObject> = defineResource('v1', 'Secret', { plural: 'secrets' });
export const serviceAccounts: ResourceType<ServiceAccount> = defineResource('v1', 'ServiceAccount', {
  plural: 'serviceaccounts',
});
export const events: ResourceType<CoreEvent> = defineResource('v1', 'Event', { plural: 'events' });
export const resourceQuotas: ResourceType<ResourceQuota> = defineResource('v1', 'ResourceQuota', {
  plural: 'resourcequotas',
});
export const limitRanges: ResourceType<UnknownObject> = defineResource('v1', 'LimitRange', { plural: 'limitranges' });
export const persistentVolumeClaims: ResourceType<UnknownObject> = defineResource('v1', 'PersistentVolumeClaim', {
  plural: 'persistentvolumeclaims',
});
export const persistentVolumes: ResourceType<UnknownObject> = defineResource('v1', 'PersistentVolume', {
  plural: 'persistentvolumes',
  namespaced: false,
});
export const namespaces: ResourceType<Namespace> = defineResource('v1', 'Namespace', {
  plural: 'namespaces',
  namespaced: false,
});
export const nodes: ResourceType<NodeObject> = defineResource('v1', 'Node', { plural: 'nodes', namespaced: false });
