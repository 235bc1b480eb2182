/** Owns waiting for resources that a cluster may not serve: older Istio definitions lack some. */
import type { Informer, KubeClient, KubeObject, ResourceType } from '@kfctl/kube';
import { isKubeError } from '@kfctl/kube';
import type { Source } from './sources.ts';

/** A source that counts as synced, and empty, while the cluster does not know its resource; the informer goes on trying. */
export function optionalSource<T extends KubeObject>(
  informer: Informer<T>,
  type: ResourceType<T>,
  client: Pick<KubeClient, 'request'>,
): Source<T> {
  return {
    synced: Promise.race([informer.synced, untilAbsent(type, client)]),
    get: (name, namespace) => informer.get(name, namespace),
    list: (namespace) => informer.list(namespace),
    onChange: (listener) => informer.onChange(listener),
  };
}

type Place = Pick<ResourceType, 'group' | 'version' | 'plural'>;

/** Resolves when the cluster says that it does not serve the resource; never otherwise. */
async function untilAbsent(type: Place, client: Pick<KubeClient, 'request'>): Promise<void> {
  const isAbsent = await client.request({ method: 'GET', path: `/apis/${type.group}/${type.version}` }).then(
    ({ body }) => !names(body).includes(type.plural),
    (error: unknown) => isKubeError(error) && error.status === 404,
  );
  if (!isAbsent) await new Promise(() => undefined);
}

function names(body: unknown): readonly unknown[] {
  const list = typeof body === 'object' && body !== null && 'resources' in body ? body.resources : [];
  return Array.isArray(list)
    ? list.map((item: unknown) => (typeof item === 'object' && item !== null && 'name' in item ? item.name : ''))
    : [];
}
