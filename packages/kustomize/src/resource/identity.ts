/** What names a Kubernetes object: group, version, kind, name, namespace, and whether its type lives in namespaces. */

import { clusterScopedTypes } from '../schema/scopes.ts';

export interface Type {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** A type in which an empty field means "any". */
export type TypeSelector = Type;

export interface ResourceId extends Type {
  readonly name: string;
  readonly namespace: string;
}

export const defaultNamespace = 'default';
const noNamespace = '_non_namespaceable_';

export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  if (slash >= 0) return { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
  return apiVersion === 'builtin' ? { group: apiVersion, version: '' } : { group: '', version: apiVersion };
}

export function apiVersionOf(type: Type): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

/** True only for types that are known to live outside namespaces. */
export function isClusterScoped(type: Type): boolean {
  return clusterScopedTypes.has(`${apiVersionOf(type)}/${type.kind}`);
}

/** Namespace for comparisons: an unset one means `default`. */
export function effectiveNamespace(id: ResourceId): string {
  if (isClusterScoped(id)) return noNamespace;
  return id.namespace === '' ? defaultNamespace : id.namespace;
}

export function isSelectedBy(type: Type, selector: TypeSelector): boolean {
  return (
    (selector.kind === '' || selector.kind === type.kind) &&
    (selector.group === '' || selector.group === type.group) &&
    (selector.version === '' || selector.version === type.version)
  );
}

/** Equal keys mean the same object. */
export function idKey(id: ResourceId): string {
  return `${id.group}\0${id.version}\0${id.kind}\0${id.name}\0${effectiveNamespace(id)}`;
}

export function sameId(left: ResourceId, right: ResourceId): boolean {
  return left.name === right.name && left.kind === right.kind && idKey(left) === idKey(right);
}

/** `Deployment.v1.apps/web.shop`, for messages. */
export function describeId(id: ResourceId): string {
  const type = [id.kind || '[noKind]', id.version || '[noVer]', id.group || '[noGrp]'].join('.');
  return `${type}/${id.name || '[noName]'}.${id.namespace || '[noNs]'}`;
}
