/** Owns the URL paths of API resources; names are judged here so that no name can climb out of its place. */
import { AppError } from '@kfctl/core';
import { apiVersionOf } from './object.ts';
import type { KubeObject, ResourceType } from './object.ts';

export interface PathParts {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

/** `/api/v1/namespaces/NS/pods/NAME/log`, `/apis/GROUP/VERSION/PLURAL/NAME` … */
export function resourcePath(type: ResourceType<KubeObject>, parts: PathParts = {}): string {
  const root = type.group === '' ? '/api' : '/apis';
  const place = type.namespaced && parts.namespace ? `/namespaces/${segment(parts.namespace, 'namespace')}` : '';
  const name = parts.name === undefined ? '' : `/${segment(parts.name, `name of a ${type.kind}`)}`;
  const subresource = parts.subresource
    ? `/${parts.subresource
        .split('/')
        .map((part) => segment(part, 'subresource'))
        .join('/')}`
    : '';
  return `${root}/${apiVersionOf(type)}${place}/${type.plural}${name}${subresource}`;
}

/** The namespace that one object of a namespaced type needs; throws `KUBE_NAMESPACE_REQUIRED` when there is none. */
export function requireNamespace(type: ResourceType<KubeObject>, namespace: string | undefined): string | undefined {
  if (!type.namespaced) return undefined;
  if (namespace) return namespace;
  throw new AppError('KUBE_NAMESPACE_REQUIRED', `a ${type.kind} lives in a namespace, and none was named`);
}

/** A query string from pairs; absent and empty values are left out. */
export function renderQuery(pairs: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(pairs)) {
    if (value !== undefined && value !== '' && value !== false) query.set(key, String(value));
  }
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

// The API server's own rule for path segments (apimachinery path.IsValidPathSegmentName).
function segment(value: string, what: string): string {
  if (value === '' || value === '.' || value === '..' || /[/%]/.test(value)) {
    throw new AppError('KUBE_NAME_INVALID', `${JSON.stringify(value)} cannot be the ${what}`, { status: 400 });
  }
  return encodeURIComponent(value);
}
