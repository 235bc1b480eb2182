/** Owns the writing of one desired object; a role binding whose role changed is made anew, because its role cannot be changed. */
import { resources } from '@kfctl/kube';
import type { KubeClient, KubeObject, RoleBinding } from '@kfctl/kube';
import type { Desired } from './desired-objects.ts';
import { differs } from './differs.ts';

// Importing names of it loads Web Cryptography and more: megabytes in every process for nothing.
const { isDeepStrictEqual } = process.getBuiltinModule('node:util');

const FIELD_MANAGER = 'profile-controller';

/** True when something was written. */
export async function writeIfDifferent(client: KubeClient, { type, object }: Desired): Promise<boolean> {
  const { name = '', namespace = '' } = object.metadata;
  const present = await client.get(type, name, { namespace });
  if (!differs(present, object)) return false;
  if (present !== undefined && hasOtherRole(present, object)) {
    const { uid } = present.metadata;
    await client.delete(type, name, { namespace, ...(uid === undefined ? {} : { preconditions: { uid } }) });
  }
  await client.apply(type, object, { fieldManager: FIELD_MANAGER, force: true });
  return true;
}

function hasOtherRole(present: KubeObject, desired: KubeObject): boolean {
  if (desired.kind !== resources.roleBindings.kind) return false;
  return !isDeepStrictEqual((present as RoleBinding).roleRef, (desired as RoleBinding).roleRef);
}
