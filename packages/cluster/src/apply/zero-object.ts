/** Owns what an empty object of a built-in kind looks like to ownership: parts that always exist are owned by nobody. */
import type { JsonObject } from '../schema/json.ts';

const POD_TEMPLATE = { metadata: {}, spec: { containers: [] } };

const SPECS: Readonly<Record<string, JsonObject>> = {
  Pod: { containers: [] },
  Deployment: { template: POD_TEMPLATE, strategy: {} },
  ReplicaSet: { template: POD_TEMPLATE },
  StatefulSet: { template: POD_TEMPLATE, updateStrategy: {} },
  DaemonSet: { template: POD_TEMPLATE, updateStrategy: {} },
  Job: { template: POD_TEMPLATE },
  CronJob: { jobTemplate: { metadata: {}, spec: { template: POD_TEMPLATE } } },
  HorizontalPodAutoscaler: { scaleTargetRef: {} },
  CustomResourceDefinition: { names: {} },
  PersistentVolumeClaim: { resources: {} },
};

/** A fresh one each time: callers may change it. */
export function zeroObject(kind: string): JsonObject {
  const status = kind === 'Service' ? { loadBalancer: {} } : {};
  return {
    metadata: {},
    spec: structuredClone(SPECS[kind] ?? {}),
    status,
    involvedObject: {},
    source: {},
    roleRef: {},
  };
}
