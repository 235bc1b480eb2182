/** Owns pods whose node does not exist (any more): nobody else will ever end them. */
import { resources } from '@kfctl/kube';
import type { ObjectKey } from '@kfctl/kube';
import { localPods } from '../../node/pod/pod-spec.ts';
import type { Controller, ControllerDeps } from '../controller.ts';

export function lostPodsController(deps: ControllerDeps): Controller {
  const pods = deps.informers.of(localPods);
  const all = (): ObjectKey[] =>
    pods.list().map(({ metadata }) => ({ name: metadata.name ?? '', namespace: metadata.namespace ?? '' }));
  return {
    name: 'lost-pods',
    watches: [{ type: localPods }, { type: resources.nodes, keys: all }],
    reconcile: async ({ name, namespace }) => {
      const pod = pods.get(name, namespace);
      const nodeName = pod?.spec.nodeName;
      if (pod === undefined || nodeName === undefined) return undefined;
      const known =
        deps.informers.of(resources.nodes).get(nodeName) ?? (await deps.client.get(resources.nodes, nodeName));
      if (known !== undefined) return undefined;
      const { uid = '' } = pod.metadata;
      await deps.client.delete(localPods, name, { namespace, gracePeriodSeconds: 0, preconditions: { uid } });
      return undefined;
    },
  };
}
