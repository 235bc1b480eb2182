/** Owns a source of keys that come from inside of the process: a timer, a child process, another part. */
import type { Informer, KubeObject, ObjectKey, ReconcileSource } from '@kfctl/kube';

export interface WakeUp {
  /** Makes the reconciler look at this key. */
  wake(key: ObjectKey): void;
  readonly source: ReconcileSource;
}

/** A reconcile source without objects of its own. */
export function createWakeUp(): WakeUp {
  const listeners = new Set<Parameters<Informer<KubeObject>['onChange']>[0]>();
  const informer: Informer<KubeObject> = {
    start: () => undefined,
    synced: Promise.resolve(),
    get: () => undefined,
    list: () => [],
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  return {
    wake({ name, namespace }) {
      const metadata = namespace === '' ? { name } : { name, namespace };
      for (const listener of listeners) listener({ apiVersion: 'v1', kind: 'Key', metadata }, undefined);
    },
    source: { informer },
  };
}
