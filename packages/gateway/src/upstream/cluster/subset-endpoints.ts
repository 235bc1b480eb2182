/** Owns which endpoints belong to a subset: those whose pods have its labels. */
import type { Pod } from '@kfctl/kube';
import type { Source } from '../../istio/sources.ts';
import type { EndpointSet } from '../service-directory.ts';

/** The endpoints whose pods carry all the labels. Nobody knows the labels of an endpoint that is no pod: it belongs to no subset. */
export function selectSubset(
  whole: EndpointSet,
  labels: ReadonlyMap<string, string>,
  pods: Pick<Source<Pod>, 'get'>,
): EndpointSet {
  const addresses = whole.addresses.filter(({ pod }) => {
    const found = pod === undefined ? undefined : pods.get(pod, whole.service.namespace);
    return found !== undefined && hasLabels(found, labels);
  });
  return { ...whole, addresses, labels: new Map([...whole.labels, ...labels]), next: 0 };
}

function hasLabels(pod: Pod, labels: ReadonlyMap<string, string>): boolean {
  return [...labels].every(([key, value]) => pod.metadata.labels?.[key] === value);
}
