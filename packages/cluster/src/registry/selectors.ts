/** Owns label and field selectors: their grammar, their errors, and matching. */
import { asObject, asString, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import { labelValueErrors } from './name-rules.ts';
import { badRequest } from './status-error.ts';

export type LabelMatch = (labels: Readonly<Record<string, string>> | undefined) => boolean;

interface Requirement {
  readonly key: string;
  readonly operator: 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';
  readonly values: readonly string[];
}

const MAX_SELECTOR_LENGTH = 16_384;
const TOKEN = /\s*(=>|==|!=|[=!<>(),]|[^\s=!<>(),]+)\s*/y;

/** Parses `a=b,c!=d,e in (f,g),h notin (i),j,!k`; throws 400 with the reason. */
export function parseLabelSelector(text: string): LabelMatch {
  if (text.trim() === '') return () => true;
  const requirements = parseRequirements(text);
  return (labels) => requirements.every((requirement) => matches(requirement, labels));
}

function parseRequirements(text: string): Requirement[] {
  const tokens = tokenize(text);
  const requirements: Requirement[] = [];
  let position = 0;
  const next = (): string | undefined => tokens[position++];
  for (;;) {
    requirements.push(parseRequirement(next, () => tokens[position]));
    const separator = next();
    if (separator === undefined) return requirements;
    if (separator !== ',') throw unparsable(`found '${separator}', expected: ',' or 'end of string'`);
  }
}

function tokenize(text: string): string[] {
  if (text.length > MAX_SELECTOR_LENGTH) throw badRequest('selector is too long');
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const found = TOKEN.exec(text);
    if (found?.[1] === undefined) throw unparsable('unexpected character');
    tokens.push(found[1]);
  }
  return tokens;
}

function parseRequirement(next: () => string | undefined, peek: () => string | undefined): Requirement {
  const first = next();
  if (first === '!') return { key: requireKey(next()), operator: '!', values: [] };
  const key = requireKey(first);
  const following = peek();
  if (following === undefined || following === ',') return { key, operator: 'exists', values: [] };
  const operator = next() ?? '';
  if (operator === 'in' || operator === 'notin') return { key, operator, values: parseValues(next) };
  if (operator === '>' || operator === '<')
    return { key, operator: operator === '>' ? 'gt' : 'lt', values: [parseValue(next, peek)] };
  if (operator !== '=' && operator !== '==' && operator !== '!=') {
    throw unparsable(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`);
  }
  return { key, operator: operator === '!=' ? 'notin' : 'in', values: [parseValue(next, peek)] };
}

function parseValue(next: () => string | undefined, peek: () => string | undefined): string {
  const following = peek();
  return following === undefined || following === ',' ? '' : requireValue(next() ?? '');
}

function requireValue(token: string): string {
  if (labelValueErrors(token).length === 0) return token;
  throw unparsable(`values[0]: Invalid value: ${JSON.stringify(token)}: ${labelValueErrors(token).join('; ')}`);
}

function parseValues(next: () => string | undefined): string[] {
  if (next() !== '(') throw unparsable("expected: '('");
  const values: string[] = [];
  let last = ',';
  for (;;) {
    const token = next();
    if (token === undefined) throw unparsable("found '', expected: ',', or ')'");
    if (token === ')' || token === ',') {
      if (last === ',') values.push('');
      if (token === ')') return values;
    } else values.push(requireValue(token));
    last = token;
  }
}

function requireKey(token: string | undefined): string {
  if (token !== undefined && /^[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?$/.test(token)) return token;
  throw unparsable(`found '${token ?? ''}', expected: identifier`);
}

function unparsable(why: string): Error {
  return badRequest(`unable to parse requirement: ${why}`);
}

function matches(requirement: Requirement, labels: Readonly<Record<string, string>> | undefined): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
  switch (requirement.operator) {
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'in':
      return value !== undefined && requirement.values.includes(value);
    case 'notin':
      return value === undefined || !requirement.values.includes(value);
    case 'gt':
    case 'lt': {
      const [a, b] = [Number(value ?? Number.NaN), Number(requirement.values[0] ?? Number.NaN)];
      return requirement.operator === 'gt' ? a > b : a < b;
    }
  }
}

/** Matches a metav1.LabelSelector; an absent one matches nothing, an empty one everything. */
export function matchesLabelSelector(selector: unknown, labels: Readonly<Record<string, string>> | undefined): boolean {
  if (selector === undefined || selector === null) return false;
  for (const [key, value] of Object.entries(asObject(valueAt(selector, 'matchLabels')))) {
    if (!matches({ key, operator: 'in', values: [asString(value)] }, labels)) return false;
  }
  const expressions = valueAt(selector, 'matchExpressions');
  return !Array.isArray(expressions) || expressions.every((expression) => matchesExpression(expression, labels));
}

const OPERATORS: Readonly<Record<string, Requirement['operator']>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

function matchesExpression(expression: unknown, labels: Readonly<Record<string, string>> | undefined): boolean {
  const operator = OPERATORS[asString(valueAt(expression, 'operator'))];
  const values = valueAt(expression, 'values');
  if (operator === undefined) return false;
  const texts = Array.isArray(values) ? values.map(asString) : [];
  return matches({ key: asString(valueAt(expression, 'key')), operator, values: texts }, labels);
}

export interface FieldRequirement {
  readonly path: string;
  readonly equals: boolean;
  readonly value: string;
}

/** Parses `metadata.name=a,status.phase!=Running`. */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  if (text.length > MAX_SELECTOR_LENGTH) throw badRequest('selector is too long');
  return splitUnescaped(text)
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const found = /^([^=!]+?)\s*(==|=|!=)\s*(.*)$/s.exec(part.trim());
      if (found === null) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
      const [, path = '', operator, value = ''] = found;
      return { path, equals: operator !== '!=', value: value.replaceAll(/\\(.)/gs, '$1') };
    });
}

function splitUnescaped(text: string): string[] {
  return text.match(/(?:\\.|[^,\\])+/gs) ?? [];
}

/** Fields that every kind can be selected by. */
const COMMON_FIELDS = ['metadata.name', 'metadata.namespace'];

/** Fields of built-in kinds by their plural name; a custom resource has the common ones only. */
const KIND_FIELDS: Readonly<Record<string, readonly string[]>> = {
  '/pods': [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  '/events': [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  'events.k8s.io/events': [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'reason',
    'type',
    'regarding.kind',
    'regarding.name',
    'regarding.namespace',
    'regarding.uid',
    'reportingController',
  ],
  '/namespaces': ['status.phase', 'name'],
  '/nodes': ['spec.unschedulable'],
  '/secrets': ['type'],
  '/services': ['spec.clusterIP', 'spec.type'],
  '/replicationcontrollers': ['status.replicas'],
  'apps/replicasets': ['status.replicas'],
  'batch/jobs': ['status.successful'],
};

const ALIASES: Readonly<Record<string, string>> = {
  source: 'source.component',
  name: 'metadata.name',
  'status.successful': 'status.succeeded',
};

/** A matcher for one kind; 400 for a field that the kind cannot be selected by. */
export function createFieldMatch(
  requirements: readonly FieldRequirement[],
  resource: { readonly group: string; readonly plural: string; readonly selectable?: readonly string[] },
): ((object: JsonObject) => boolean) | undefined {
  if (requirements.length === 0) return undefined;
  const allowed = new Set([
    ...COMMON_FIELDS,
    ...(KIND_FIELDS[`${resource.group}/${resource.plural}`] ?? []),
    ...(resource.selectable ?? []),
  ]);
  for (const { path } of requirements) {
    if (!allowed.has(path)) throw badRequest(`field label not supported: ${path}`);
  }
  return (object) =>
    requirements.every(({ path, equals, value }) => (fieldText(object, ALIASES[path] ?? path) === value) === equals);
}

function fieldText(object: JsonObject, path: string): string {
  const value = valueAt(object, ...path.split('.'));
  if (value === undefined || value === null)
    return path === 'status.replicas' || path === 'status.succeeded'
      ? '0'
      : path === 'spec.unschedulable'
        ? 'false'
        : '';
  return String(value as string | number | boolean);
}
