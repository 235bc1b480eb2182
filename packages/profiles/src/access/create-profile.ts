/** Owns the making of profiles on request: for oneself where registration is open, for anybody by a cluster admin. */
import { resources } from '@kfctl/kube';
import type { Informer, KubeClient } from '@kfctl/kube';
import { refusal } from '../errors.ts';
import { nameObjection, ownerOf, profiles } from '../profile/profile.ts';
import type { Profile } from '../profile/profile.ts';
import type { Caller } from './identify-caller.ts';
import { isUserName } from './user-name.ts';

export interface CreateProfileRules {
  readonly client: Pick<KubeClient, 'get' | 'create'>;
  readonly known: Pick<Informer<Profile>, 'list'>;
  readonly registrationFlow: boolean;
  readonly profilesPerUser: number;
  readonly reservedNamespaces: readonly string[];
}

/** Creates the profile that the body asks for; 400 when it cannot be one, 403 when the caller may not, 409 when the name is taken. */
export async function createProfile(rules: CreateProfileRules, caller: Caller, body: unknown): Promise<string> {
  const profile = parseProfile(body);
  const name = profile.metadata.name ?? '';
  const objection = nameObjection(name, rules.reservedNamespaces);
  if (objection !== undefined) throw refusal(400, `the name ${JSON.stringify(name.slice(0, 80))} ${objection}`);
  if (!caller.isClusterAdmin) requireOwnRegistration(rules, caller, profile);
  // The controller refuses such a namespace too; but a Profile that can never be must not be made.
  if ((await rules.client.get(resources.namespaces, name)) !== undefined)
    throw refusal(409, `the name ${name} is taken`);
  await rules.client.create(profiles, profile, { fieldManager: 'kfam' });
  return name;
}

function requireOwnRegistration(rules: CreateProfileRules, caller: Caller, profile: Profile): void {
  if (!rules.registrationFlow) throw refusal(403, 'workspaces are made by an administrator here');
  if (ownerOf(profile) !== caller.user) throw refusal(403, 'a workspace can be made for yourself only');
  if (profile.spec?.resourceQuotaSpec !== undefined) throw refusal(403, 'only an administrator sets quotas');
  const owned = rules.known.list().filter((known) => ownerOf(known) === caller.user).length;
  if (owned >= rules.profilesPerUser)
    throw refusal(403, `you own ${owned} workspaces already; more are made by an administrator`);
}

/** A new object of the known fields only: no labels, finalizers or plugins come in by this way. */
function parseProfile(body: unknown): Profile {
  const fields = record(body);
  const spec = record(fields['spec']);
  const owner = record(spec['owner']);
  const name = record(fields['metadata'])['name'];
  if (typeof name !== 'string' || name === '') throw refusal(400, 'metadata.name is missing');
  if (owner['kind'] !== 'User' || typeof owner['name'] !== 'string' || !isUserName(owner['name'])) {
    throw refusal(400, 'spec.owner must be a User with the name of one person');
  }
  if (Array.isArray(spec['plugins']) && spec['plugins'].length > 0) throw refusal(400, 'plugins are not supported');
  const quota = spec['resourceQuotaSpec'];
  const hasQuota = Object.keys(record(quota)).length > 0;
  return {
    apiVersion: 'kubeflow.org/v1',
    kind: 'Profile',
    metadata: { name },
    spec: { owner: { kind: 'User', name: owner['name'] }, ...(hasQuota ? { resourceQuotaSpec: record(quota) } : {}) },
  };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}
