/** Owns sources whose objects tests set. Imported by tests only. */
import type {
  ConfigMap,
  EndpointSlice,
  KubeObject,
  ObjectFollower,
  Pod,
  SecretObject,
  Service,
  UnknownObject,
} from '@kfctl/kube';
import { createPodSources } from '../istio/pod-sources.ts';
import type { Source, Sources } from '../istio/sources.ts';

/** A source whose objects tests set. */
export class MemorySource<T extends KubeObject> implements Source<T> {
  /** A test may put another one here before anybody looks. */
  synced: Promise<void> = Promise.resolve();
  readonly #objects = new Map<string, T>();
  readonly #listeners = new Set<(object: T | undefined, previous: T | undefined) => void>();

  get(name: string, namespace = ''): T | undefined {
    return this.#objects.get(`${namespace}/${name}`);
  }

  list(namespace?: string): readonly T[] {
    return [...this.#objects.values()].filter(
      (object) => namespace === undefined || object.metadata.namespace === namespace,
    );
  }

  onChange(listener: (object: T | undefined, previous: T | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  put(object: T): void {
    const key = `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`;
    const previous = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const listener of this.#listeners) listener(object, previous);
  }

  remove(name: string, namespace: string): void {
    const previous = this.get(name, namespace);
    this.#objects.delete(`${namespace}/${name}`);
    for (const listener of this.#listeners) listener(undefined, previous);
  }

  /** Tells of everything, then of changes, as `followObjects` of kube does. */
  readonly follow = async (follower: ObjectFollower<T>, signal: AbortSignal): Promise<void> => {
    const objects = this.list();
    for (const object of objects) follower.put(object, 'list');
    follower.retain(new Set(objects.map(nameOf)));
    const unfollow = this.onChange((object, previous) => {
      if (object !== undefined) follower.put(object, 'watch');
      else follower.remove(nameOf(previous));
    });
    signal.addEventListener('abort', unfollow, { once: true });
  };

  /** Forgets all objects and tells nobody: of a hundred thousand, a bench has no use for a second copy. */
  forget(): void {
    this.#objects.clear();
  }
}

function nameOf(object: KubeObject | undefined): string {
  return object?.metadata.name ?? '';
}

export interface MemorySources extends Sources {
  readonly gateways: MemorySource<UnknownObject>;
  readonly virtualServices: MemorySource<UnknownObject>;
  readonly destinationRules: MemorySource<UnknownObject>;
  readonly authorizationPolicies: MemorySource<UnknownObject>;
  readonly envoyFilters: MemorySource<UnknownObject>;
  readonly requestAuthentications: MemorySource<UnknownObject>;
  readonly configMaps: MemorySource<ConfigMap>;
  readonly secrets: MemorySource<SecretObject>;
  readonly services: MemorySource<Service>;
  readonly endpointSlices: MemorySource<EndpointSlice>;
  readonly podObjects: MemorySource<Pod>;
}

export function createMemorySources(): MemorySources {
  const podObjects = new MemorySource<Pod>();
  return {
    podObjects,
    pods: createPodSources(() => podObjects),
    gateways: new MemorySource(),
    virtualServices: new MemorySource(),
    destinationRules: new MemorySource(),
    authorizationPolicies: new MemorySource(),
    envoyFilters: new MemorySource(),
    requestAuthentications: new MemorySource(),
    configMaps: new MemorySource(),
    secrets: new MemorySource(),
    services: new MemorySource(),
    endpointSlices: new MemorySource(),
  };
}
