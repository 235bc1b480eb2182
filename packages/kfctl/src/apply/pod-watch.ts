/** Owns what pods tell while their workloads are waited for: it follows them, and adds their troubles to the reasons. */
import { silentLogger } from '@kfctl/core';
import { createInformer, resources } from '@kfctl/kube';
import type { Informer, KubeClient, Pod, UnknownObject } from '@kfctl/kube';
import { createLastWords } from './last-words.ts';
import { crashingContainers, isSelected, podTroubles } from './pod-trouble.ts';
import type { Evidence, Readiness } from './wait-for.ts';

type Check = (object: UnknownObject | undefined) => Readiness;

export interface PodWatch extends Evidence {
  /** The same check; while it waits, its reason names the pods' troubles. */
  explain(check: Check): Check;
}

/** Follows the pods of namespaces. */
export function createPodWatch(
  client: Pick<KubeClient, 'list' | 'watch' | 'logs'>,
  namespaces: ReadonlySet<string>,
): PodWatch {
  const lastWords = createLastWords(client);
  const informers: Informer<Pod>[] = [...namespaces].map((namespace) =>
    createInformer({ client, type: resources.pods, namespace, log: silentLogger, maxBackoffMs: 2000 }),
  );
  const podsOf = (workload: UnknownObject): Pod[] =>
    informers.flatMap((informer) => informer.list().filter((pod) => isSelected(pod, workload)));
  return {
    follow: (signal, changed) => {
      for (const informer of informers) {
        informer.onChange((pod) => {
          changed();
          if (pod === undefined || signal.aborted) return;
          void lastWords.read(crashingContainers(pod)).then((learnt) => {
            if (learnt && !signal.aborted) changed();
          });
        });
        informer.start(signal);
      }
    },
    explain: (check) => (object) => {
      const readiness = check(object);
      if (readiness.kind !== 'waiting' || object === undefined) return readiness;
      const troubles = podTroubles(podsOf(object), lastWords.of);
      return troubles.length === 0
        ? readiness
        : { ...readiness, reason: `${troubles.join('; ')} (${readiness.reason})` };
    },
  };
}
