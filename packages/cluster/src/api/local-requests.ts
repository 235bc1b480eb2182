/** Owns the requests that the in-process client makes: paths, queries, bodies. */
import type {
  ApplyOptions,
  DeleteOptions,
  KubeObject,
  ObjectPlace,
  PatchBody,
  RawRequest,
  ResourceType,
  WriteOptions,
} from '@kfctl/kube';

const PATCH_TYPES: Readonly<Record<PatchBody['kind'], string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
};

type Type = ResourceType<KubeObject>;

export function createRequest(type: Type, object: KubeObject, wanted: WriteOptions): RawRequest {
  return {
    method: 'POST',
    path: pathOf(type, { place: placeOf(wanted, object), query: writeQuery(wanted) }),
    body: object,
  };
}

export function replaceRequest(type: Type, object: KubeObject, wanted: WriteOptions): RawRequest {
  const { name } = object.metadata;
  const path = pathOf(type, { place: placeOf(wanted, object), name, wanted, query: writeQuery(wanted) });
  return { method: 'PUT', path, body: object };
}

export function patchRequest(
  type: Type,
  name: string,
  { patch, ...wanted }: { readonly patch: PatchBody } & WriteOptions,
): RawRequest {
  return {
    method: 'PATCH',
    path: pathOf(type, { place: wanted, name, wanted, query: writeQuery(wanted) }),
    body: patch.kind === 'json' ? patch.operations : patch.body,
    headers: { 'content-type': PATCH_TYPES[patch.kind] },
  };
}

export function applyRequest(type: Type, object: KubeObject, wanted: ApplyOptions): RawRequest {
  const { name } = object.metadata;
  const query = { ...writeQuery(wanted), ...(wanted.force === true ? { force: 'true' } : {}) };
  const path = pathOf(type, { place: placeOf(wanted, object), name, wanted, query });
  return { method: 'PATCH', path, body: object, headers: { 'content-type': 'application/apply-patch+yaml' } };
}

export function deleteRequest(type: Type, name: string, wanted: DeleteOptions): RawRequest {
  const body = {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    ...(wanted.propagation === undefined ? {} : { propagationPolicy: wanted.propagation }),
    ...(wanted.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: wanted.gracePeriodSeconds }),
    ...(wanted.preconditions === undefined ? {} : { preconditions: wanted.preconditions }),
    ...(wanted.dryRun === true ? { dryRun: ['All'] } : {}),
  };
  return { method: 'DELETE', path: pathOf(type, { place: wanted, name }), body };
}

function placeOf(wanted: ObjectPlace, object: KubeObject): ObjectPlace {
  const namespace = wanted.namespace ?? object.metadata.namespace;
  return namespace === undefined ? {} : { namespace };
}

interface PathParts {
  readonly place: ObjectPlace;
  readonly name?: string | undefined;
  readonly wanted?: WriteOptions;
  readonly query?: Readonly<Record<string, string>>;
}

function pathOf(type: ResourceType<KubeObject>, { place, name, wanted, query = {} }: PathParts): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const namespace =
    type.namespaced && place.namespace !== undefined ? `/namespaces/${encodeURIComponent(place.namespace)}` : '';
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  const subresource = wanted?.subresource === undefined ? '' : `/${wanted.subresource}`;
  const search = new URLSearchParams(query).toString();
  return `${root}${namespace}/${type.plural}${object}${subresource}${search === '' ? '' : `?${search}`}`;
}

function writeQuery(wanted: WriteOptions): Record<string, string> {
  return {
    ...(wanted.fieldManager === undefined ? {} : { fieldManager: wanted.fieldManager }),
    ...(wanted.dryRun === true ? { dryRun: 'All' } : {}),
  };
}
