/** Owns watching the pods of single namespaces, each from the first time that somebody asks about it. */
import type { Pod } from '@kfctl/kube';
import type { PodSources, Source } from './sources.ts';

/** A pod's status changes all the time; nobody here looks at it. */
function labelsOf(pod: Pod | undefined): string | undefined {
  return pod && JSON.stringify(pod.metadata.labels);
}

/** `open` starts a watch of a namespace. */
export function createPodSources(open: (namespace: string) => Source<Pod>): PodSources {
  const opened = new Map<string, Source<Pod>>();
  const listeners: (() => void)[] = [];
  const notify = (): void => {
    for (const listener of listeners) listener();
  };
  return {
    onChange: (listener) => void listeners.push(listener),
    of(namespace) {
      const known = opened.get(namespace);
      if (known !== undefined) return known;
      const source = open(namespace);
      opened.set(namespace, source);
      source.onChange((pod, previous) => {
        if (labelsOf(pod) !== labelsOf(previous)) notify();
      });
      return source;
    },
  };
}
