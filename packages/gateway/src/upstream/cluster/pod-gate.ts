/** Owns waiting for the pods that subsets are made of: routes to a subset are of no use before. */
import type { PodSources } from '../../istio/sources.ts';

export interface PodGate {
  /** Starts to watch the pods of these namespaces. Undefined: all are known; otherwise it resolves when they are, or were waited for long enough. */
  wait(namespaces: Iterable<string>): Promise<void> | undefined;
}

/** A namespace whose pods cannot be listed in time is not waited for again. */
export function createPodGate(pods: Pick<PodSources, 'of'>, timeoutMs: number): PodGate {
  const settled = new Set<string>();
  const waiting = new Map<string, Promise<void>>();
  const settle = async (namespace: string): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
    await Promise.race([pods.of(namespace).synced, patience]).catch(() => undefined);
    clearTimeout(timer);
    settled.add(namespace);
    waiting.delete(namespace);
  };
  const waitFor = (namespace: string): Promise<void> => {
    const begun = waiting.get(namespace) ?? settle(namespace);
    waiting.set(namespace, begun);
    return begun;
  };
  return {
    wait(namespaces) {
      const missing = [...namespaces].filter((namespace) => !settled.has(namespace));
      return missing.length === 0 ? undefined : Promise.all(missing.map(waitFor)).then(() => undefined);
    },
  };
}
