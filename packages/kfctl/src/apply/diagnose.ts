/** Owns the explanation why a workload is not ready, for one look: what its pods say now. */
import { resources } from '@kfctl/kube';
import type { KubeClient, Pod, UnknownObject } from '@kfctl/kube';
import { createLastWords } from './last-words.ts';
import { crashingContainers, isSelected, podTroubles } from './pod-trouble.ts';

/** The troubles of a workload's pods; none where they are well, or cannot be read. */
export async function diagnose(client: Pick<KubeClient, 'list' | 'logs'>, workload: UnknownObject): Promise<string[]> {
  const { namespace = '' } = workload.metadata;
  const pods = await client.list<Pod>(resources.pods, { namespace }).catch(() => undefined);
  const own = (pods?.items ?? []).filter((pod) => isSelected(pod, workload));
  const lastWords = createLastWords(client);
  await lastWords.read(own.flatMap(crashingContainers));
  return podTroubles(own, lastWords.of);
}
