/** Owns the options that requests carry in their query (and deletions in their body). */
import type { FieldValidation, RequestContext } from '../registry/request-context.ts';
import type { DeleteRequest } from '../registry/delete-object.ts';
import type { ListRequest } from '../registry/list-objects.ts';
import { badRequest, invalid } from '../registry/status-error.ts';
import { asArray, asObject, asString, isObject } from '../schema/json.ts';
import { headerOf } from './api-request.ts';
import type { ApiRequest } from './api-request.ts';

const MAX_MANAGER = 128;

function optionError(kind: string, field: string, detail: { readonly value: unknown; readonly text: string }): Error {
  const subject = { group: 'meta.k8s.io', plural: kind, kind, name: '' };
  return invalid(subject, [{ kind: 'unsupported', field, value: detail.value, detail: detail.text }]);
}

/** Who asks and how a write is to be judged; 422 for options that do not exist. */
export function parseContext(request: ApiRequest, optionsKind: string): RequestContext {
  const { query } = request;
  return {
    user: request.user,
    fieldManager: parseManager(request),
    dryRun: parseDryRun(query.getAll('dryRun'), optionsKind),
    fieldValidation: parseFieldValidation(query.get('fieldValidation'), optionsKind),
    warnings: [],
  };
}

function parseManager(request: ApiRequest): string {
  const given = request.query.get('fieldManager') ?? '';
  if (given.length > MAX_MANAGER) throw badRequest(`fieldManager: Too long: may not be more than ${MAX_MANAGER} bytes`);
  if (given !== '') return given;
  const agent = headerOf(request, 'user-agent').split('/')[0] ?? '';
  return (agent === '' ? 'unknown' : agent).slice(0, MAX_MANAGER);
}

function parseDryRun(values: readonly string[], kind: string): boolean {
  for (const value of values) {
    if (value !== 'All') throw optionError(kind, 'dryRun', { value: [value], text: 'supported values: "All"' });
  }
  return values.length > 0;
}

function parseFieldValidation(value: string | null, kind: string): FieldValidation {
  if (value === null || value === '') return 'Warn';
  if (value === 'Ignore' || value === 'Warn' || value === 'Strict') return value;
  throw optionError(kind, 'fieldValidation', { value, text: 'supported values: "Ignore", "Strict", "Warn"' });
}

export function parseListRequest(query: URLSearchParams): ListRequest {
  const limit = query.get('limit');
  if (limit !== null && limit !== '' && !/^-?\d{1,12}$/.test(limit)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(limit.slice(0, 64))}: invalid syntax`);
  }
  return {
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    limit: Number(limit ?? 0),
    continue: query.get('continue') ?? '',
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
  };
}

/** DeleteOptions of the body, or of the query where the body has none. */
export function parseDeleteRequest(request: ApiRequest, body: unknown): DeleteRequest {
  const options = asObject(body);
  const { query } = request;
  const grace = options['gracePeriodSeconds'] ?? numberOf(query.get('gracePeriodSeconds'));
  const policy = asString(options['propagationPolicy'] ?? query.get('propagationPolicy'));
  const orphan = options['orphanDependents'];
  const legacy = orphan === true ? 'Orphan' : orphan === false ? 'Background' : '';
  const wanted = options['preconditions'];
  const dryRun = asArray(options['dryRun']).map(asString);
  const context = parseContext(request, 'DeleteOptions');
  return {
    context: dryRun.length > 0 ? { ...context, dryRun: parseDryRun(dryRun, 'DeleteOptions') } : context,
    propagationPolicy: policy === '' ? legacy : policy,
    ...(typeof grace === 'number' ? { gracePeriodSeconds: grace } : {}),
    ...(isObject(wanted)
      ? { preconditions: { uid: asString(wanted['uid']), resourceVersion: asString(wanted['resourceVersion']) } }
      : {}),
  };
}

function numberOf(text: string | null): number | undefined {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
