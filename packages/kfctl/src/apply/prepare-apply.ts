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
import { listLocalDeployments, readInventory } from './inventory.ts';
import type { InventoryEntry } from './inventory.ts';
import { isOurs, ownerOf } from './ownership.ts';
import type { Ownership } from './ownership.ts';

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
  readonly ownership: Ownership;
}

/** Builds, plans and reads; writes nothing. Throws when anything cannot be applied. */
export async function prepareApply({ app, client, server, options, listener }: PrepareInput): Promise<Prepared> {
  const applications = await buildApp(app, options.scope);
  listener.stage(`reaching ${server}`);
  const identity = await identifyCluster(client, server);
  const types = await createTypeFinder(client, applications);
  const base = planObjects(types, { applications, namespace: app.kfdef.namespace });
  const deployment = app.kfdef.name;
  const place = { deployment, namespace: app.kfdef.namespace };
  const inventory = (await readInventory(client, place)) ?? [];
  const ownership = { deployment, takenOver: await listLocalDeployments(client, place) };
  const present = await readLive(client, base);
  requireOwnership(base, present, ownership);
  const email = effectiveParameter(app, 'static_email');
  const { rotate = [] } = options;
  const credentials = await planCredentials({
    client,
    ownership,
    planned: base,
    email,
    password: options.password,
    rotate,
    clientId: effectiveParameter(app, 'client_id') ?? 'kubeflow-authservice-oidc',
  });
  credentials.warnings.forEach((text) => listener.warn(text));
  const certificate = await certificateInput({ client, app, ownership, planned: base });
  const profile = email === undefined ? undefined : planProfile(base, email, types);
  const own = [
    ...credentials.planned,
    ...(certificate === undefined
      ? []
      : await planCertificate({ ...certificate, renew: rotate.includes('certificate') })),
    ...(profile === undefined ? [] : [profile]),
  ];
  const planned = [...base, ...own].toSorted((left, right) => left.wave - right.wave);
  const before = new Map([...present, ...(await readLive(client, own))]);
  requireOwnership(own, before, ownership);
  warnOfTakeover(planned, before, { ownership, listener });
  const { generatedPassword } = credentials;
  return { identity, types, planned, before, inventory, email, generatedPassword, ownership };
}

function warnOfTakeover(
  planned: readonly PlannedObject[],
  before: LiveObjects,
  { ownership, listener }: { readonly ownership: Ownership; readonly listener: PrepareInput['listener'] },
): void {
  const owners = new Set(planned.map(({ id }) => before.get(keyOfId(id))).map((object) => object && ownerOf(object)));
  for (const owner of ownership.takenOver) {
    if (owners.has(owner)) listener.warn(`${ownership.deployment} takes over what kfctl up installed as ${owner}`);
  }
}

function requireOwnership(planned: readonly PlannedObject[], before: LiveObjects, ownership: Ownership): void {
  const others = planned.flatMap(({ id }) => {
    const object = before.get(keyOfId(id));
    const owner = object === undefined ? undefined : ownerOf(object);
    return object === undefined || owner === undefined || isOurs(object, ownership)
      ? []
      : [`${describeId(id)} (of ${owner})`];
  });
  if (others.length === 0) return;
  const shown = others.slice(0, 10).join(', ');
  throw kfctlError('OWNED_BY_OTHER', `${others.length} objects belong to another kfctl deployment: ${shown}`, {
    hint: 'Use the application directory that made them, or delete that deployment first: kfctl delete all',
  });
}
