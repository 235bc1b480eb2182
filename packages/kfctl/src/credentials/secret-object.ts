/** Owns Secrets as planned objects: what they are called, who reads them, what they hold. */
import { Secret } from '@kfctl/core';
import { resources } from '@kfctl/kube';
import type { KubeClient, ResourceType, SecretObject, UnknownObject } from '@kfctl/kube';
import { podReferences } from '../apply/checksum.ts';
import { isOurs } from '../apply/ownership.ts';
import type { Ownership } from '../apply/ownership.ts';
import type { PlannedObject } from '../plan/plan.ts';
import { WAVE } from '../plan/waves.ts';

export interface SecretPlace {
  readonly application: string;
  readonly namespace: string;
  readonly name: string;
}

/** A Secret as it is in the cluster; `foreign` ones were made by someone else and are never written. */
export interface PresentSecret {
  readonly values: ReadonlyMap<string, Secret>;
  readonly exists: boolean;
  readonly foreign: boolean;
}

/** Where pods of the plan expect a Secret of that name; undefined when none does. */
export function findReader(planned: readonly PlannedObject[], name: string): SecretPlace | undefined {
  return findReaders(planned, name)[0];
}

/** The same for a Secret that several namespaces share: one place for each of them. */
export function findReaders(planned: readonly PlannedObject[], name: string): readonly SecretPlace[] {
  const places = planned
    .filter(({ object }) => podReferences(object).has(`Secret/${name}`))
    .map(({ application, id }) => [id.namespace, { application, namespace: id.namespace, name }] as const);
  // The first of a namespace stays: Map keeps the last of a key.
  return [...new Map(places.toReversed()).values()].toReversed();
}

export async function readSecret(
  client: Pick<KubeClient, 'get'>,
  place: SecretPlace,
  ownership: Ownership,
): Promise<PresentSecret> {
  const object = await client.get(resources.secrets, place.name, { namespace: place.namespace });
  const values = new Map(
    Object.entries(object?.data ?? {}).map(([key, text]) => [
      key,
      new Secret(Buffer.from(text, 'base64').toString('utf8')),
    ]),
  );
  return { values, exists: object !== undefined, foreign: object !== undefined && !isOurs(object, ownership) };
}

export function planSecret(
  place: SecretPlace,
  values: Readonly<Record<string, Secret | string>>,
  type = 'Opaque',
): PlannedObject {
  const { application, namespace, name } = place;
  const data = Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      Buffer.from(typeof value === 'string' ? value : value.reveal()).toString('base64'),
    ]),
  );
  const object: SecretObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels: { 'app.kubernetes.io/managed-by': 'kfctl' } },
    type,
    data,
  };
  return {
    application,
    id: { group: '', kind: 'Secret', namespace, name },
    type: resources.secrets as unknown as ResourceType,
    object: object as unknown as UnknownObject,
    wave: WAVE.foundations,
  };
}
