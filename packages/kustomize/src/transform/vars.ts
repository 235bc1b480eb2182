/** vars (deprecated): `$(NAME)` in the fields of the configuration stands for a field of another object. */

import { KustomizeError } from '../errors.ts';
import { type FieldSpec, splitEscaped } from '../field/field-spec.ts';
import { visitField } from '../field/visit-field.ts';
import type { Var } from '../kustomization/kustomization.ts';
import { type ResourceId, effectiveNamespace, isClusterScoped } from '../resource/identity.ts';
import type { Resource } from '../resource/resource.ts';
import { type Node, type ScalarNode, tags } from '../yaml/node.ts';
import { formatFloat } from '../yaml/format-number.ts';
import { scalarValue } from '../yaml/scalar-value.ts';
import { followPath } from './follow-path.ts';

/** A replacement for `$(NAME)`: text and the tag it has when it stands alone. */
interface VarValue {
  readonly text: string;
  readonly tag: string;
}

/** Marks the objects that vars read; an object that is read must be found once. */
export function markVars(resources: readonly Resource[], vars: readonly Var[]): void {
  for (const found of vars) {
    const [match, second] = resources.filter((resource) =>
      [...resource.previousIds(), resource.currentId()].some((id) => isTarget(id, found)),
    );
    if (second !== undefined) {
      throw new KustomizeError(
        'VAR_INVALID',
        `found several objects for var '${found.name}' (unable to disambiguate)`,
        {
          field: 'vars.objref',
          hint: 'name the namespace too',
        },
      );
    }
    match?.varNames.push(found.name);
  }
}

function isTarget(id: ResourceId, { target }: Var): boolean {
  if (id.name !== target.name || id.kind !== target.kind || id.group !== target.group || id.version !== target.version)
    return false;
  const exact = target.namespace !== '' || isClusterScoped(target);
  return !exact || effectiveNamespace(id) === effectiveNamespace(target);
}

/** Adds vars to those of other kustomizations; a name may be defined once. */
export function mergeVars(known: readonly Var[], added: readonly Var[]): Var[] {
  const merged = known.slice();
  for (const one of added) {
    if (merged.some((other) => other.name === one.name)) {
      throw new KustomizeError('VAR_INVALID', `var '${one.name}' already encountered`, { field: 'vars.name' });
    }
    merged.push(one);
  }
  return merged;
}

/** Replaces the vars; returns the names of those that nothing uses. */
export function resolveVars(
  resources: readonly Resource[],
  vars: readonly Var[],
  specs: readonly FieldSpec[],
): string[] {
  if (vars.length === 0) return [];
  const values = new Map(vars.map((one) => [one.name, readVar(resources, one)]));
  const used = new Set<string>();
  const visit = (node: Node): void => expandNode(node, { values, used });
  for (const resource of resources) {
    const type = resource.currentId();
    for (const spec of specs) visitField(resource.node, type, { spec, createKind: 'none', visit });
  }
  return vars.map((one) => one.name).filter((name) => !used.has(name));
}

function readVar(resources: readonly Resource[], found: Var): VarValue | undefined {
  const source = resources.find((resource) => resource.varNames.includes(found.name));
  if (source === undefined) {
    throw new KustomizeError(
      'VAR_INVALID',
      `var '${found.name}' cannot be mapped to a field in the set of known resources`,
      {
        field: 'vars.objref',
        hint: 'apiVersion, kind and name must be those of a resource',
      },
    );
  }
  const path = splitEscaped(found.fieldPath, '.').flatMap((part) => splitIndex(part));
  const node = followPath(source.node, path);
  if (node === undefined) {
    throw new KustomizeError(
      'VAR_INVALID',
      `field '${found.fieldPath}' of var '${found.name}' not found in ${source.kind} ${source.name}`,
      {
        field: 'vars.fieldref',
      },
    );
  }
  return node.kind === 'scalar' ? valueOf(node) : undefined;
}

/** `containers[0]` -> `containers`, `0` */
function splitIndex(part: string): string[] {
  const match = /^([^[\]]+)\[(\d+)\]$/u.exec(part);
  return match === null ? [part] : [match[1] ?? '', match[2] ?? ''];
}

function valueOf(node: ScalarNode): VarValue | undefined {
  const value = scalarValue(node);
  switch (value.kind) {
    case 'string':
      return { text: node.value, tag: tags.string };
    case 'integer':
      return { text: String(value.value), tag: tags.integer };
    case 'float':
      return { text: formatFloat(value.value), tag: tags.float };
    case 'boolean':
      return { text: String(value.value), tag: tags.boolean };
    case 'null':
      return undefined;
    default:
      return value satisfies never;
  }
}

interface Expansion {
  readonly values: ReadonlyMap<string, VarValue | undefined>;
  readonly used: Set<string>;
}

function isString(node: Node | undefined): node is ScalarNode {
  return node?.kind === 'scalar' && (node.tag === tags.string || node.tag === '');
}

function expandNode(node: Node, expansion: Expansion): void {
  if (isString(node)) {
    expandScalar(node, expansion);
  } else if (node.kind === 'map') {
    for (const value of node.values) if (isString(value)) expandScalar(value, expansion);
  } else if (node.kind === 'sequence') {
    for (const item of node.items) {
      if (!isString(item))
        throw new KustomizeError('VAR_INVALID', 'a list that may hold vars holds something that is no string', {
          line: item.line,
        });
      expandScalar(item, expansion);
    }
  }
}

const reference = /\$(?:\$|\(([^)]*)\)|\(|([\s\S]))/gu;

function expandScalar(node: ScalarNode, { values, used }: Expansion): void {
  node.quoted = false;
  node.folded = false;
  if (!node.value.includes('$')) {
    node.tag = tags.string;
    return;
  }
  const whole = /^\$\(([^)]*)\)$/u.exec(node.value);
  if (whole !== null) {
    const name = whole[1] ?? '';
    if (values.has(name)) used.add(name);
    const value = values.get(name);
    node.value = value?.text ?? node.value;
    node.tag = value?.tag ?? tags.string;
    return;
  }
  node.tag = tags.string;
  node.value = node.value.replace(reference, (text, name: string | undefined) => {
    if (text === '$$') return '$';
    if (name === undefined) return text;
    if (values.has(name)) used.add(name);
    return values.get(name)?.text ?? text;
  });
}
