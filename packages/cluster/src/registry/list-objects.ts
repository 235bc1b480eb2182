/** Owns lists: selectors, pages, and the revision that a list stands for. */
import { randomBytes } from 'node:crypto';
import { parseStored } from '../store/stored-object.ts';
import type { StoredObject } from '../store/stored-object.ts';
import { fromStoredForm } from './registry-deps.ts';
import type { CollectionTarget, RegistryDeps } from './registry-deps.ts';
import { createFieldMatch, parseFieldSelector, parseLabelSelector } from './selectors.ts';
import { badRequest, expired, invalid } from './status-error.ts';

export interface Selection {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface ListRequest extends Selection {
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: string;
}

export interface ListPage {
  readonly items: readonly StoredObject[];
  readonly revision: number;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

export type StoredMatch = (stored: StoredObject) => boolean;

/** A matcher over stored objects; parses an object only when a field beyond its name is asked for. */
export function createStoredMatch(target: CollectionTarget, selection: Selection): StoredMatch {
  const byLabel = parseLabelSelector(selection.labelSelector ?? '');
  const requirements = parseFieldSelector(selection.fieldSelector ?? '');
  const byField = createFieldMatch(requirements, target.served.definition);
  if (byField === undefined) return (stored) => byLabel(stored.labels);
  const cheap = requirements.every(({ path }) => path === 'metadata.name' || path === 'metadata.namespace');
  return (stored) => {
    if (!byLabel(stored.labels)) return false;
    if (cheap) return byField({ metadata: { name: stored.name, namespace: stored.namespace } });
    return byField(fromStoredForm(parseStored(stored), target.served));
  };
}

interface Continuation {
  readonly revision: number;
  readonly start: string;
}

/** Pages are cut by key; a continued list shows the present state and keeps the revision of its first page. */
export function listObjects(deps: RegistryDeps, target: CollectionTarget, request: ListRequest): ListPage {
  const token = parseContinue(request.continue);
  requirePossibleRevision(deps, request);
  const match = createStoredMatch(target, request);
  const all = deps.store.list(target.served.definition.table, target.namespace === '' ? undefined : target.namespace);
  const remaining = token === undefined ? all : all.filter((stored) => sortKey(stored) > token.start);
  const found = remaining.filter(match);
  const revision = token?.revision ?? deps.store.revision;
  const limit = request.limit ?? 0;
  if (limit <= 0 || found.length <= limit) return { items: found, revision };
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const next = renderContinue({ revision, start: last === undefined ? '' : sortKey(last) });
  const selective = Boolean(request.labelSelector) || Boolean(request.fieldSelector);
  return { items, revision, continue: next, ...(selective ? {} : { remainingItemCount: found.length - limit }) };
}

function sortKey(stored: StoredObject): string {
  return `${stored.namespace}\u0000${stored.name}`;
}

// The key lives as long as the process: a token from before a restart is answered like one that expired.
const EPOCH = randomBytes(6).toString('base64url');

function renderContinue(continuation: Continuation): string {
  return Buffer.from(JSON.stringify({ v: EPOCH, rv: continuation.revision, start: continuation.start })).toString(
    'base64url',
  );
}

function parseContinue(text: string | undefined): Continuation | undefined {
  if (text === undefined || text === '') return undefined;
  let value: { v?: unknown; rv?: unknown; start?: unknown } | null;
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as typeof value;
  } catch {
    throw badRequest('continue key is not valid: the token cannot be decoded');
  }
  if (typeof value?.rv !== 'number' || typeof value.start !== 'string')
    throw badRequest('continue key is not valid: a field is missing');
  if (value.v !== EPOCH) {
    throw expired(
      'The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.',
    );
  }
  return { revision: value.rv, start: value.start };
}

function requirePossibleRevision(deps: RegistryDeps, request: ListRequest): void {
  const { resourceVersion = '', resourceVersionMatch: match = '' } = request;
  const options = { group: 'meta.k8s.io', plural: 'ListOptions', kind: 'ListOptions', name: '' };
  const refuse = (detail: string): Error =>
    invalid(options, [{ kind: 'forbidden', field: 'resourceVersionMatch', detail }]);
  if (match !== '' && resourceVersion === '')
    throw refuse('resourceVersionMatch is forbidden unless resourceVersion is provided');
  if (match === 'Exact' && resourceVersion === '0')
    throw refuse('resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
  if (resourceVersion === '') return;
  const wanted = parseRevision(resourceVersion);
  if (wanted > deps.store.revision) throw tooLarge(wanted, deps.store.revision);
  if (match === 'Exact' && wanted !== deps.store.revision) {
    throw expired('The resourceVersion for the provided list is too old.');
  }
}

/** A resourceVersion as a number; 400 for anything else. */
export function parseRevision(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw badRequest(
    `invalid resource version "${text.slice(0, 64)}": strconv.ParseUint: parsing "${text.slice(0, 64)}": invalid syntax`,
  );
}

function tooLarge(wanted: number, current: number): Error {
  return badRequest(`Too large resource version: ${wanted}, current: ${current}`);
}
