/** Owns the defaults of pods and pod templates. */
import { asArray, asObject, asString, ensureObject, isObject, setDefault, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';

const DEFAULT_MODE = 420;
const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'];

/** Fills in a PodSpec in place. */
export function setPodSpecDefaults(spec: JsonObject): void {
  setDefault(spec, 'restartPolicy', 'Always');
  setDefault(spec, 'terminationGracePeriodSeconds', 30);
  setDefault(spec, 'dnsPolicy', 'ClusterFirst');
  setDefault(spec, 'securityContext', {});
  setDefault(spec, 'schedulerName', 'default-scheduler');
  const account = asString(spec['serviceAccountName']) || asString(spec['serviceAccount']);
  if (account !== '') {
    spec['serviceAccountName'] = account;
    spec['serviceAccount'] = account;
  }
  for (const list of ['initContainers', 'containers'])
    for (const container of asArray(spec[list])) setContainerDefaults(asObject(container));
  for (const volume of asArray(spec['volumes'])) setVolumeDefaults(asObject(volume));
}

function setContainerDefaults(container: JsonObject): void {
  setDefault(container, 'terminationMessagePath', '/dev/termination-log');
  setDefault(container, 'terminationMessagePolicy', 'File');
  setDefault(container, 'imagePullPolicy', isMovingImage(asString(container['image'])) ? 'Always' : 'IfNotPresent');
  setDefault(container, 'resources', {});
  for (const port of asArray(container['ports'])) if (isObject(port)) setDefault(port, 'protocol', 'TCP');
  for (const variable of asArray(container['env'])) {
    const reference = valueAt(variable, 'valueFrom', 'fieldRef');
    if (isObject(reference)) setDefault(reference, 'apiVersion', 'v1');
  }
  for (const probe of PROBES) if (isObject(container[probe])) setProbeDefaults(asObject(container[probe]));
  for (const hook of ['postStart', 'preStop']) setHttpDefaults(valueAt(container, 'lifecycle', hook, 'httpGet'));
}

/** Requests that are not said are the limits; of pods only, never of templates. */
export function setRequestDefaults(spec: JsonObject): void {
  for (const list of ['initContainers', 'containers'])
    for (const container of asArray(spec[list])) setContainerRequests(asObject(container));
}

function setContainerRequests(container: JsonObject): void {
  const resources = asObject(container['resources']);
  const limits = resources['limits'];
  if (!isObject(limits)) return;
  const requests = ensureObject(resources, 'requests');
  for (const [name, amount] of Object.entries(limits)) setDefault(requests, name, amount);
}

function isMovingImage(image: string): boolean {
  if (image.includes('@')) return false;
  const tag = image.slice(image.lastIndexOf('/') + 1).split(':')[1];
  return tag === undefined || tag === 'latest';
}

function setProbeDefaults(probe: JsonObject): void {
  setDefault(probe, 'timeoutSeconds', 1);
  setDefault(probe, 'periodSeconds', 10);
  setDefault(probe, 'successThreshold', 1);
  setDefault(probe, 'failureThreshold', 3);
  setHttpDefaults(probe['httpGet']);
  if (isObject(probe['grpc'])) setDefault(probe['grpc'], 'service', '');
}

function setHttpDefaults(get: unknown): void {
  if (!isObject(get)) return;
  setDefault(get, 'path', '/');
  setDefault(get, 'scheme', 'HTTP');
}

function setVolumeDefaults(volume: JsonObject): void {
  const sources = Object.keys(volume).filter((key) => key !== 'name');
  if (sources.length === 0) volume['emptyDir'] = {};
  for (const kind of ['configMap', 'secret', 'downwardAPI', 'projected']) {
    const source = volume[kind];
    if (isObject(source)) setDefault(source, 'defaultMode', DEFAULT_MODE);
  }
  for (const item of [...asArray(valueAt(volume, 'downwardAPI', 'items')), ...projectedItems(volume)]) {
    const reference = valueAt(item, 'fieldRef');
    if (isObject(reference)) setDefault(reference, 'apiVersion', 'v1');
  }
  for (const source of asArray(valueAt(volume, 'projected', 'sources'))) {
    const token = valueAt(source, 'serviceAccountToken');
    if (isObject(token)) setDefault(token, 'expirationSeconds', 3600);
  }
  if (isObject(volume['hostPath'])) setDefault(volume['hostPath'], 'type', '');
}

function projectedItems(volume: JsonObject): readonly unknown[] {
  return asArray(valueAt(volume, 'projected', 'sources')).flatMap((source) =>
    asArray(valueAt(source, 'downwardAPI', 'items')),
  );
}

/** The pod template of a workload's spec. */
export function setTemplateDefaults(spec: JsonObject): void {
  const template = ensureObject(spec, 'template');
  ensureObject(template, 'metadata');
  const podSpec = ensureObject(template, 'spec');
  if (asArray(podSpec['containers']).length > 0) setPodSpecDefaults(podSpec);
}
