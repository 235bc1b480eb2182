/** Owns reading of security.istio.io RequestAuthentication objects: whose tokens are accepted, and what is made of their claims. */
import type { UnknownObject } from '@kfctl/kube';
import { isFieldName } from '@kfctl/http';
import { Fields } from './fields.ts';
import type { Problems } from './fields.ts';
import { objectKey } from './object-key.ts';

export interface RequestAuthenticationModel {
  readonly key: string;
  readonly namespace: string;
  readonly selector: ReadonlyMap<string, string>;
  readonly rules: readonly JwtRule[];
}

export interface JwtRule {
  readonly issuer: string;
  /** Undefined: any. */
  readonly audiences: readonly string[] | undefined;
  readonly keys: KeySource;
  readonly fromHeaders: readonly { readonly name: string; readonly prefix: string }[];
  readonly fromParams: readonly string[];
  readonly forwardOriginalToken: boolean;
  readonly payloadHeader: string | undefined;
  readonly claimHeaders: readonly { readonly header: string; readonly claim: readonly string[] }[];
  readonly timeoutMs: number;
}

/** Keys given in the object, a JWK set to fetch, or the issuer whose discovery names one. */
export type KeySource =
  | { readonly kind: 'inline'; readonly set: unknown }
  | { readonly kind: 'set'; readonly uri: string }
  | { readonly kind: 'issuer'; readonly uri: string };

const DEFAULT_TIMEOUT_MS = 5_000;

export function parseRequestAuthentication(object: UnknownObject, problems: Problems): RequestAuthenticationModel {
  const spec = new Fields(object['spec'] ?? {}, 'spec', { problems, notes: [] });
  const selector = spec.child('selector');
  const labels = selector?.stringMap('matchLabels') ?? new Map<string, string>();
  selector?.done();
  const rules = (spec.children('jwtRules') ?? []).map(parseRule);
  spec.done();
  return { key: objectKey(object), namespace: object.metadata.namespace ?? '', selector: labels, rules };
}

function parseRule(fields: Fields): JwtRule {
  const issuer = fields.requiredString('issuer');
  const fromHeaders = (fields.children('fromHeaders') ?? []).map(parseFromHeader);
  const fromParams = fields.strings('fromParams') ?? [];
  const isDefault = fromHeaders.length === 0 && fromParams.length === 0;
  const rule: JwtRule = {
    issuer,
    audiences: fields.strings('audiences'),
    keys: parseKeys(fields, issuer),
    fromHeaders: isDefault ? [{ name: 'authorization', prefix: 'Bearer ' }] : fromHeaders,
    fromParams,
    forwardOriginalToken: fields.boolean('forwardOriginalToken') ?? false,
    payloadHeader: headerName(fields, 'outputPayloadToHeader', fields.string('outputPayloadToHeader')),
    claimHeaders: (fields.children('outputClaimToHeaders') ?? []).map(parseClaimHeader),
    timeoutMs: fields.durationMs('timeout') || DEFAULT_TIMEOUT_MS,
  };
  fields.done();
  return rule;
}

function parseKeys(fields: Fields, issuer: string): KeySource {
  const inline = fields.string('jwks');
  const uri = fields.string('jwksUri') ?? fields.string('jwks_uri');
  if (inline !== undefined && uri !== undefined) fields.problem('jwks', 'goes without jwksUri');
  if (inline !== undefined) {
    const set = parseJson(inline);
    if (set === undefined) fields.problem('jwks', 'is not JSON');
    return { kind: 'inline', set };
  }
  const source: KeySource = uri === undefined ? { kind: 'issuer', uri: issuer } : { kind: 'set', uri };
  if (!/^https?:\/\/[^\s/]+/.test(source.uri)) fields.problem('jwksUri', 'is not an http address');
  return source;
}

function parseFromHeader(fields: Fields): { name: string; prefix: string } {
  const from = { name: fields.requiredString('name').toLowerCase(), prefix: fields.string('prefix') ?? '' };
  fields.done();
  return from;
}

function parseClaimHeader(fields: Fields): { header: string; claim: string[] } {
  const header = headerName(fields, 'header', fields.requiredString('header')) ?? '';
  const claim = fields.requiredString('claim').split('.');
  fields.done();
  return { header, claim };
}

function headerName(fields: Fields, field: string, name: string | undefined): string | undefined {
  if (name !== undefined && !isFieldName(name)) fields.problem(field, `"${name}" is not a header name`);
  return name?.toLowerCase();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
