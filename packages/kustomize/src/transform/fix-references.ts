/** After renames: every field that names another object of the build gets that object's new name (and namespace, where it has one). */

import { KustomizeError } from '../errors.ts';
import type { FieldSpec } from '../field/field-spec.ts';
import type { NameReference } from '../field/name-references.ts';
import { visitField } from '../field/visit-field.ts';
import { setScalar } from '../resource/edit-node.ts';
import {
  type TypeSelector,
  defaultNamespace,
  describeId,
  effectiveNamespace,
  isClusterScoped,
  isSelectedBy,
} from '../resource/identity.ts';
import type { Resource } from '../resource/resource.ts';
import { type MapNode, type Node, isNull, plainNode, textOf } from '../yaml/node.ts';
import { compareTypes } from '../resource/type-order.ts';

interface Index {
  /** Objects by the names they had before; only renamed or moved ones can need a fix. */
  readonly byPreviousName: ReadonlyMap<string, readonly Resource[]>;
  /** For every original namespace, the namespaces in which its objects are now. */
  readonly moves: ReadonlyMap<string, ReadonlySet<string>>;
}

function addTo<K, V>(index: Map<K, V[]>, key: K, value: V): void {
  const list = index.get(key);
  if (list === undefined) index.set(key, [value]);
  else list.push(value);
}

function indexResources(resources: readonly Resource[]): Index {
  const byPreviousName = new Map<string, Resource[]>();
  const moves = new Map<string, string[]>();
  for (const resource of resources) {
    for (const name of new Set(resource.previous.map((id) => id.name))) addTo(byPreviousName, name, resource);
    addTo(moves, effectiveNamespace(resource.originalId()), resource.namespace);
  }
  return { byPreviousName, moves: new Map([...moves].map(([from, to]) => [from, new Set(to)])) };
}

interface Referrer {
  readonly resource: Resource;
  readonly namespace: string;
  readonly clusterScoped: boolean;
  /** Namespaces of the service accounts that a role binding names. */
  readonly subjectNamespaces: ReadonlySet<string>;
  readonly roleRef: TypeSelector | undefined;
}

function referrerOf(resource: Resource): Referrer {
  const id = resource.currentId();
  return {
    resource,
    namespace: effectiveNamespace(id),
    clusterScoped: isClusterScoped(id),
    subjectNamespaces: resource.kind === 'RoleBinding' ? subjectNamespaces(resource.node) : new Set(),
    roleRef: roleRefOf(resource.node),
  };
}

function subjectNamespaces(node: MapNode): Set<string> {
  const subjects = node.get('subjects');
  const namespaces = new Set<string>();
  if (subjects?.kind !== 'sequence') return namespaces;
  for (const subject of subjects.items) {
    if (subject.kind !== 'map' || textOf(subject.get('kind')) !== 'ServiceAccount') continue;
    const namespace = subject.get('namespace');
    if (namespace !== undefined) namespaces.add(textOf(namespace));
  }
  return namespaces;
}

function roleRefOf(node: MapNode): TypeSelector | undefined {
  const roleRef = node.get('roleRef');
  if (roleRef?.kind !== 'map' || roleRef.get('apiGroup') === undefined || roleRef.get('kind') === undefined)
    return undefined;
  return { group: textOf(roleRef.get('apiGroup')), version: '', kind: textOf(roleRef.get('kind')) };
}

/** Objects in other namespaces cannot be meant, with the exceptions that Kubernetes makes. */
function isReachable(candidate: Resource, referrer: Referrer): boolean {
  if (referrer.clusterScoped) return true;
  const id = candidate.currentId();
  if (isClusterScoped(id) || effectiveNamespace(id) === referrer.namespace) return true;
  return candidate.kind === 'ServiceAccount' && referrer.subjectNamespaces.has(candidate.namespace);
}

function wasSelected(candidate: Resource, selector: TypeSelector): boolean {
  return candidate.previousIds().some((id) => isSelectedBy(id, selector));
}

function sameEnding(left: readonly string[], right: readonly string[]): boolean {
  const [short, long] = left.length <= right.length ? [left, right] : [right, left];
  if (short.length === 0) return long.length === 0;
  return short.every((part, index) => part === long[long.length - short.length + index]);
}

function sharesAffixes(left: Resource, right: Resource, allowEmpty: boolean): boolean {
  const prefixes =
    (allowEmpty && (left.prefixes.length === 0 || right.prefixes.length === 0)) ||
    sameEnding(left.prefixes, right.prefixes);
  const suffixes =
    (allowEmpty && (left.suffixes.length === 0 || right.suffixes.length === 0)) ||
    sameEnding(left.suffixes, right.suffixes);
  return prefixes && suffixes;
}

interface Search {
  readonly referrer: Referrer;
  readonly target: TypeSelector;
  readonly spec: FieldSpec;
  readonly index: Index;
}

/** The object that an old name means; undefined when it means none of the build. */
function findReferral(name: string, search: Search, namespace: string | undefined): Resource | undefined {
  const { referrer, target, spec, index } = search;
  let candidates = (index.byPreviousName.get(name) ?? []).filter(
    (candidate) => isReachable(candidate, referrer) && wasSelected(candidate, target),
  );
  if (namespace !== undefined) candidates = inNamespace(candidates, namespace, search);
  const { roleRef } = referrer;
  if (roleRef !== undefined && spec.path.endsWith('roleRef/name'))
    candidates = candidates.filter((one) => wasSelected(one, roleRef));
  for (const allowEmpty of [true, false]) {
    if (candidates.length <= 1) break;
    candidates = candidates.filter((candidate) => sharesAffixes(candidate, referrer.resource, allowEmpty));
  }
  const [first] = candidates;
  if (first === undefined) return undefined;
  const same = candidates.every(
    (one) => one.name === first.name && (namespace === undefined || one.namespace === first.namespace),
  );
  if (same) return first;
  const list = candidates.map((candidate) => describeId(candidate.currentId())).join(', ');
  throw new KustomizeError(
    'REFERENCE_AMBIGUOUS',
    `'${name}' in ${describeId(referrer.resource.currentId())} may mean: ${list}`,
    {
      field: spec.path,
      hint: 'give the objects different names or prefixes',
    },
  );
}

/** Candidates that were in the namespace at first; when nothing in reach was, those that are in it now. */
function inNamespace(candidates: readonly Resource[], namespace: string, { referrer, index }: Search): Resource[] {
  const current = index.moves.get(namespace) ?? new Set<string>();
  const inReach = (now: string): boolean =>
    referrer.clusterScoped || (now || defaultNamespace) === referrer.namespace || referrer.subjectNamespaces.has(now);
  const useOriginal = [...current].some((now) => inReach(now));
  return candidates.filter((one) => effectiveNamespace(useOriginal ? one.originalId() : one.currentId()) === namespace);
}

function fixNode(node: Node, search: Search): void {
  if (isNull(node)) return;
  if (node.kind === 'sequence') {
    for (const item of node.items) fixNode(item, search);
    return;
  }
  if (node.kind === 'map') {
    fixNameAndNamespace(node, search);
    return;
  }
  const referral = findReferral(node.value, search, undefined);
  if (referral !== undefined && referral.name !== node.value) node.assign(plainNode(referral.name));
}

function fixNameAndNamespace(node: MapNode, search: Search): void {
  const name = node.get('name');
  if (name === undefined) {
    throw new KustomizeError('CONFIG_INVALID', "path config error; no 'name' field in node", {
      field: search.spec.path,
      line: node.line,
    });
  }
  const namespace = node.get('namespace');
  const referral = findReferral(textOf(name), search, namespace === undefined ? undefined : textOf(namespace));
  if (referral === undefined) return;
  if (referral.name === textOf(name) && referral.namespace === '') return;
  setScalar(node, 'name', plainNode(referral.name));
  if (referral.namespace !== '') setScalar(node, 'namespace', plainNode(referral.namespace));
}

interface Rule {
  readonly target: TypeSelector;
  readonly spec: FieldSpec;
}

/** Rules for each of the kinds. Where a field may name several types, the first type in the legacy order that has the name wins. */
function rulesByKind(
  references: readonly NameReference[],
  kinds: ReadonlySet<string>,
): ReadonlyMap<string, readonly Rule[]> {
  const rules = new Map<string, Rule[]>();
  for (const { target, referrers } of references.toSorted((left, right) => compareTypes(left.target, right.target))) {
    for (const spec of referrers) {
      for (const kind of spec.kind === '' ? kinds : [spec.kind]) addTo(rules, kind, { target, spec });
    }
  }
  return rules;
}

export function fixReferences(resources: readonly Resource[], references: readonly NameReference[]): void {
  const index = indexResources(resources);
  if (index.byPreviousName.size === 0) return;
  const rules = rulesByKind(references, new Set(resources.map((resource) => resource.originalId().kind)));
  for (const resource of resources) {
    const original = resource.originalId();
    const own = rules.get(original.kind);
    if (own === undefined) continue;
    const referrer = referrerOf(resource);
    const type = resource.currentId();
    for (const { target, spec } of own) {
      if (!isSelectedBy(original, spec)) continue;
      const visit = (node: Node): void => fixNode(node, { referrer, target, spec, index });
      visitField(resource.node, type, {
        spec: { ...spec, group: '', version: '', kind: '' },
        createKind: 'none',
        visit,
      });
    }
  }
}
