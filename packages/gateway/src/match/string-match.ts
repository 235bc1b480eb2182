/** Owns Istio's StringMatch: exact, prefix or regex. */
import type { Fields } from '../istio/fields.ts';
import { compileLinearPattern } from './linear-pattern.ts';

export type StringMatch =
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'prefix'; readonly value: string }
  | { readonly kind: 'regex'; readonly value: string; readonly pattern: RegExp };

/** Reads `{ exact | prefix | regex }`; more than one of them, none, or an unusable pattern is a problem. */
export function parseStringMatch(fields: Fields | undefined): StringMatch | undefined {
  if (fields === undefined) return undefined;
  const exact = fields.string('exact');
  const prefix = fields.string('prefix');
  const regex = fields.string('regex');
  fields.done();
  if ([exact, prefix, regex].filter((value) => value !== undefined).length !== 1) {
    fields.problem('exact', 'exactly one of exact, prefix and regex is needed');
    return undefined;
  }
  if (exact !== undefined) return { kind: 'exact', value: exact };
  if (prefix !== undefined) return { kind: 'prefix', value: prefix };
  return parseRegex(fields, regex ?? '');
}

function parseRegex(fields: Fields, regex: string): StringMatch | undefined {
  try {
    return { kind: 'regex', value: regex, pattern: compileLinearPattern(regex) };
  } catch (error) {
    fields.problem('regex', `cannot be used: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

export function matchesString(match: StringMatch, value: string): boolean {
  switch (match.kind) {
    case 'exact':
      return value === match.value;
    case 'prefix':
      return value.startsWith(match.value);
    case 'regex':
      return match.pattern.test(value);
  }
}
