/** Owns the making of resource descriptors. */
import type { KubeObject, ResourceType, UnknownObject } from '../client/object.ts';

/** `defineResource<Widget>('example.com/v1', 'Widget', { plural: 'widgets' })`; the core group is plain `v1`. Namespaced unless said otherwise. */
export function defineResource<T extends KubeObject = UnknownObject>(
  apiVersion: string,
  kind: string,
  options: { readonly plural: string; readonly namespaced?: boolean },
): ResourceType<T> {
  const slash = apiVersion.indexOf('/');
  return {
    group: slash < 0 ? '' : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    kind,
    plural: options.plural,
    namespaced: options.namespaced ?? true,
  };
}
