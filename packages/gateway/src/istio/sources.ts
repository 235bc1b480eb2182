/** Owns the list of what the gateway watches. An informer of `kube` is a source; tests bring their own. */
import type {
  ConfigMap,
  EndpointSlice,
  Informer,
  KubeObject,
  Pod,
  SecretObject,
  Service,
  UnknownObject,
} from '@kfctl/kube';

export type Source<T extends KubeObject> = Pick<Informer<T>, 'get' | 'list' | 'onChange' | 'synced'>;

export interface Sources {
  readonly gateways: Source<UnknownObject>;
  readonly virtualServices: Source<UnknownObject>;
  readonly destinationRules: Source<UnknownObject>;
  readonly authorizationPolicies: Source<UnknownObject>;
  readonly envoyFilters: Source<UnknownObject>;
  readonly requestAuthentications: Source<UnknownObject>;
  /** Of the gateway's namespace only. */
  readonly configMaps: Source<ConfigMap>;
  readonly secrets: Source<SecretObject>;
  readonly services: Source<Service>;
  readonly endpointSlices: Source<EndpointSlice>;
  readonly pods: PodSources;
}

/** Pods, of the namespaces that somebody asks about only: most gateways never need one. */
export interface PodSources {
  of(namespace: string): Source<Pod>;
  /** Pods of a namespace asked about have changed. */
  onChange(listener: () => void): void;
}
