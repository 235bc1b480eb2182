/** Owns the installing user's Profile: a workspace that is really theirs. */
import type { UnknownObject } from '@kfctl/kube';
import type { PlannedObject, TypeFinder } from './plan.ts';
import { WAVE } from './waves.ts';

const API_VERSION = 'kubeflow.org/v1';

/** `kubeflow-<local part>` as a DNS label: ada.l+x@example.com -> kubeflow-ada-l-x. */
export function profileName(email: string): string {
  const local = email.slice(0, email.lastIndexOf('@')).toLowerCase();
  const label = local.replaceAll(/[^a-z0-9-]+/g, '-').replaceAll(/^-+|-+$/g, '');
  return `kubeflow-${label === '' ? 'user' : label}`.slice(0, 63).replace(/-+$/, '');
}

/** The Profile as a planned object; undefined when the plan does not bring Profiles. */
export function planProfile(
  planned: readonly PlannedObject[],
  email: string,
  types: TypeFinder,
): PlannedObject | undefined {
  const kind = planned.find(({ id }) => id.kind === 'CustomResourceDefinition' && id.name === 'profiles.kubeflow.org');
  const type = types(API_VERSION, 'Profile');
  if (kind === undefined || type === undefined) return undefined;
  const name = profileName(email);
  const object: UnknownObject = {
    apiVersion: API_VERSION,
    kind: 'Profile',
    metadata: { name },
    spec: { owner: { kind: 'User', name: email } },
  };
  const id = { group: type.group, kind: 'Profile', namespace: '', name };
  return { id, application: kind.application, type, object, wave: WAVE.rest };
}
