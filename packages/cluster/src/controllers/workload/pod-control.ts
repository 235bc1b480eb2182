/** Owns the making and removing of pods by controllers, with the events that tell of it. */
import { describeError } from '@kfctl/core';
import { isKubeError } from '@kfctl/kube';
import type { KubeObject } from '@kfctl/kube';
import { localPods } from '../../node/pod/pod-spec.ts';
import type { LocalPod } from '../../node/pod/pod-spec.ts';
import { tell } from '../controller.ts';
import type { ControllerDeps } from '../controller.ts';

export interface PodOwner {
  readonly object: KubeObject;
  /** Name of the controller, as events show it. */
  readonly component: string;
}

/** Creates a pod; a refusal is told in an event and thrown. */
export async function createPod(deps: ControllerDeps, owner: PodOwner, pod: LocalPod): Promise<LocalPod> {
  try {
    const created = await deps.client.create(localPods, pod);
    tell(deps, owner.component, {
      object: owner.object,
      type: 'Normal',
      reason: 'SuccessfulCreate',
      message: `Created pod: ${created.metadata.name}`,
    });
    return created;
  } catch (error) {
    if (!isKubeError(error, 'AlreadyExists')) {
      const message = `Error creating: ${describeError(error)}`;
      tell(deps, owner.component, { object: owner.object, type: 'Warning', reason: 'FailedCreate', message });
    }
    throw error;
  }
}

/** Deletes exactly this pod; fine when it is gone already. */
export async function deletePod(deps: ControllerDeps, owner: PodOwner, pod: LocalPod): Promise<void> {
  const { name = '', namespace = '', uid } = pod.metadata;
  try {
    const existed = await deps.client.delete(localPods, name, {
      namespace,
      preconditions: uid === undefined ? {} : { uid },
    });
    if (!existed) return;
    tell(deps, owner.component, {
      object: owner.object,
      type: 'Normal',
      reason: 'SuccessfulDelete',
      message: `Deleted pod: ${name}`,
    });
  } catch (error) {
    if (!isKubeError(error, 'Conflict')) throw error;
  }
}
