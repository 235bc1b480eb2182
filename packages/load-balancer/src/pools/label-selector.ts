/** Owns label selectors: reading them strictly, matching labels with them. */
import type { LabelSelector } from '@kfctl/kube';

export type Labels = Readonly<Record<string, string>>;

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

/** True when all requirements hold; the empty selector matches everything. */
export function matchesSelector({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([label, value]) => labels[label] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        default:
          return value === undefined;
      }
    })
  );
}

/** True when one of them matches. */
export function matchesAny(selectors: readonly LabelSelector[], labels: Labels): boolean {
  return selectors.some((selector) => matchesSelector(selector, labels));
}

/** The selector, or what is wrong with it. */
export function parseLabelSelector(value: unknown): LabelSelector | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'must be a label selector';
  const { matchLabels = {}, matchExpressions = [], ...rest } = value as Record<string, unknown>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) return `unknown field "${unknown}"; known are matchLabels and matchExpressions`;
  if (typeof matchLabels !== 'object' || matchLabels === null || Array.isArray(matchLabels))
    return 'matchLabels must be a mapping';
  if (!Object.values(matchLabels).every((text) => typeof text === 'string')) return 'matchLabels must hold texts';
  if (!Array.isArray(matchExpressions) || !matchExpressions.every(isRequirement))
    return `matchExpressions must hold key, operator (${OPERATORS.join(', ')}) and values`;
  return { matchLabels: matchLabels as Record<string, string>, matchExpressions };
}

function isRequirement(value: unknown): value is { key: string; operator: string; values?: string[] } {
  if (typeof value !== 'object' || value === null) return false;
  const { key, operator, values = [] } = value as Record<string, unknown>;
  const known = typeof key === 'string' && typeof operator === 'string' && OPERATORS.includes(operator);
  if (!known || !Array.isArray(values) || !values.every((item) => typeof item === 'string')) return false;
  return String(operator).endsWith('In') ? values.length > 0 : values.length === 0;
}
