/** Owns RBAC rules: what one rule allows, and whether a set of rules covers another. */
import { asArray, asObject, asString } from '../schema/json.ts';

export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

export interface ResourceAttributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
}

export function parseRules(value: unknown): PolicyRule[] {
  return asArray(value).map((item) => {
    const rule = asObject(item);
    const strings = (field: string): string[] => asArray(rule[field]).map(asString);
    return {
      verbs: strings('verbs'),
      apiGroups: strings('apiGroups'),
      resources: strings('resources'),
      resourceNames: strings('resourceNames'),
      nonResourceURLs: strings('nonResourceURLs'),
    };
  });
}

export function allowsResource(
  rule: PolicyRule,
  { verb, group, resource, subresource, name }: ResourceAttributes,
): boolean {
  if (!has(rule.verbs, verb) || !has(rule.apiGroups, group)) return false;
  if (!rule.resources.some((pattern) => matchesResource(pattern, resource, subresource))) return false;
  return rule.resourceNames.length === 0 || rule.resourceNames.includes(name);
}

function has(list: readonly string[], value: string): boolean {
  return list.includes('*') || list.includes(value);
}

function matchesResource(pattern: string, resource: string, subresource: string): boolean {
  if (pattern === '*') return true;
  if (subresource === '') return pattern === resource;
  return pattern === `${resource}/${subresource}` || pattern === `*/${subresource}`;
}

export function allowsPath(rule: PolicyRule, verb: string, path: string): boolean {
  if (!has(rule.verbs, verb)) return false;
  return rule.nonResourceURLs.some(
    (pattern) =>
      pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1))),
  );
}

/** The parts of `wanted` that no rule of `owned` covers; each part names one verb on one thing. */
export function uncoveredRules(owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(breakDown).filter((part) => !owned.some((rule) => covers(rule, part)));
}

const NOTHING: PolicyRule = { verbs: [], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: [] };

function breakDown(rule: PolicyRule): PolicyRule[] {
  const names = rule.resourceNames.length === 0 ? [[]] : rule.resourceNames.map((name) => [name]);
  const things = [
    ...rule.nonResourceURLs.map((url) => ({ ...NOTHING, nonResourceURLs: [url] })),
    ...rule.apiGroups.flatMap((group) =>
      rule.resources.flatMap((resource) =>
        names.map((resourceNames) => ({ ...NOTHING, apiGroups: [group], resources: [resource], resourceNames })),
      ),
    ),
  ];
  return rule.verbs.flatMap((verb) => things.map((thing) => ({ ...thing, verbs: [verb] })));
}

function covers(owner: PolicyRule, part: PolicyRule): boolean {
  const [verb = '', url] = [part.verbs[0], part.nonResourceURLs[0]];
  if (url !== undefined)
    return has(owner.verbs, verb) && owner.nonResourceURLs.some((pattern) => coversUrl(pattern, url));
  const [group = '', resource = '', name] = [part.apiGroups[0], part.resources[0], part.resourceNames[0]];
  if (!has(owner.verbs, verb) || !has(owner.apiGroups, group) || !coversResource(owner.resources, resource))
    return false;
  return owner.resourceNames.length === 0 || (name !== undefined && owner.resourceNames.includes(name));
}

function coversResource(owned: readonly string[], resource: string): boolean {
  if (owned.includes('*') || owned.includes(resource)) return true;
  const subresource = resource.split('/')[1];
  return subresource !== undefined && owned.includes(`*/${subresource}`);
}

function coversUrl(pattern: string, url: string): boolean {
  return pattern === '*' || pattern === url || (pattern.endsWith('*') && url.startsWith(pattern.slice(0, -1)));
}

/** `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]}` */
export function renderRule(rule: PolicyRule): string {
  const list = (name: string, values: readonly string[]): string[] =>
    values.length === 0 ? [] : [`${name}:${JSON.stringify(values).replaceAll('","', '" "')}`];
  return `{${[
    ...list('APIGroups', rule.apiGroups),
    ...list('Resources', rule.resources),
    ...list('ResourceNames', rule.resourceNames),
    ...list('NonResourceURLs', rule.nonResourceURLs),
    ...list('Verbs', rule.verbs),
  ].join(', ')}}`;
}
