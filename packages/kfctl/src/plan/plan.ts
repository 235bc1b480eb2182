/** Owns the plan of an apply: every object with its resource type and wave. It reads the cluster's discovery, nothing else. */
import type { KubeClient, ResourceType, UnknownObject } from '@kfctl/kube';
import { kfctlError } from '../errors.ts';
import { forServerSideApply } from './for-server-side-apply.ts';
import { describeId, groupOf, idOf, keyOfId } from './object-id.ts';
import type { ObjectId } from './object-id.ts';
import { waveOf } from './waves.ts';

export interface PlannedObject {
  readonly id: ObjectId;
  readonly application: string;
  readonly type: ResourceType;
  readonly object: UnknownObject;
  readonly wave: number;
}

export interface BuiltApplication {
  readonly name: string;
  readonly objects: readonly UnknownObject[];
}

export interface PlanInput {
  readonly applications: readonly BuiltApplication[];
  /** For namespaced objects that name none. */
  readonly namespace: string;
}

/** Plans all objects in wave order; throws `MANIFEST_INVALID` naming every object that cannot be planned. */
export function planObjects(types: TypeFinder, input: PlanInput): PlannedObject[] {
  const problems: string[] = [];
  const seen = new Map<string, string>();
  const planned: PlannedObject[] = [];
  for (const { name: application, objects } of input.applications) {
    for (const object of objects) {
      const problem = objectProblem(object);
      const type = problem === undefined ? types(object.apiVersion, object.kind) : undefined;
      if (problem !== undefined || type === undefined) {
        problems.push(
          `${application}: ${problem ?? `${describeId(idOf(object))}: the cluster knows no ${object.kind} of ${object.apiVersion}`}`,
        );
        continue;
      }
      const placed = forServerSideApply(withNamespace(object, type, input.namespace));
      const id = idOf(placed);
      const other = seen.get(keyOfId(id));
      if (other !== undefined) problems.push(`${application}: ${describeId(id)} is also in ${other}`);
      seen.set(keyOfId(id), application);
      planned.push({ id, application, type, object: placed, wave: waveOf(id) });
    }
  }
  if (problems.length > 0) {
    throw kfctlError(
      'MANIFEST_INVALID',
      `the applications cannot be applied:\n${problems.map((text) => `  - ${text}`).join('\n')}`,
      {
        hint: 'Add the application that brings the missing kinds, or correct the files below kustomize/.',
      },
    );
  }
  return planned.toSorted((left, right) => left.wave - right.wave);
}

/** Finds a kind in whatever version is served, the preferred one first. */
export const ANY_VERSION = '*';

export type TypeFinder = (apiVersion: string, kind: string) => ResourceType | undefined;

/** Finds resource types among what the cluster serves and what the CRDs of the plan will add. */
export async function createTypeFinder(
  client: Pick<KubeClient, 'discover'>,
  applications: readonly BuiltApplication[] = [],
): Promise<TypeFinder> {
  const known = new Map<string, ResourceType>();
  const planned = applications.flatMap(({ objects }) => objects.flatMap((object) => typesOfCrd(object)));
  for (const type of [...(await client.discover()), ...planned]) {
    known.set(typeKey(type.group, type.version, type.kind), type);
    const any = typeKey(type.group, ANY_VERSION, type.kind);
    if (!known.has(any)) known.set(any, type);
  }
  return (apiVersion, kind) =>
    known.get(typeKey(groupOf(apiVersion), apiVersion.slice(apiVersion.indexOf('/') + 1), kind));
}

function typeKey(group: string, version: string, kind: string): string {
  return `${group}/${version}/${kind}`;
}

interface CrdSpec {
  readonly group?: string;
  readonly scope?: string;
  readonly names?: { readonly kind?: string; readonly plural?: string };
  readonly versions?: readonly { readonly name?: string; readonly served?: boolean }[];
}

/** The types that a CustomResourceDefinition brings; none for other objects. */
export function typesOfCrd(object: UnknownObject): ResourceType[] {
  if (object.kind !== 'CustomResourceDefinition' || groupOf(object.apiVersion) !== 'apiextensions.k8s.io') return [];
  const spec = (object['spec'] ?? {}) as CrdSpec;
  return (spec.versions ?? [])
    .filter((version) => version.served === true)
    .map((version) => ({
      group: spec.group ?? '',
      version: version.name ?? '',
      kind: spec.names?.kind ?? '',
      plural: spec.names?.plural ?? '',
      namespaced: spec.scope === 'Namespaced',
    }));
}

function objectProblem(object: UnknownObject): string | undefined {
  if (typeof object.apiVersion !== 'string' || typeof object.kind !== 'string')
    return 'an object has no apiVersion or kind';
  if (typeof object.metadata?.name !== 'string' || object.metadata.name === '') return `a ${object.kind} has no name`;
  return undefined;
}

function withNamespace(object: UnknownObject, type: ResourceType, fallback: string): UnknownObject {
  const { namespace, ...metadata } = object.metadata;
  if (!type.namespaced) return { ...object, metadata };
  return { ...object, metadata: { ...metadata, namespace: namespace ?? fallback } };
}
