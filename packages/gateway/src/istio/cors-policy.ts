/** Owns reading of a VirtualService rule's corsPolicy. */
import { isFieldName } from '@kfctl/http';
import type { StringMatch } from '../match/string-match.ts';
import { parseStringMatch } from '../match/string-match.ts';
import type { Fields } from './fields.ts';

export interface CorsPolicy {
  readonly origins: readonly StringMatch[];
  readonly methods: string;
  readonly headers: string;
  readonly exposed: string;
  readonly maxAgeSeconds: number | undefined;
  readonly credentials: boolean;
  /** Preflights of other origins are answered here, without a permission; otherwise the upstream gets them. */
  readonly endsPreflights: boolean;
}

export function parseCorsPolicy(fields: Fields | undefined): CorsPolicy | undefined {
  if (fields === undefined) return undefined;
  const plain = (fields.strings('allowOrigin') ?? []).map((value): StringMatch => ({ kind: 'exact', value }));
  const matches = (fields.children('allowOrigins') ?? []).flatMap((child) => parseStringMatch(child) ?? []);
  const maxAgeMs = fields.durationMs('maxAge');
  const policy: CorsPolicy = {
    origins: [...plain, ...matches],
    methods: names(fields, 'allowMethods'),
    headers: names(fields, 'allowHeaders'),
    exposed: names(fields, 'exposeHeaders'),
    maxAgeSeconds: maxAgeMs === undefined ? undefined : Math.floor(maxAgeMs / 1000),
    credentials: fields.boolean('allowCredentials') ?? false,
    endsPreflights: parseUnmatched(fields),
  };
  fields.done();
  // Any page of the web could act as the user: browsers refuse the pair, and echoing the origin would walk around them.
  const isOpen = policy.origins.some(
    (match) => match.value === '*' || (match.kind !== 'exact' && /^(?:\.\*|https?:\/\/|)$/.test(match.value)),
  );
  if (isOpen && policy.credentials) fields.problem('allowCredentials', 'does not go with every origin');
  return policy;
}

function parseUnmatched(fields: Fields): boolean {
  const text = fields.string('unmatchedPreflights') ?? 'UNSPECIFIED';
  if (!['UNSPECIFIED', 'FORWARD', 'IGNORE'].includes(text))
    fields.problem('unmatchedPreflights', `"${text}" is not known`);
  return text === 'IGNORE';
}

function names(fields: Fields, name: string): string {
  const values = fields.strings(name) ?? [];
  for (const value of values)
    if (value !== '*' && !isFieldName(value)) fields.problem(name, `"${value}" is not a name`);
  return values.join(',');
}
