/** Owns a KubeClient over a map: names, uids, resource versions, optimistic locking and preconditions; no watch, no patch. */
import { isDeepStrictEqual } from 'node:util';
import { apiVersionOf, KubeError } from '@kfctl/kube';
import type { KubeClient, KubeObject, ResourceType, UnknownObject } from '@kfctl/kube';

const refuse = (): never => {
  throw new Error('this fake cannot do that');
};

function failure(status: number, reason: string): KubeError {
  return new KubeError({ status, reason, message: reason });
}

/** `objects` is the whole state, by `apiVersion/plural/namespace/name`. */
export function createMemoryKubeClient(objects: Map<string, UnknownObject> = new Map()): KubeClient {
  let version = 0;
  const prefix = (type: ResourceType<KubeObject>, namespace = ''): string =>
    `${apiVersionOf(type)}/${type.plural}/${namespace}/`;
  const next = (): string => String((version += 1));
  const answer = <T>(work: () => T): Promise<T> => new Promise((resolve) => setImmediate(() => resolve(0))).then(work);
  return {
    get: (type, name, place) =>
      answer(() => structuredClone(objects.get(prefix(type, place?.namespace) + name)) as never),
    list: (type, options) =>
      answer(() => ({
        items: [...objects]
          .filter(([key]) => key.startsWith(prefix(type, options?.namespace)))
          .map(([, value]) => structuredClone(value)) as never,
        resourceVersion: String(version),
      })),
    create: (type, object, options) =>
      answer(() => {
        const name = object.metadata.name ?? '';
        if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name) || name.length > 253) throw failure(422, 'Invalid');
        const key = prefix(type, options?.namespace) + name;
        if (objects.has(key)) throw failure(409, 'AlreadyExists');
        const metadata = { ...object.metadata, uid: crypto.randomUUID(), resourceVersion: next() };
        objects.set(key, JSON.parse(JSON.stringify({ ...object, metadata })) as UnknownObject);
        return structuredClone(objects.get(key)) as never;
      }),
    replace: (type, object, options) =>
      answer(() => {
        const key = prefix(type, options?.namespace) + object.metadata.name;
        const current = objects.get(key);
        if (current === undefined) throw failure(404, 'NotFound');
        if (object.metadata.resourceVersion !== current.metadata.resourceVersion) throw failure(409, 'Conflict');
        if (isDeepStrictEqual(object, current)) return structuredClone(current) as never;
        const stored = { ...object, metadata: { ...current.metadata, resourceVersion: next() } };
        objects.set(key, JSON.parse(JSON.stringify(stored)) as UnknownObject);
        return structuredClone(objects.get(key)) as never;
      }),
    delete: (type, name, options) =>
      answer(() => {
        const key = prefix(type, options?.namespace) + name;
        const current = objects.get(key);
        if (current === undefined) return false;
        const { uid, resourceVersion } = options?.preconditions ?? {};
        if (uid !== undefined && uid !== current.metadata.uid) throw failure(409, 'Conflict');
        if (resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion) {
          throw failure(409, 'Conflict');
        }
        return objects.delete(key);
      }),
    watch: refuse,
    patch: refuse,
    apply: refuse,
    logs: refuse,
    discover: refuse,
    request: refuse,
    close: () => undefined,
  };
}
