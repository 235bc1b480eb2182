/** Owns the right to change a workspace: its owner's and the cluster admins', judged on the objects as they are now, not on a cache. */
import { resources } from '@kfctl/kube';
import type { KubeClient } from '@kfctl/kube';
import { refusal } from '../errors.ts';
import { belongsTo, nameObjection, ownerOf, profiles } from '../profile/profile.ts';
import type { Profile } from '../profile/profile.ts';
import type { Caller } from './identify-caller.ts';

export interface OwnerRules {
  readonly client: Pick<KubeClient, 'get'>;
  readonly reservedNamespaces: readonly string[];
}

/** The caller's profile, or any for a cluster admin; 403 in the same words whether it is absent or somebody else's. */
export async function requireProfileOwner(rules: OwnerRules, caller: Caller, name: string): Promise<Profile> {
  const objection = nameObjection(name, rules.reservedNamespaces);
  const profile = objection === undefined ? await rules.client.get(profiles, name) : undefined;
  const allowed = profile !== undefined && (caller.isClusterAdmin || ownerOf(profile) === caller.user);
  if (!allowed) throw refusal(403, `you are not the owner of ${objection === undefined ? name : 'this namespace'}`);
  return profile;
}

/**
 * Requires in addition that the namespace really is the profile's. A Profile object alone proves nothing: one that is named like a
 * namespace of somebody else must not open it.
 */
export async function requireWorkspaceOwner(rules: OwnerRules, caller: Caller, name: string): Promise<void> {
  const profile = await requireProfileOwner(rules, caller, name);
  const namespace = await rules.client.get(resources.namespaces, name);
  const ready =
    namespace !== undefined && namespace.metadata.deletionTimestamp === undefined && belongsTo(namespace, profile);
  if (!ready || profile.metadata.deletionTimestamp !== undefined) throw refusal(403, `${name} is not a workspace`);
}
