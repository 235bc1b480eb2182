/** replacements: copies a field of one object into fields of others. */

import { KustomizeError } from '../errors.ts';
import type { FieldOptions, Replacement, ReplacementTarget, Selector } from '../kustomization/kustomization.ts';
import { type ResourceId, isSelectedBy } from '../resource/identity.ts';
import type { Resource } from '../resource/resource.ts';
import { type Node, type ScalarNode, copyNode, isEmpty, textOf } from '../yaml/node.ts';
import { followPath, splitFieldPath } from './follow-path.ts';
import { matchPath, replaceAt } from './match-path.ts';
import { parseLabelSelector } from './select.ts';

export function applyReplacement(resources: readonly Resource[], replacement: Replacement): void {
  const { source, targets } = replacement;
  if (source === undefined || targets === undefined) {
    throw new KustomizeError('REPLACEMENT_INVALID', 'replacements must specify a source and at least one target', {
      field: replacement.field,
    });
  }
  const value = readSource(resources, source);
  for (const target of targets) applyTarget(resources, target, value);
}

function idsOf(resource: Resource): ResourceId[] {
  return [resource.currentId(), ...resource.previousIds()];
}

/** Namespaces are compared by name alone here: objects outside namespaces count as `default`. */
function isSelected(id: ResourceId, selector: Selector): boolean {
  if (selector.name !== '' && selector.name !== id.name) return false;
  if (selector.namespace !== '' && selector.namespace !== (id.namespace || 'default')) return false;
  return isSelectedBy(id, selector);
}

function readSource(resources: readonly Resource[], source: NonNullable<Replacement['source']>): Node {
  const [found, second] = resources.filter((resource) => idsOf(resource).some((id) => isSelected(id, source)));
  const name = [source.kind, source.name].filter((part) => part !== '').join(' ');
  if (found === undefined || second !== undefined) {
    const reason = found === undefined ? 'nothing selected by' : 'multiple matches for selector';
    throw new KustomizeError('REPLACEMENT_INVALID', `${reason} ${name}`, { field: 'replacements.source' });
  }
  const path = source.fieldPath === '' ? 'metadata.name' : source.fieldPath;
  const node = followPath(found.node, splitFieldPath(path));
  if (node === undefined || isEmpty(node)) {
    throw new KustomizeError('REPLACEMENT_INVALID', `fieldPath \`${path}\` is missing for replacement source ${name}`, {
      field: 'replacements.source.fieldPath',
    });
  }
  return source.options === undefined || source.options.delimiter === '' ? node : pickPart(node, source.options);
}

function requireScalar(node: Node): ScalarNode {
  if (node.kind === 'scalar') return node;
  throw new KustomizeError('REPLACEMENT_INVALID', 'delimiter option can only be used with scalar nodes', {
    line: node.line,
  });
}

function pickPart(node: Node, options: FieldOptions): Node {
  const scalar = requireScalar(node);
  const part = scalar.value.split(options.delimiter)[options.index];
  if (part === undefined || options.index < 0) {
    throw new KustomizeError(
      'REPLACEMENT_INVALID',
      `options.index ${options.index} is out of bounds for value ${scalar.value}`,
    );
  }
  const copy = copyNode(scalar);
  copy.value = part;
  return copy;
}

function isWanted(resource: Resource, { select, reject }: ReplacementTarget): boolean {
  if (select === undefined)
    throw new KustomizeError('REPLACEMENT_INVALID', 'target must specify resources to select', {
      field: 'replacements.targets',
    });
  const hasLabels = (selector: Selector): boolean =>
    parseLabelSelector(selector.annotationSelector)(resource.annotations()) &&
    parseLabelSelector(selector.labelSelector)(resource.labels());
  if (!hasLabels(select)) return false;
  for (const selector of reject) {
    if ((selector.annotationSelector !== '' || selector.labelSelector !== '') && hasLabels(selector)) return false;
  }
  const ids = idsOf(resource);
  if (!ids.some((id) => isSelected(id, select))) return false;
  return !reject.some((selector) => !hasNoId(selector) && ids.some((id) => isSelected(id, selector)));
}

function hasNoId({ group, version, kind, name, namespace }: Selector): boolean {
  return [group, version, kind, name, namespace].every((part) => part === '');
}

function applyTarget(resources: readonly Resource[], target: ReplacementTarget, value: Node): void {
  const paths = target.fieldPaths.length === 0 ? ['metadata.name'] : target.fieldPaths;
  for (const resource of resources) {
    if (!isWanted(resource, target)) continue;
    for (const path of paths) {
      const creates = target.options?.create ?? false;
      const places = matchPath(resource.node, splitFieldPath(path), creates ? value.kind : undefined);
      if (places.length === 0) {
        const verb = creates ? 'find or create' : 'find';
        throw new KustomizeError(
          'REPLACEMENT_INVALID',
          `unable to ${verb} field "${path}" in replacement target ${resource.kind} ${resource.name}`,
          {
            field: 'replacements.targets.fieldPaths',
            hint: creates ? undefined : 'set options.create to make it',
          },
        );
      }
      for (const place of places) replaceAt(place, (old) => written(old, value, target.options));
    }
  }
}

/** What stands in a target field afterwards: a scalar keeps its type and takes the text. */
function written(old: Node, value: Node, options: FieldOptions | undefined): Node {
  let text = textOf(value);
  if (options !== undefined && options.delimiter !== '') {
    const parts = requireScalar(old).value.split(options.delimiter);
    if (options.index < 0) parts.unshift(text);
    else if (options.index >= parts.length) parts.push(text);
    else parts[options.index] = text;
    text = parts.join(options.delimiter);
  }
  if (old.kind !== 'scalar') return copyNode(value);
  old.value = text;
  return old;
}
