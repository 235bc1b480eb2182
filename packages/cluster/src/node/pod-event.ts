/** Owns the node's events about pods. */
import { recordEvent } from '@kfctl/kube';
import { quiet } from '../controllers/controller.ts';
import type { NodeDeps, PodEvent } from './node-deps.ts';
import type { LocalPod } from './pod/pod-spec.ts';

/** Records an event in the background; it is never worth waiting for. */
export function tellEvent(
  deps: Pick<NodeDeps, 'client' | 'log' | 'nodeName' | 'now'>,
  pod: LocalPod,
  event: PodEvent,
): void {
  const { client, nodeName, now } = deps;
  void recordEvent({
    client,
    log: quiet(deps.log),
    component: 'kubelet',
    host: nodeName,
    object: { ...pod, apiVersion: 'v1', kind: 'Pod' },
    now,
    ...event,
  });
}
