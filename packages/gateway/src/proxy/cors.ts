/** Owns cross-origin answers (Fetch standard): which pages of other origins may read what a route answers. */
import { findField } from '@kfctl/http';
import type { FieldList } from '@kfctl/http';
import type { CorsPolicy } from '../istio/cors-policy.ts';
import { matchesString } from '../match/string-match.ts';
import type { RequestHead } from '../request/request-head.ts';

export type CorsVerdict =
  /** The route's own upstream decides. */
  | { readonly kind: 'none' }
  | { readonly kind: 'preflight'; readonly fields: FieldList }
  | { readonly kind: 'allowed'; readonly fields: FieldList };

const NONE: CorsVerdict = { kind: 'none' };

/** Judged after policies: preflights are authenticated like any request. */
export function judgeCors(policy: CorsPolicy | undefined, head: RequestHead): CorsVerdict {
  const origin = policy === undefined ? undefined : findField(head.fields, 'origin');
  if (policy === undefined || origin === undefined || origin === '') return NONE;
  const isPreflight =
    head.method === 'OPTIONS' && findField(head.fields, 'access-control-request-method') !== undefined;
  if (!policy.origins.some((match) => matchesOrigin(match, origin))) {
    return isPreflight && policy.endsPreflights ? { kind: 'preflight', fields: [] } : NONE;
  }
  const fields = ['access-control-allow-origin', origin, 'vary', 'origin'];
  if (policy.credentials) fields.push('access-control-allow-credentials', 'true');
  if (!isPreflight) {
    if (policy.exposed !== '') fields.push('access-control-expose-headers', policy.exposed);
    return { kind: 'allowed', fields };
  }
  if (policy.methods !== '') fields.push('access-control-allow-methods', policy.methods);
  if (policy.headers !== '') fields.push('access-control-allow-headers', policy.headers);
  if (policy.maxAgeSeconds !== undefined) fields.push('access-control-max-age', String(policy.maxAgeSeconds));
  return { kind: 'preflight', fields };
}

function matchesOrigin(match: CorsPolicy['origins'][number], origin: string): boolean {
  return (match.kind === 'exact' && match.value === '*') || matchesString(match, origin);
}
