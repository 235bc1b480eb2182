/** images: another name, tag or digest for the images of containers. */

import type { FieldSpec } from '../field/field-spec.ts';
import { overwriteScalar, visitField } from '../field/visit-field.ts';
import type { Image } from '../kustomization/kustomization.ts';
import type { Resource } from '../resource/resource.ts';
import { type Node, plainNode, textOf } from '../yaml/node.ts';
import { goRegExp } from './go-regexp.ts';

interface ImageParts {
  readonly name: string;
  readonly tag: string;
  readonly digest: string;
}

/** `[[host[:port]/]component/]component[:tag][@digest]` */
export function splitImage(image: string): ImageParts {
  const slash = Math.max(image.indexOf('/'), 0);
  const at = image.indexOf('@', slash);
  const colon = image.indexOf(':', slash);
  if (at >= 0 && (colon < 0 || at < colon)) return { name: image.slice(0, at), tag: '', digest: image.slice(at + 1) };
  if (colon < 0) return { name: image, tag: '', digest: '' };
  if (at < 0) return { name: image.slice(0, colon), tag: image.slice(colon + 1), digest: '' };
  return { name: image.slice(0, colon), tag: image.slice(colon + 1, at), digest: image.slice(at + 1) };
}

/** The image after the change; undefined when it is not the one that is meant. */
function changed(value: string, image: Image, pattern: RegExp): string | undefined {
  if (!pattern.test(value)) return undefined;
  const parts = splitImage(value);
  let { tag, digest } = parts;
  if (image.newTag !== '' || image.digest !== '') {
    tag = image.newTag;
    digest = image.digest;
  } else if (image.tagSuffix !== '') {
    tag += image.tagSuffix;
    digest = '';
  }
  const name = image.newName === '' ? parts.name : image.newName;
  return name + (tag === '' ? '' : `:${tag}`) + (digest === '' ? '' : `@${digest}`);
}

/** The image name is a regular expression, as it always was. */
function imagePattern(name: string): RegExp {
  return goRegExp(`^${name}(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$`, 'images.name');
}

export function setImage(resources: readonly Resource[], image: Image, specs: readonly FieldSpec[]): void {
  const pattern = imagePattern(image.name);
  const visit = (node: Node): void => {
    const value = node.kind === 'scalar' ? changed(node.value, image, pattern) : undefined;
    if (value !== undefined || node.kind !== 'scalar') overwriteScalar(node, plainNode(value ?? ''));
  };
  for (const resource of resources) {
    if (resource.kind === 'CustomResourceDefinition') continue;
    visitContainers(resource.node, visit);
    const type = resource.currentId();
    for (const spec of specs) visitField(resource.node, type, { spec, createKind: 'none', visit });
  }
}

/** Every `containers` and `initContainers` list, wherever it is (custom resources hold pod templates in many places). */
function visitContainers(node: Node, visit: (image: Node) => void): void {
  if (node.kind === 'scalar') return;
  if (node.kind === 'sequence') {
    for (const item of node.items) visitContainers(item, visit);
    return;
  }
  for (const [index, key] of node.keys.entries()) {
    const value = node.values[index];
    if (value === undefined) continue;
    if (key === 'containers' || key === 'initContainers') visitImages(value, visit);
    else visitContainers(value, visit);
  }
}

function visitImages(list: Node, visit: (image: Node) => void): void {
  if (list.kind !== 'sequence') return;
  for (const container of list.items) {
    const image = container.kind === 'map' ? container.get('image') : undefined;
    if (image?.kind === 'scalar' && textOf(image) !== '') visit(image);
  }
}
