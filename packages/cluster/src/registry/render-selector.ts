/** Owns the text form of label selectors. */
import { asArray, asObject, asString, valueAt } from '../schema/json.ts';

/** A LabelSelector as the query form: `a=b,c in (d,e)`. */
export function renderSelector(selector: unknown): string {
  const matches = asObject(valueAt(selector, 'matchLabels'));
  const plain = Object.entries(matches).map(([key, value]) => `${key}=${asString(value)}`);
  const expressions = asArray(valueAt(selector, 'matchExpressions')).map((item) => {
    const key = asString(valueAt(item, 'key'));
    const values = asArray(valueAt(item, 'values')).map(asString).toSorted().join(',');
    switch (valueAt(item, 'operator')) {
      case 'In':
        return `${key} in (${values})`;
      case 'NotIn':
        return `${key} notin (${values})`;
      case 'DoesNotExist':
        return `!${key}`;
      default:
        return key;
    }
  });
  return [...plain, ...expressions].toSorted().join(',');
}
