/** Owns the list of what the gateway watches. An informer of `kube` is a source; tests bring their own. */
import type { ConfigMap, EndpointSlice, Informer, KubeObject, SecretObject, Service, UnknownObject } from '@kfctl/kube';

export type Source<T extends KubeObject> = Pick<Informer<T>, 'get' | 'list' | 'onChange' | 'synced'>;

export interface Sources {
  readonly gateways: Source<UnknownObject>;
  readonly virtualServices: Source<UnknownObject>;
  readonly authorizationPolicies: Source<UnknownObject>;
  readonly envoyFilters: Source<UnknownObject>;
  readonly requestAuthentications: Source<UnknownObject>;
  /** Of the gateway's namespace only. */
  readonly configMaps: Source<ConfigMap>;
  readonly secrets: Source<SecretObject>;
  readonly services: Source<Service>;
  readonly endpointSlices: Source<EndpointSlice>;
}
