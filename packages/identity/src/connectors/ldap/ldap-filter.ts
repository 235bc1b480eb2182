/**
 * Owns the filters that are sent. What a person typed becomes an assertion value of its own and is never pasted into filter
 * text: there is nothing to escape, so nothing can be escaped too little, too much, or twice.
 */
import { AndFilter, EqualityFilter, ExtensibleFilter, FilterParser, OrFilter } from 'ldapts';
import type { Filter } from 'ldapts';

/** `(&<filter>(attr=value))`, with `(|…)` over several attributes. */
export function searchFilter(filter: string, attributes: readonly string[], value: string): Filter {
  const assertions = attributes.map((attribute) => assertion(attribute, value));
  const [first] = assertions;
  const wanted = assertions.length === 1 && first !== undefined ? first : new OrFilter({ filters: assertions });
  return filter === '' ? wanted : new AndFilter({ filters: [FilterParser.parseString(filter), wanted] });
}

/** `member`, or with a matching rule `member:1.2.840.113556.1.4.1941:` (Active Directory: members of members too). */
function assertion(attribute: string, value: string): Filter {
  const [matchType = '', ...rules] = attribute.split(':').map((part) => part.trim());
  const named = rules.filter((rule) => rule !== '' && rule.toLowerCase() !== 'dn');
  if (rules.length === 0) return new EqualityFilter({ attribute: matchType, value });
  const dnAttributes = rules.some((rule) => rule.toLowerCase() === 'dn');
  return new ExtensibleFilter({ matchType, rule: named[0] ?? '', value, dnAttributes });
}
