/** Owns what comes before the first write of an apply: build, plan, credentials, what the cluster has, whose it is. */
import type { Secret } from '@kfctl/core';
import type { KubeClient } from '@kfctl/kube';
import type { App } from '../app/app-directory.ts';
import { effectiveParameter } from '../app/effective-parameter.ts';
import type { Scope } from '../app/scope.ts';
import { planCertificate } from '../credentials/plan-certificate.ts';
import { planCredentials } from '../credentials/plan-credentials.ts';
import type { Rotation } from '../credentials/rotation.ts';
import { kfctlError } from '../errors.ts';
import { buildApp } from '../plan/build-app.ts';
import { describeId, keyOfId } from '../plan/object-id.ts';
import { createTypeFinder, planObjects } from '../plan/plan.ts';
import type { PlannedObject, TypeFinder } from '../plan/plan.ts';
import { planProfile } from '../plan/user-profile.ts';
import { readLive } from './apply-waves.ts';
import type { LiveObjects } from './apply-waves.ts';
import { identifyCluster } from './cluster-identity.ts';
import type { ClusterIdentity } from './cluster-identity.ts';
import { certificateInput } from './gateway-certificate.ts';
import { readInventory } from './inventory.ts';
import type { InventoryEntry } from './inventory.ts';
import { ownerOf } from './ownership.ts';

export interface PrepareInput {
  readonly app: App;
  readonly client: KubeClient;
  /** Address of the API server, for messages. */
  readonly server: string;
  readonly options: {
    readonly scope: Scope;
    readonly password: Secret | undefined;
    readonly rotate?: readonly Rotation[];
  };
  readonly listener: { stage(text: string): void; warn(text: string): void };
}

/** Everything that an apply needs to know before it writes. */
export interface Prepared {
  readonly identity: ClusterIdentity;
  readonly types: TypeFinder;
  readonly planned: readonly PlannedObject[];
  readonly before: LiveObjects;
  readonly inventory: readonly InventoryEntry[];
  readonly email: string | undefined;
  readonly generatedPassword: Secret | undefined;
  readonly deployment: string;
}

/** Builds, plans and reads; writes nothing. Throws when anything cannot be applied. */
export async function prepareApply({ app, client, server, options, listener }: PrepareInput): Promise<Prepared> {
  const applications = await buildApp(app, options.scope);
  listener.stage(`reaching ${server}`);
  const identity = await identifyCluster(client, server);
  const types = await createTypeFinder(client, applications);
  const base = planObjects(types, { applications, namespace: app.kfdef.namespace });
  const deployment = app.kfdef.name;
  const inventory = (await readInventory(client, { deployment, namespace: app.kfdef.namespace })) ?? [];
  const email = effectiveParameter(app, 'static_email');
  const { rotate = [] } = options;
  const credentials = await planCredentials({
    client,
    deployment,
    planned: base,
    email,
    password: options.password,
    rotate,
    clientId: effectiveParameter(app, 'client_id') ?? 'kubeflow-authservice-oidc',
  });
  credentials.warnings.forEach((text) => listener.warn(text));
  const certificate = await certificateInput({ client, app, planned: base });
  const profile = email === undefined ? undefined : planProfile(base, email, types);
  const planned = [
    ...base,
    ...credentials.planned,
    ...(certificate === undefined
      ? []
      : await planCertificate({ ...certificate, renew: rotate.includes('certificate') })),
    ...(profile === undefined ? [] : [profile]),
  ].toSorted((left, right) => left.wave - right.wave);
  const before = await readLive(client, planned);
  requireOwnership(planned, before, deployment);
  const { generatedPassword } = credentials;
  return { identity, types, planned, before, inventory, email, generatedPassword, deployment };
}

function requireOwnership(planned: readonly PlannedObject[], before: LiveObjects, deployment: string): void {
  const others = planned.flatMap(({ id }) => {
    const object = before.get(keyOfId(id));
    const owner = object === undefined ? undefined : ownerOf(object);
    return owner === undefined || owner === deployment ? [] : [`${describeId(id)} (of ${owner})`];
  });
  if (others.length === 0) return;
  const shown = others.slice(0, 10).join(', ');
  throw kfctlError('OWNED_BY_OTHER', `${others.length} objects belong to another kfctl deployment: ${shown}`, {
    hint: 'Use the application directory that made them, or delete that deployment first: kfctl delete all',
  });
}
