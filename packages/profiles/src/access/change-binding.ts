/** Owns making and removing of bindings: both objects or none, and a change that broke off half-way can be repeated. */
import { resources } from '@kfctl/kube';
import type { KubeClient, KubeObject, ResourceType } from '@kfctl/kube';
import { refusal } from '../errors.ts';
import { authorizationPolicies } from '../istio/authorization-policy.ts';
import type { IstioNames } from '../istio/authorization-policy.ts';
import { OWNER_BINDING, OWNER_POLICY } from '../profile/desired-objects.ts';
import { bindingObjects, isMadeFor } from './binding.ts';
import type { Binding } from './binding.ts';

const WRITE = { fieldManager: 'kfam', force: true } as const;

/** Makes both objects, the policy first: the RoleBinding is what lists show, so a binding that is seen works. */
export async function createBinding(client: KubeClient, istio: IstioNames, binding: Binding): Promise<void> {
  const { policy, roleBinding } = bindingObjects(binding, istio);
  const place = { namespace: binding.namespace };
  const name = policy.metadata.name ?? '';
  const before = await client.get(authorizationPolicies, name, place);
  const applied = await client.apply(authorizationPolicies, policy, WRITE);
  try {
    await client.apply(resources.roleBindings, roleBinding, WRITE);
  } catch (error) {
    const { uid } = applied.metadata;
    if (before === undefined && uid !== undefined) {
      await client.delete(authorizationPolicies, name, { ...place, preconditions: { uid } }).catch(() => undefined);
    }
    throw error;
  }
}

/** Removes every object made for this binding, whatever its name (older tools named them otherwise); 404 when there is none. */
export async function deleteBinding(client: KubeClient, binding: Binding): Promise<void> {
  // Both lists first: what cannot be found out must not be done by halves.
  const [roleBindings, policies] = await Promise.all([
    madeFor(client, resources.roleBindings, binding),
    madeFor(client, authorizationPolicies, binding),
  ]);
  if (roleBindings.length + policies.length === 0) throw refusal(404, 'there is no such binding');
  for (const object of policies) await remove(client, authorizationPolicies, object);
  // Last, because lists show it: a deletion that broke off is still seen and can be repeated.
  for (const object of roleBindings) await remove(client, resources.roleBindings, object);
}

async function madeFor(
  client: KubeClient,
  type: ResourceType<KubeObject>,
  binding: Binding,
): Promise<readonly KubeObject[]> {
  const { items } = await client.list(type, { namespace: binding.namespace });
  // The owner's own access follows from the Profile.
  return items.filter(
    (object) =>
      isMadeFor(object, binding) && object.metadata.name !== OWNER_BINDING && object.metadata.name !== OWNER_POLICY,
  );
}

async function remove(client: KubeClient, type: ResourceType<KubeObject>, object: KubeObject): Promise<void> {
  const { name = '', namespace = '', uid } = object.metadata;
  await client.delete(type, name, { namespace, ...(uid === undefined ? {} : { preconditions: { uid } }) });
}
