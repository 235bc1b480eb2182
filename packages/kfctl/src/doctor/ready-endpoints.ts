/** Owns the question whether somebody serves behind a service's name. */
import { endpointSliceClient, resources } from '@kfctl/kube';
import type { KubeClient } from '@kfctl/kube';

export type Serving =
  | { readonly kind: 'serves' }
  | { readonly kind: 'nobody'; readonly finding: string; readonly evidence: readonly string[]; readonly next: string };

/** `dex.kubeflow.svc.cluster.local`, `dex.kubeflow` or `dex`; other hosts are outside the cluster and taken as they are. */
export async function readyEndpoints(client: KubeClient, host: string, namespace: string): Promise<Serving> {
  const parts = host.split('.');
  const isInside = parts.length <= 2 || parts[2] === 'svc';
  if (!isInside) return { kind: 'serves' };
  const [name = '', place = namespace] = parts;
  const service = await client.get(resources.services, name, { namespace: place });
  if (service === undefined) {
    const next = `kubectl get services -n ${place}`;
    return { kind: 'nobody', finding: 'there is no such Service', evidence: [`Service ${place}/${name}`], next };
  }
  const labelSelector = `kubernetes.io/service-name=${name}`;
  const { items } = await endpointSliceClient(client).list(resources.endpointSlices, {
    namespace: place,
    labelSelector,
  });
  const endpoints = items.flatMap((slice) => slice.endpoints ?? []);
  if (endpoints.some(({ conditions }) => conditions?.ready !== false)) return { kind: 'serves' };
  const selector = Object.entries(service.spec?.selector ?? {}).map(([label, value]) => `${label}=${value}`);
  const seen = endpoints.map(({ addresses }) => `endpoint ${addresses[0] ?? ''}: not ready`);
  return {
    kind: 'nobody',
    finding: 'no pod is ready',
    evidence: seen.length > 0 ? seen : [`no pod with ${selector.join(', ')} in ${place}`],
    next: `kubectl describe pods -n ${place} -l ${selector.join(',')}`,
  };
}
