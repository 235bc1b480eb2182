/** Owns the operations on objects that every door (HTTPS, in-process) uses; it knows neither HTTP nor who may do what. */
import type { ServedResource } from '../resources/definition.ts';
import type { JsonObject } from '../schema/json.ts';
import { createObject } from './create-object.ts';
import type { CreateRequest } from './create-object.ts';
import { deleteObject } from './delete-object.ts';
import type { DeleteOutcome, DeleteRequest } from './delete-object.ts';
import type { Definitions } from './definitions.ts';
import { listObjects } from './list-objects.ts';
import type { ListPage, ListRequest } from './list-objects.ts';
import { patchObject } from './patch-object.ts';
import type { PatchRequest } from './patch-object.ts';
import { requireStored } from './registry-deps.ts';
import type { CollectionTarget, PatchOutcome, RegistryDeps, Target } from './registry-deps.ts';
import { updateObject } from './update-object.ts';
import type { UpdateRequest } from './update-object.ts';
import { watchObjects } from './watch-objects.ts';
import type { WatchNotice, WatchRequest } from './watch-objects.ts';
import type { StoredObject } from '../store/stored-object.ts';

export interface Registry {
  readonly definitions: Definitions;
  readonly deps: RegistryDeps;
  get(target: Target): StoredObject;
  list(target: CollectionTarget, request: ListRequest): ListPage;
  watch(target: CollectionTarget, request: WatchRequest, listener: (notice: WatchNotice) => void): () => void;
  create(target: CollectionTarget, request: CreateRequest): Promise<JsonObject>;
  update(target: Target, request: UpdateRequest): Promise<JsonObject>;
  patch(target: Target, request: PatchRequest): Promise<PatchOutcome>;
  delete(target: Target, request: DeleteRequest): Promise<DeleteOutcome>;
  resolve(group: string, version: string, plural: string): ServedResource | undefined;
}

/** Every write resolves when it is durable. */
export function createRegistry(deps: RegistryDeps): Registry {
  const durable = async <T>(write: () => T): Promise<T> => {
    const result = write();
    await deps.store.committed();
    return result;
  };
  return {
    definitions: deps.definitions,
    deps,
    get: (target) => requireStored(deps, target),
    list: (target, request) => listObjects(deps, target, request),
    watch: (target, request, listener) => watchObjects(deps, target, { request, listener }),
    create: (target, request) => durable(() => createObject(deps, target, request)),
    update: (target, request) => durable(() => updateObject(deps, target, request)),
    patch: (target, request) => durable(() => patchObject(deps, target, request)),
    delete: (target, request) => durable(() => deleteObject(deps, target, request)),
    resolve: (group, version, plural) => deps.definitions.find(group, version, plural),
  };
}
