/** Owns the types of a pod's fields that the node reads. The API server has checked them against the schema before. */
import type { Condition, ContainerStatus, KubeObject, ResourceType } from '@kfctl/kube';
import { resources } from '@kfctl/kube';

export interface LocalObjectReference {
  name?: string;
  optional?: boolean;
}

export interface KeySelector extends LocalObjectReference {
  key: string;
}

export interface FieldRef {
  apiVersion?: string;
  fieldPath: string;
}

export interface ResourceFieldRef {
  containerName?: string;
  resource: string;
  divisor?: string | number;
}

export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: {
    configMapKeyRef?: KeySelector;
    secretKeyRef?: KeySelector;
    fieldRef?: FieldRef;
    resourceFieldRef?: ResourceFieldRef;
  };
}

export interface EnvFrom {
  prefix?: string;
  configMapRef?: LocalObjectReference;
  secretRef?: LocalObjectReference;
}

export interface ContainerPort {
  name?: string;
  containerPort: number;
  protocol?: string;
}

export interface HttpGetAction {
  path?: string;
  port: number | string;
  host?: string;
  scheme?: string;
  httpHeaders?: { name: string; value: string }[];
}

export interface ProbeAction {
  httpGet?: HttpGetAction;
  tcpSocket?: { port: number | string; host?: string };
  exec?: { command?: string[] };
  grpc?: { port: number; service?: string };
  sleep?: { seconds: number };
}

export interface ProbeSpec extends ProbeAction {
  initialDelaySeconds?: number;
  periodSeconds?: number;
  timeoutSeconds?: number;
  successThreshold?: number;
  failureThreshold?: number;
  terminationGracePeriodSeconds?: number;
}

export interface VolumeMount {
  name: string;
  mountPath: string;
  readOnly?: boolean;
  subPath?: string;
  subPathExpr?: string;
}

export interface ContainerSpec {
  stdin?: boolean;
  /** Its input ends with the first client that was attached. */
  stdinOnce?: boolean;
  tty?: boolean;
  name: string;
  image?: string;
  imagePullPolicy?: string;
  command?: string[];
  args?: string[];
  workingDir?: string;
  env?: EnvVar[];
  envFrom?: EnvFrom[];
  ports?: ContainerPort[];
  volumeMounts?: VolumeMount[];
  resources?: { limits?: Record<string, string | number>; requests?: Record<string, string | number> };
  readinessProbe?: ProbeSpec;
  livenessProbe?: ProbeSpec;
  startupProbe?: ProbeSpec;
  lifecycle?: { preStop?: ProbeAction; postStart?: ProbeAction };
  restartPolicy?: string;
  securityContext?: { readOnlyRootFilesystem?: boolean; capabilities?: { drop?: string[]; add?: string[] } };
}

export interface KeyToPath {
  key: string;
  path: string;
  mode?: number;
}

export interface DownwardItem {
  path: string;
  fieldRef?: FieldRef;
  resourceFieldRef?: ResourceFieldRef;
  mode?: number;
}

export interface FilesOfKeys extends LocalObjectReference {
  items?: KeyToPath[];
}

export interface ProjectedSource {
  configMap?: FilesOfKeys;
  secret?: FilesOfKeys;
  downwardAPI?: { items?: DownwardItem[] };
  serviceAccountToken?: { path: string; audience?: string; expirationSeconds?: number };
}

export interface VolumeSpec {
  name: string;
  configMap?: FilesOfKeys & { defaultMode?: number };
  secret?: { secretName?: string; items?: KeyToPath[]; optional?: boolean; defaultMode?: number };
  downwardAPI?: { items?: DownwardItem[]; defaultMode?: number };
  projected?: { sources?: ProjectedSource[]; defaultMode?: number };
  emptyDir?: { medium?: string; sizeLimit?: string };
  hostPath?: { path: string; type?: string };
  persistentVolumeClaim?: { claimName: string; readOnly?: boolean };
  [kind: string]: unknown;
}

export interface PodSpec {
  nodeName?: string;
  nodeSelector?: Record<string, string>;
  serviceAccountName?: string;
  hostname?: string;
  subdomain?: string;
  hostNetwork?: boolean;
  restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  terminationGracePeriodSeconds?: number;
  activeDeadlineSeconds?: number;
  enableServiceLinks?: boolean;
  containers: ContainerSpec[];
  initContainers?: ContainerSpec[];
  volumes?: VolumeSpec[];
  hostAliases?: { ip: string; hostnames?: string[] }[];
  dnsPolicy?: string;
  readinessGates?: { conditionType: string }[];
  schedulerName?: string;
  tolerations?: { key?: string; operator?: string; value?: string; effect?: string }[];
  affinity?: { nodeAffinity?: { requiredDuringSchedulingIgnoredDuringExecution?: NodeSelector } };
}

export interface NodeSelectorTerm {
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
  matchFields?: { key: string; operator: string; values?: string[] }[];
}

export interface NodeSelector {
  nodeSelectorTerms: NodeSelectorTerm[];
}

export interface TerminatedState {
  exitCode: number;
  signal?: number;
  reason?: string;
  message?: string;
  startedAt?: string;
  finishedAt?: string;
  containerID?: string;
}

export interface FullContainerStatus extends ContainerStatus {
  state: {
    waiting?: { reason?: string; message?: string };
    running?: { startedAt?: string };
    terminated?: TerminatedState;
  };
  lastState: { terminated?: TerminatedState };
  started?: boolean;
  imageID?: string;
  containerID?: string;
}

export interface PodStatus {
  phase?: string;
  reason?: string | null;
  message?: string | null;
  podIP?: string;
  podIPs?: { ip: string }[];
  hostIP?: string;
  hostIPs?: { ip: string }[];
  startTime?: string;
  qosClass?: string;
  conditions?: Condition[];
  containerStatuses?: FullContainerStatus[];
  initContainerStatuses?: FullContainerStatus[];
}

export interface LocalPod extends KubeObject {
  spec: PodSpec;
  status?: PodStatus;
}

/** Pods with every field that the node reads. */
export const localPods: ResourceType<LocalPod> = resources.pods as ResourceType<KubeObject> as ResourceType<LocalPod>;
