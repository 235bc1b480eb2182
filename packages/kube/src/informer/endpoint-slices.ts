/** Owns the reading of EndpointSlices on every cluster: before Kubernetes 1.21 they are served as v1beta1 only. */
import type { KubeClient, ListOptions, ListResult } from '../client/kube-client.ts';
import type { KubeObject, ResourceType } from '../client/object.ts';
import { isKubeError } from '../errors.ts';
import type { EndpointSlice } from '../resources/groups.ts';

type Source = Pick<KubeClient, 'list' | 'watch'>;
type OldEndpoint = NonNullable<EndpointSlice['endpoints']>[number] & { readonly topology?: Record<string, string> };

/** Lists and watches EndpointSlices in the version that the cluster has, as v1, and other types as they are; each list looks anew. */
export function endpointSliceClient(client: Source): Source {
  let isOld = false;
  return {
    list: async <T extends KubeObject>(type: ResourceType<T>, options?: ListOptions): Promise<ListResult<T>> => {
      try {
        const result = await client.list(type, options);
        if (type.kind === 'EndpointSlice') isOld = false;
        return result;
      } catch (error) {
        if (type.kind !== 'EndpointSlice' || !isKubeError(error, 'NotFound')) throw error;
        const result = await client.list(oldVersionOf(type), options);
        isOld = true;
        return { ...result, items: result.items.map(renew) };
      }
    },
    async *watch(type, options) {
      if (type.kind !== 'EndpointSlice' || !isOld) return yield* client.watch(type, options);
      for await (const event of client.watch(oldVersionOf(type), options))
        yield event.kind === 'bookmark' ? event : { ...event, object: renew(event.object) };
    },
  };
}

function oldVersionOf<T extends KubeObject>(type: ResourceType<T>): ResourceType<T> {
  return { ...type, version: 'v1beta1' };
}

/** Before 1.20 an endpoint's node stood among its topology labels. */
function renew<T extends KubeObject>(slice: T): T {
  if (!('endpoints' in slice) || !Array.isArray(slice.endpoints)) return slice;
  const endpoints = (slice.endpoints as OldEndpoint[]).map(({ topology, ...endpoint }) => {
    const nodeName = endpoint.nodeName ?? topology?.['kubernetes.io/hostname'];
    return { ...endpoint, ...(nodeName === undefined ? {} : { nodeName }) };
  });
  return { ...slice, endpoints };
}
