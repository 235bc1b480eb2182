/** Owns what a request's token is worth: RequestAuthentication says whose tokens count, a token that does not hold is 401. */
import type { JwtClaims } from '@kfctl/oidc';
import { findField, removeField, setField } from '@kfctl/http';
import type { JwtRule, RequestAuthenticationModel } from '../istio/request-authentication.ts';
import type { VerifiedToken } from '../policy/match-rule.ts';
import type { RequestHead } from '../request/request-head.ts';
import type { KeyStore } from './key-store.ts';

export type TokenVerdict =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'valid';
      readonly rule: JwtRule;
      readonly token: VerifiedToken;
      readonly place: TokenPlace;
      readonly payload: string;
    }
  | { readonly kind: 'invalid'; readonly reason: string };

interface TokenPlace {
  readonly text: string;
  readonly in: 'header' | 'parameter';
  readonly name: string;
}

const NONE: TokenVerdict = { kind: 'none' };
const TOLERANCE_SECONDS = 60;

/** Headers that RequestAuthentications set from claims: clients must not send them. */
export function claimHeaderNames(models: Iterable<RequestAuthenticationModel>): readonly string[] {
  return [...models].flatMap(({ rules }) =>
    rules.flatMap(({ claimHeaders, payloadHeader }) => [
      ...claimHeaders.map(({ header }) => header),
      ...(payloadHeader === undefined ? [] : [payloadHeader]),
    ]),
  );
}

/** Judges the tokens of a request. No token passes as nobody; a token that no rule knows or that does not verify is invalid. */
export async function checkToken(
  head: RequestHead,
  rules: readonly JwtRule[],
  keyStore: KeyStore,
): Promise<TokenVerdict> {
  const places = rules.flatMap((rule) => tokensFor(head, rule).map((place) => ({ rule, place })));
  if (places.length === 0) return NONE;
  // Loaded at the first token: most gateways accept none.
  const { decodeJwt } = await import('@kfctl/oidc');
  const own = places.find(({ rule, place }) => decodeJwt(place.text)?.claims['iss'] === rule.issuer);
  if (own === undefined) return { kind: 'invalid', reason: 'Jwt issuer is not configured' };
  return verifyFor(own.place, own.rule, keyStore);
}

function tokensFor(head: RequestHead, rule: JwtRule): TokenPlace[] {
  const places: TokenPlace[] = [];
  for (const { name, prefix } of rule.fromHeaders) {
    const value = findField(head.fields, name);
    const fits = value !== undefined && value.slice(0, prefix.length).toLowerCase() === prefix.toLowerCase();
    if (fits) places.push({ text: value.slice(prefix.length).trim(), in: 'header', name });
  }
  if (rule.fromParams.length === 0 || head.query === '') return places;
  const parameters = new URLSearchParams(head.query);
  for (const name of rule.fromParams) {
    const text = parameters.get(name);
    if (text !== null) places.push({ text, in: 'parameter', name });
  }
  return places;
}

async function verifyFor(place: TokenPlace, rule: JwtRule, keyStore: KeyStore): Promise<TokenVerdict> {
  const { decodeJwt, selectKey, verifyJwt } = await import('@kfctl/oidc');
  const decoded = decodeJwt(place.text);
  let keys = await keyStore.find(rule.keys, rule.timeoutMs);
  if (decoded !== undefined && selectKey(decoded.header, keys) === undefined) {
    keys = await keyStore.find(rule.keys, rule.timeoutMs, true);
  }
  const verdict = verifyJwt(place.text, {
    keys,
    issuer: rule.issuer,
    nowMs: Date.now(),
    toleranceSeconds: TOLERANCE_SECONDS,
  });
  if (verdict.kind === 'invalid') return verdict;
  const { claims } = verdict;
  const audiences = listOf(claims['aud']);
  if (rule.audiences !== undefined && !rule.audiences.some((audience) => audiences.includes(audience))) {
    return { kind: 'invalid', reason: 'wrong audience' };
  }
  const subject = typeof claims['sub'] === 'string' ? claims['sub'] : '';
  return {
    kind: 'valid',
    rule,
    place,
    token: { issuer: rule.issuer, subject, claims },
    payload: place.text.split('.')[1] ?? '',
  };
}

/** Sets what the rule wants upstreams to know, and takes the token away unless it may travel on. */
export function applyToken(
  head: Pick<RequestHead, 'fields' | 'query'>,
  { rule, place, token, payload }: TokenVerdict & { readonly kind: 'valid' },
): void {
  const { fields } = head;
  for (const { header, claim } of rule.claimHeaders) {
    const value = renderClaim(claimAt(token.claims, claim));
    if (value !== undefined) setField(fields, header, value);
  }
  if (rule.payloadHeader !== undefined) setField(fields, rule.payloadHeader, payload);
  if (rule.forwardOriginalToken) return;
  if (place.in === 'header') removeField(fields, place.name);
  else head.query = withoutParameter(head.query, place.name);
}

/** Each occurrence, however its name is escaped; the rest stays byte for byte. */
function withoutParameter(query: string, name: string): string {
  const kept = query
    .slice(1)
    .split('&')
    .filter((part) => !new URLSearchParams(part).has(name));
  return kept.length === 0 ? '' : `?${kept.join('&')}`;
}

function claimAt(claims: JwtClaims, path: readonly string[]): unknown {
  let value: unknown = claims;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/** A claim as a header value; what cannot be one without loss is left out. A comma inside of an item would make two of it. */
function renderClaim(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return /^[\x20-\x7e]+$/.test(value) ? value : undefined;
  if (!Array.isArray(value)) return undefined;
  const items = value.filter((item): item is string => typeof item === 'string' && /^[\x20-\x7e]+$/.test(item));
  return items.length === 0 ? undefined : items.map((item) => item.replaceAll(',', '%2C')).join(',');
}

function listOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
