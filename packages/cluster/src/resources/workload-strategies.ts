/** Owns the behaviour of pods and of the kinds that make pods. */
import { asArray, asObject, asString, ensureObject, isEqual, isObject, setDefault, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import type { FieldError } from '../registry/status-error.ts';
import { matchesLabelSelector } from '../registry/selectors.ts';
import type { Strategy } from './definition.ts';
import { setPodSpecDefaults, setRequestDefaults, setTemplateDefaults } from './pod-defaults.ts';
import { immutable, requiredErrors, validatePodSpec, withClaimVolumes } from './validation.ts';

const POD_UPDATE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';
const STATEFUL_SET_UPDATE =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
const STATEFUL_SET_MUTABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];

export const podStrategy: Strategy = {
  countsGeneration: true,
  defaults(pod) {
    const spec = ensureObject(pod, 'spec');
    setPodSpecDefaults(spec);
    setRequestDefaults(spec);
    setDefault(spec, 'enableServiceLinks', true);
    setDefault(spec, 'preemptionPolicy', 'PreemptLowerPriority');
    setDefault(spec, 'priority', 0);
  },
  prepareCreate(pod) {
    addTolerations(ensureObject(pod, 'spec'));
    pod['status'] = { phase: 'Pending', qosClass: qosClassOf(asObject(pod['spec'])) };
  },
  validate(pod, old) {
    const errors = [...requiredErrors(pod, 'V1Pod'), ...validatePodSpec(asObject(pod['spec']), 'spec')];
    if (old !== undefined && !isEqual(fixedPart(pod), fixedPart(old)))
      errors.push({ kind: 'forbidden', field: 'spec', detail: POD_UPDATE });
    return errors;
  },
};

const NODE_TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/** A pod stays five minutes on a node that is lost, unless it says otherwise. */
function addTolerations(spec: JsonObject): void {
  const own = asArray(spec['tolerations']);
  const missing = NODE_TAINTS.filter(
    (taint) => !own.some((toleration) => [taint, undefined].includes(valueAt(toleration, 'key') as string | undefined)),
  );
  const added = missing.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }));
  if (added.length > 0) spec['tolerations'] = [...own, ...added];
}

/** What of a pod's spec may not change. */
function fixedPart(pod: JsonObject): JsonObject {
  const spec = { ...asObject(pod['spec']) };
  for (const field of [
    'activeDeadlineSeconds',
    'tolerations',
    'terminationGracePeriodSeconds',
    'nodeName',
    'schedulingGates',
    'ephemeralContainers',
  ])
    delete spec[field];
  for (const list of ['containers', 'initContainers']) {
    if (Array.isArray(spec[list]))
      spec[list] = asArray(spec[list]).map((container) => ({
        ...asObject(container),
        image: '',
        imagePullPolicy: '',
        resources: {},
      }));
  }
  return spec;
}

function qosClassOf(spec: JsonObject): string {
  const all = asArray(spec['containers']).map((container) => asObject(valueAt(container, 'resources')));
  if (
    all.every(
      (resources) =>
        Object.keys(asObject(resources['limits'])).length + Object.keys(asObject(resources['requests'])).length === 0,
    )
  )
    return 'BestEffort';
  const guaranteed = all.every((resources) => {
    const limits = asObject(resources['limits']);
    return ['cpu', 'memory'].every(
      (name) => limits[name] !== undefined && isEqual(limits[name], asObject(resources['requests'])[name]),
    );
  });
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

interface WorkloadRules {
  readonly model: string;
  readonly defaults: (spec: JsonObject) => void;
  readonly validateUpdate: (spec: JsonObject, old: JsonObject) => FieldError[];
}

function workload({ model, defaults, validateUpdate }: WorkloadRules): Strategy {
  return {
    countsGeneration: true,
    defaults(object) {
      const spec = ensureObject(object, 'spec');
      setTemplateDefaults(spec);
      defaults(spec);
    },
    validate(object, old) {
      const spec = asObject(object['spec']);
      const errors = [
        ...requiredErrors(object, model),
        ...validateSelector(spec),
        ...validateTemplate(spec),
        ...validateCount(spec, 'replicas'),
      ];
      return old === undefined ? errors : [...errors, ...validateUpdate(spec, asObject(old['spec']))];
    },
  };
}

function validateCount(spec: JsonObject, field: string): FieldError[] {
  const value = spec[field];
  if (typeof value !== 'number' || value >= 0) return [];
  return [{ kind: 'invalid', field: `spec.${field}`, value, detail: 'must be greater than or equal to 0' }];
}

function validateSelector(spec: JsonObject): FieldError[] {
  const { selector } = spec;
  if (selector === undefined) return [];
  const labels = valueAt(spec, 'template', 'metadata', 'labels');
  if (Object.keys(asObject(selector)).length === 0) {
    return [
      { kind: 'invalid', field: 'spec.selector', value: selector, detail: 'empty selector is invalid for deployment' },
    ];
  }
  if (matchesLabelSelector(selector, isObject(labels) ? (labels as Record<string, string>) : undefined)) return [];
  const detail = '`selector` does not match template `labels`';
  return [{ kind: 'invalid', field: 'spec.template.metadata.labels', value: labels ?? null, detail }];
}

function validateTemplate(spec: JsonObject): FieldError[] {
  const podSpec = asObject(valueAt(spec, 'template', 'spec'));
  const errors = validatePodSpec(withClaimVolumes(podSpec, spec['volumeClaimTemplates']), 'spec.template.spec');
  const policy = podSpec['restartPolicy'];
  if (policy !== undefined && policy !== 'Always') {
    errors.push({
      kind: 'unsupported',
      field: 'spec.template.spec.restartPolicy',
      value: policy,
      detail: 'supported values: "Always"',
    });
  }
  return errors;
}

export const deploymentStrategy: Strategy = workload({
  model: 'V1Deployment',
  defaults(spec) {
    setDefault(spec, 'replicas', 1);
    setDefault(spec, 'revisionHistoryLimit', 10);
    setDefault(spec, 'progressDeadlineSeconds', 600);
    const strategy = ensureObject(spec, 'strategy');
    setDefault(strategy, 'type', 'RollingUpdate');
    if (strategy['type'] !== 'RollingUpdate') return;
    const rolling = ensureObject(strategy, 'rollingUpdate');
    setDefault(rolling, 'maxUnavailable', '25%');
    setDefault(rolling, 'maxSurge', '25%');
  },
  validateUpdate: (spec, old) => immutable(spec, old, { field: 'selector', path: 'spec.selector' }),
});

export const replicaSetStrategy: Strategy = workload({
  model: 'V1ReplicaSet',
  defaults: (spec) => setDefault(spec, 'replicas', 1),
  validateUpdate: (spec, old) => immutable(spec, old, { field: 'selector', path: 'spec.selector' }),
});

export const daemonSetStrategy: Strategy = workload({
  model: 'V1DaemonSet',
  defaults(spec) {
    setDefault(spec, 'revisionHistoryLimit', 10);
    const strategy = ensureObject(spec, 'updateStrategy');
    setDefault(strategy, 'type', 'RollingUpdate');
    if (strategy['type'] !== 'RollingUpdate') return;
    const rolling = ensureObject(strategy, 'rollingUpdate');
    setDefault(rolling, 'maxUnavailable', 1);
    setDefault(rolling, 'maxSurge', 0);
  },
  validateUpdate: (spec, old) => immutable(spec, old, { field: 'selector', path: 'spec.selector' }),
});

export const statefulSetStrategy: Strategy = workload({
  model: 'V1StatefulSet',
  defaults(spec) {
    setDefault(spec, 'replicas', 1);
    setDefault(spec, 'revisionHistoryLimit', 10);
    setDefault(spec, 'podManagementPolicy', 'OrderedReady');
    setDefault(spec, 'serviceName', '');
    setDefault(spec, 'persistentVolumeClaimRetentionPolicy', { whenDeleted: 'Retain', whenScaled: 'Retain' });
    const strategy = ensureObject(spec, 'updateStrategy');
    setDefault(strategy, 'type', 'RollingUpdate');
    if (strategy['type'] === 'RollingUpdate') setDefault(ensureObject(strategy, 'rollingUpdate'), 'partition', 0);
    for (const claim of asArray(spec['volumeClaimTemplates'])) setClaimTemplateDefaults(asObject(claim));
  },
  validateUpdate(spec, old) {
    const rest = (value: JsonObject): JsonObject =>
      Object.fromEntries(Object.entries(value).filter(([key]) => !STATEFUL_SET_MUTABLE.includes(key)));
    return isEqual(rest(spec), rest(old)) ? [] : [{ kind: 'forbidden', field: 'spec', detail: STATEFUL_SET_UPDATE }];
  },
});

function setClaimTemplateDefaults(claim: JsonObject): void {
  setDefault(claim, 'apiVersion', 'v1');
  setDefault(claim, 'kind', 'PersistentVolumeClaim');
  setDefault(ensureObject(claim, 'spec'), 'volumeMode', 'Filesystem');
  setDefault(claim, 'status', { phase: 'Pending' });
}

const JOB_LABELS = ['batch.kubernetes.io/controller-uid', 'batch.kubernetes.io/job-name', 'controller-uid', 'job-name'];

function setJobSpecDefaults(spec: JsonObject): void {
  setTemplateDefaults(spec);
  if (spec['completions'] === undefined && spec['parallelism'] === undefined) spec['completions'] = 1;
  setDefault(spec, 'parallelism', 1);
  setDefault(spec, 'backoffLimit', 6);
  setDefault(spec, 'completionMode', 'NonIndexed');
  setDefault(spec, 'suspend', false);
  setDefault(spec, 'manualSelector', false);
  setDefault(spec, 'podReplacementPolicy', 'TerminatingOrFailed');
}

export const jobStrategy: Strategy = {
  countsGeneration: true,
  defaults: (job) => setJobSpecDefaults(ensureObject(job, 'spec')),
  prepareCreate(job) {
    const spec = ensureObject(job, 'spec');
    if (spec['manualSelector'] === true) return;
    const uid = asString(valueAt(job, 'metadata', 'uid'));
    const name = asString(valueAt(job, 'metadata', 'name'));
    const labels = ensureObject(ensureObject(ensureObject(spec, 'template'), 'metadata'), 'labels');
    for (const label of JOB_LABELS) labels[label] = label.endsWith('uid') ? uid : name;
    spec['selector'] = { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } };
  },
  validate(job, old) {
    const spec = asObject(job['spec']);
    const podSpec = asObject(valueAt(spec, 'template', 'spec'));
    const errors = [
      ...requiredErrors(job, 'V1Job'),
      ...validatePodSpec(podSpec, 'spec.template.spec'),
      ...validateJobPolicy(podSpec),
    ];
    if (old === undefined) return errors;
    const before = asObject(old['spec']);
    const fixed = ['selector', 'completions', 'completionMode', ...(before['suspend'] === true ? [] : ['template'])];
    return [...errors, ...fixed.flatMap((field) => immutable(spec, before, { field, path: `spec.${field}` }))];
  },
};

function validateJobPolicy(podSpec: JsonObject): FieldError[] {
  const policy = podSpec['restartPolicy'];
  if (policy === 'OnFailure' || policy === 'Never') return [];
  const detail = 'supported values: "OnFailure", "Never"';
  return [
    {
      kind: policy === undefined ? 'required' : 'unsupported',
      field: 'spec.template.spec.restartPolicy',
      value: policy,
      detail,
    },
  ];
}

export const cronJobStrategy: Strategy = {
  countsGeneration: true,
  defaults(cronJob) {
    const spec = ensureObject(cronJob, 'spec');
    setDefault(spec, 'concurrencyPolicy', 'Allow');
    setDefault(spec, 'suspend', false);
    setDefault(spec, 'successfulJobsHistoryLimit', 3);
    setDefault(spec, 'failedJobsHistoryLimit', 1);
    const jobSpec = ensureObject(ensureObject(spec, 'jobTemplate'), 'spec');
    setTemplateDefaults(jobSpec);
  },
  validate(cronJob) {
    const podSpec = asObject(valueAt(cronJob, 'spec', 'jobTemplate', 'spec', 'template', 'spec'));
    return [
      ...requiredErrors(cronJob, 'V1CronJob'),
      ...validatePodSpec(podSpec, 'spec.jobTemplate.spec.template.spec'),
    ];
  },
};
