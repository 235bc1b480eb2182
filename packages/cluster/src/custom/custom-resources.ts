/** Owns the served custom kinds: they follow the stored CustomResourceDefinitions, and a deleted one takes its objects along. */
import { asObject, asString, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import { finalizersOf, isBeingDeleted } from '../registry/object-meta.ts';
import type { Registry } from '../registry/registry.ts';
import { systemContext } from '../registry/request-context.ts';
import type { Target } from '../registry/registry-deps.ts';
import { StatusError } from '../registry/status-error.ts';
import { parseStored } from '../store/stored-object.ts';
import { CLEANUP_FINALIZER } from './crd-strategy.ts';
import { defineCustomResource } from './custom-definition.ts';

export const CRD_TABLE = 'apiextensions.k8s.io/customresourcedefinitions';

export interface CustomResources {
  /** To be called with every change of the store, in the turn of the change. */
  onWrite(table: string, object: JsonObject, change: 'stored' | 'removed'): void;
  /** Serves what the store holds at the start. */
  load(): void;
}

/** `registry` is asked late: the registry itself calls `onWrite`. */
export function createCustomResources(registry: () => Registry): CustomResources {
  const terminating = new Set<string>();
  const serve = (crd: JsonObject): void => {
    const definition = defineCustomResource(crd);
    registry().definitions.set(definition);
    if (!isBeingDeleted(crd)) return;
    terminating.add(definition.table);
    void cleanUp(registry(), crd);
  };
  return {
    onWrite(table, object, change) {
      if (table === CRD_TABLE) {
        if (change === 'stored') return serve(object);
        const spec = asObject(object['spec']);
        const plural = asString(valueAt(spec, 'names', 'plural'));
        terminating.delete(`${asString(spec['group'])}/${plural}`);
        return registry().definitions.remove(asString(spec['group']), plural);
      }
      if (change === 'removed' && terminating.has(table)) void cleanUpTable(registry(), table);
    },
    load() {
      for (const stored of registry().deps.store.list(CRD_TABLE)) serve(parseStored(stored));
    },
  };
}

async function cleanUpTable(registry: Registry, table: string): Promise<void> {
  if (registry.deps.store.count(table) > 0) return;
  const [group = '', plural = ''] = table.split('/');
  const stored = registry.deps.store.get(CRD_TABLE, '', `${plural}.${group}`);
  if (stored !== undefined) await cleanUp(registry, parseStored(stored));
}

/** Deletes the kind's objects; when none is left, lets the definition go. */
async function cleanUp(registry: Registry, crd: JsonObject): Promise<void> {
  const name = asString(valueAt(crd, 'metadata', 'name'));
  const definition = defineCustomResource(crd);
  const version = definition.versions[0];
  const served = version === undefined ? undefined : { definition, version };
  const context = systemContext('apiserver');
  try {
    const left = registry.deps.store.list(definition.table);
    if (served !== undefined) {
      for (const item of left) {
        await registry.delete({ served, namespace: item.namespace, name: item.name, subresource: '' }, { context });
      }
    }
    if (registry.deps.store.count(definition.table) > 0) return;
    const target = crdTarget(registry, name);
    if (target !== undefined) await registry.update(target, { context, produce: withoutFinalizer });
  } catch (error) {
    // Somebody else was faster: the next change of the kind's objects comes here again.
    if (!(error instanceof StatusError)) throw error;
  }
}

function crdTarget(registry: Registry, name: string): Target | undefined {
  const served = registry.resolve('apiextensions.k8s.io', 'v1', 'customresourcedefinitions');
  return served === undefined ? undefined : { served, namespace: '', name, subresource: '' };
}

function withoutFinalizer(crd: JsonObject): JsonObject {
  const finalizers = finalizersOf(crd).filter((name) => name !== CLEANUP_FINALIZER);
  return { ...crd, metadata: { ...asObject(crd['metadata']), finalizers } };
}
