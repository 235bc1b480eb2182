/** Owns Endpoints and EndpointSlices of Services with a selector. */
import { isKubeError, resources } from '@kfctl/kube';
import type { EndpointAddress, Endpoints, EndpointSlice, KubeObject, ObjectKey, Service } from '@kfctl/kube';
import { localPods } from '../../node/pod/pod-spec.ts';
import type { Controller, ControllerDeps } from '../controller.ts';
import { canonicalJson, templateHash } from '../workload/template.ts';
import { ownedBy } from '../workload/ownership.ts';
import { endpointGroups } from './endpoint-addresses.ts';
import type { EndpointGroup, EndpointPod } from './endpoint-addresses.ts';

const SERVICE_NAME = 'kubernetes.io/service-name';
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const MANAGER = 'endpointslice-controller.k8s.io';

export function endpointsController(deps: ControllerDeps): Controller {
  const services = deps.informers.of(resources.services);
  const selecting = (pod: KubeObject): readonly ObjectKey[] =>
    services
      .list(pod.metadata.namespace)
      .filter(({ spec }) =>
        Object.entries(spec?.selector ?? { '': '' }).every(([key, value]) => pod.metadata.labels?.[key] === value),
      )
      .map(({ metadata }) => ({ name: metadata.name ?? '', namespace: metadata.namespace ?? '' }));
  const ofService = ({ metadata }: KubeObject): readonly ObjectKey[] => {
    const name = metadata.labels?.[SERVICE_NAME];
    return name === undefined ? [] : [{ name, namespace: metadata.namespace ?? '' }];
  };
  return {
    name: 'endpoints',
    watches: [
      { type: resources.services },
      { type: localPods, keys: selecting },
      { type: resources.endpoints },
      { type: resources.endpointSlices, keys: ofService },
    ],
    reconcile: (key) => reconcile(deps, key),
  };
}

async function reconcile(deps: ControllerDeps, { name, namespace }: ObjectKey): Promise<undefined> {
  const service = deps.informers.of(resources.services).get(name, namespace);
  const slices = deps.informers
    .of(resources.endpointSlices)
    .list(namespace)
    .filter(({ metadata }) => isOwnSlice(metadata, name));
  if (service === undefined || service.metadata.deletionTimestamp !== undefined) {
    await removeAll(deps, { name, namespace }, slices);
    return;
  }
  // Without a selector the endpoints are the user's own.
  if (
    service.spec?.selector === undefined ||
    Object.keys(service.spec.selector).length === 0 ||
    service.spec.type === 'ExternalName'
  )
    return;
  const groups = endpointGroups(service, deps.informers.of(localPods).list(namespace));
  await writeEndpoints(deps, service, groups);
  await writeSlices(deps, service, { groups, slices });
}

function isOwnSlice({ labels }: KubeObject['metadata'], service: string): boolean {
  return labels?.[SERVICE_NAME] === service && labels[MANAGED_BY] === MANAGER;
}

async function removeAll(
  deps: ControllerDeps,
  { name, namespace }: ObjectKey,
  slices: readonly EndpointSlice[],
): Promise<void> {
  const present = deps.informers.of(resources.endpoints).get(name, namespace);
  if (present?.metadata.labels?.[MANAGED_BY] === MANAGER)
    await deps.client.delete(resources.endpoints, name, { namespace });
  await Promise.all(
    slices.map(({ metadata }) => deps.client.delete(resources.endpointSlices, metadata.name ?? '', { namespace })),
  );
}

async function writeEndpoints(deps: ControllerDeps, service: Service, groups: readonly EndpointGroup[]): Promise<void> {
  const { name = '', namespace = '', labels } = service.metadata;
  const subsets = groups.map(({ ports, pods }) => {
    const ready = pods.filter((pod) => pod.ready).map(addressOf);
    const notReady = pods.filter((pod) => !pod.ready && !pod.terminating).map(addressOf);
    return {
      ...(ready.length === 0 ? {} : { addresses: ready }),
      ...(notReady.length === 0 ? {} : { notReadyAddresses: notReady }),
      ports: [...ports],
    };
  });
  const wanted: Endpoints = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name, namespace, labels: { ...labels, [MANAGED_BY]: MANAGER, ...headless(service) } },
    subsets: subsets.filter(
      ({ addresses, notReadyAddresses }) => addresses !== undefined || notReadyAddresses !== undefined,
    ),
  };
  const present = deps.informers.of(resources.endpoints).get(name, namespace);
  if (present === undefined)
    return void (await createUnlessThere(() => deps.client.create(resources.endpoints, wanted)));
  const isSame =
    canonicalJson(present.subsets ?? []) === canonicalJson(wanted.subsets) &&
    canonicalJson(present.metadata.labels) === canonicalJson(wanted.metadata.labels);
  if (isSame) return;
  await deps.client.replace(resources.endpoints, {
    ...wanted,
    metadata: { ...present.metadata, labels: wanted.metadata.labels ?? {} },
  });
}

function headless({ spec }: Service): Record<string, string> {
  return spec?.clusterIP === 'None' ? { 'service.kubernetes.io/headless': '' } : {};
}

function addressOf({ pod, ip }: EndpointPod): EndpointAddress {
  return {
    ip,
    ...hostnameOf({ pod }),
    ...(pod.spec.nodeName === undefined ? {} : { nodeName: pod.spec.nodeName }),
    targetRef: targetOf({ pod }),
  };
}

function targetOf({ pod }: Pick<EndpointPod, 'pod'>): NonNullable<EndpointAddress['targetRef']> {
  const { name = '', namespace = '', uid = '' } = pod.metadata;
  return { kind: 'Pod', name, namespace, uid };
}

/** Pods of a headless service may have names of their own in DNS. */
function hostnameOf({ pod }: Pick<EndpointPod, 'pod'>): { hostname?: string } {
  return pod.spec.hostname !== undefined && pod.spec.subdomain !== undefined ? { hostname: pod.spec.hostname } : {};
}

interface Slices {
  readonly groups: readonly EndpointGroup[];
  readonly slices: readonly EndpointSlice[];
}

async function writeSlices(deps: ControllerDeps, service: Service, { groups, slices }: Slices): Promise<void> {
  const { namespace = '' } = service.metadata;
  const wanted = (groups.length === 0 ? [{ ports: [], pods: [] }] : groups).map((group) => sliceOf(service, group));
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  for (const slice of wanted) {
    const present = slices.find(({ metadata }) => metadata.name === slice.metadata.name);
    if (present === undefined) await createUnlessThere(() => deps.client.create(resources.endpointSlices, slice));
    else if (canonicalJson([present.endpoints, present.ports]) !== canonicalJson([slice.endpoints, slice.ports])) {
      await deps.client.replace(resources.endpointSlices, {
        ...slice,
        metadata: { ...present.metadata, labels: slice.metadata.labels ?? {} },
      });
    }
  }
  const surplus = slices.filter(({ metadata }) => !names.has(metadata.name));
  await Promise.all(
    surplus.map(({ metadata }) => deps.client.delete(resources.endpointSlices, metadata.name ?? '', { namespace })),
  );
}

function sliceOf(service: Service, { ports, pods }: EndpointGroup): EndpointSlice {
  const { name = '', namespace = '', labels } = service.metadata;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${name.slice(0, 57)}-${templateHash([service.metadata.uid, ports]).slice(0, 5)}`,
      namespace,
      labels: { ...labels, [SERVICE_NAME]: name, [MANAGED_BY]: MANAGER, ...headless(service) },
      ownerReferences: [ownedBy({ ...service, apiVersion: 'v1', kind: 'Service' })],
    },
    addressType: 'IPv4',
    endpoints: pods.map((endpoint) => ({
      addresses: [endpoint.ip],
      conditions: { ready: endpoint.ready, serving: endpoint.serving, terminating: endpoint.terminating },
      ...hostnameOf(endpoint),
      ...(endpoint.pod.spec.nodeName === undefined ? {} : { nodeName: endpoint.pod.spec.nodeName }),
      targetRef: targetOf(endpoint),
    })),
    ports: ports.map((port) => ({ name: '', ...port })),
  };
}

/** The watch may lag behind: then the object is there and the next round compares it. */
async function createUnlessThere(create: () => Promise<unknown>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if (!isKubeError(error, 'AlreadyExists')) throw error;
  }
}
