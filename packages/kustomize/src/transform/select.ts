/** Selectors of patches and replacements: patterns for group, version, kind, name and namespace, and label and annotation selectors. */

import { KustomizeError } from '../errors.ts';
import type { Selector } from '../kustomization/kustomization.ts';
import { effectiveNamespace } from '../resource/identity.ts';
import type { Resource } from '../resource/resource.ts';
import { wholeMatcher } from './go-regexp.ts';

/** The resources that the selector matches, by their original or current name and namespace. */
export function selectResources(resources: readonly Resource[], selector: Selector): Resource[] {
  const namespace = wholeMatcher(selector.namespace, 'target.namespace');
  const name = wholeMatcher(selector.name, 'target.name');
  const group = wholeMatcher(selector.group, 'target.group');
  const version = wholeMatcher(selector.version, 'target.version');
  const kind = wholeMatcher(selector.kind, 'target.kind');
  const labels = parseLabelSelector(selector.labelSelector);
  const annotations = parseLabelSelector(selector.annotationSelector);
  return resources.filter((resource) => {
    const current = resource.currentId();
    const original = resource.originalId();
    if (!namespace(effectiveNamespace(original)) && !namespace(effectiveNamespace(current))) return false;
    if (!name(original.name) && !name(current.name)) return false;
    if (!group(current.group) || !version(current.version) || !kind(current.kind)) return false;
    return labels(resource.labels()) && annotations(resource.annotations());
  });
}

export type EntryTest = (entries: ReadonlyMap<string, string>) => boolean;

const key = String.raw`([A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?)`;
const value = String.raw`([-A-Za-z0-9_.]*)`;
const requirements: readonly (readonly [RegExp, (name: string, values: string) => EntryTest])[] = [
  [new RegExp(String.raw`^!\s*${key}$`, 'u'), (name) => (entries) => !entries.has(name)],
  [new RegExp(`^${key}$`, 'u'), (name) => (entries) => entries.has(name)],
  [new RegExp(String.raw`^${key}\s*==?\s*${value}$`, 'u'), (name, wanted) => (entries) => entries.get(name) === wanted],
  [new RegExp(String.raw`^${key}\s*!=\s*${value}$`, 'u'), (name, wanted) => (entries) => entries.get(name) !== wanted],
  [new RegExp(String.raw`^${key}\s+in\s*\(([^()]*)\)$`, 'u'), (name, list) => isIn(name, splitValues(list), true)],
  [new RegExp(String.raw`^${key}\s+notin\s*\(([^()]*)\)$`, 'u'), (name, list) => isIn(name, splitValues(list), false)],
  [
    new RegExp(String.raw`^${key}\s*>\s*(-?\d+)$`, 'u'),
    (name, limit) => (entries) => compare(entries.get(name), Number(limit)) > 0,
  ],
  [
    new RegExp(String.raw`^${key}\s*<\s*(-?\d+)$`, 'u'),
    (name, limit) => (entries) => compare(entries.get(name), Number(limit)) < 0,
  ],
];

function splitValues(list: string): ReadonlySet<string> {
  return new Set(list.split(',').map((part) => part.trim()));
}

function isIn(name: string, values: ReadonlySet<string>, wanted: boolean): EntryTest {
  return (entries) => {
    const found = entries.get(name);
    return found === undefined ? !wanted : values.has(found) === wanted;
  };
}

function compare(text: string | undefined, limit: number): number {
  return text === undefined || !/^[-+]?\d+$/u.test(text) ? 0 : Number(text) - limit;
}

/** A label selector (`a=b,c!=d,e in (x,y),!f`) as a test; an empty one matches everything. */
export function parseLabelSelector(selector: string): EntryTest {
  if (selector.trim() === '') return () => true;
  const tests = splitRequirements(selector).map((text) => parseRequirement(text, selector));
  return (entries) => tests.every((test) => test(entries));
}

function splitRequirements(selector: string): string[] {
  return selector.split(/,(?![^()]*\))/u).map((part) => part.trim());
}

function parseRequirement(text: string, selector: string): EntryTest {
  for (const [pattern, make] of requirements) {
    const match = pattern.exec(text);
    if (match !== null) return make(match[1] ?? '', match[2] ?? '');
  }
  throw new KustomizeError('KUSTOMIZATION_INVALID', `unable to parse the selector '${selector}' at '${text}'`, {
    field: 'labelSelector',
  });
}
