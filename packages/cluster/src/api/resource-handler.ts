/** Owns requests on resources: verb by verb, from the request to the registry and back to an answer. */
import type { DeleteOutcome } from '../registry/delete-object.ts';
import type { PatchKind } from '../registry/patch-object.ts';
import type { Registry } from '../registry/registry.ts';
import { subjectOf } from '../registry/registry-deps.ts';
import type { CollectionTarget, Target } from '../registry/registry-deps.ts';
import { badRequest, methodNotAllowed, StatusError, unsupportedMediaType } from '../registry/status-error.ts';
import type { ServedResource } from '../resources/definition.ts';
import type { JsonObject } from '../schema/json.ts';
import { headerOf } from './api-request.ts';
import type { ApiAnswer, ApiRequest } from './api-request.ts';
import { negotiate } from './negotiate.ts';
import { parseContext, parseDeleteRequest, parseListRequest } from './query-options.ts';
import { renderObject, renderOneStored, renderPage } from './render-objects.ts';
import type { RenderOptions } from './render-objects.ts';
import { isTrue } from './request-info.ts';
import type { ResourceRequestInfo } from './request-info.ts';
import { watchAnswer } from './watch-stream.ts';

export interface ResourceCall {
  readonly request: ApiRequest;
  readonly info: ResourceRequestInfo;
  readonly served: ServedResource;
  readonly target: Target;
}

/** Answers what is not an ordinary read or write: `pods/log`, `serviceaccounts/token`, reviews … */
export type SubresourceHandler = (call: ResourceCall) => Promise<ApiAnswer | undefined> | ApiAnswer | undefined;

export interface ResourceHandlerDeps {
  readonly registry: Registry;
  /** By `group/plural/subresource`; a virtual resource has an empty subresource. */
  readonly subresources: ReadonlyMap<string, SubresourceHandler>;
  readonly now: () => number;
}

const STORED_SUBRESOURCES = new Set(['status', 'finalize', 'resize']);

export async function handleResource(
  deps: ResourceHandlerDeps,
  request: ApiRequest,
  info: ResourceRequestInfo,
): Promise<ApiAnswer> {
  const served = deps.registry.resolve(info.group, info.version, info.plural);
  if (served === undefined)
    throw new StatusError(404, 'NotFound', {
      message: 'the server could not find the requested resource',
      details: {},
    });
  const target = targetOf(served, info);
  const call: ResourceCall = { request, info, served, target };
  const special =
    deps.subresources.get(`${info.group}/${info.plural}/${info.subresource}`) ??
    (info.subresource === 'scale' ? deps.subresources.get('*/scale') : undefined);
  const answer = await special?.(call);
  if (answer !== undefined) return withDeprecation(answer, served);
  if (info.subresource !== '') requireStoredSubresource(call);
  return withDeprecation(await dispatch(deps, call), served);
}

function targetOf(served: ServedResource, info: ResourceRequestInfo): Target {
  const namespace = served.definition.namespaced ? info.namespace : '';
  if (!served.definition.namespaced && info.namespace !== '' && info.plural !== 'namespaces') {
    throw new StatusError(404, 'NotFound', {
      message: 'the server could not find the requested resource',
      details: {},
    });
  }
  const { name, subresource } = info;
  return { served, namespace, name, subresource };
}

function requireStoredSubresource({ info, served, target }: ResourceCall): void {
  if (served.version.subresources.has(info.subresource) && STORED_SUBRESOURCES.has(info.subresource)) return;
  if (!served.version.subresources.has(info.subresource)) {
    throw new StatusError(404, 'NotFound', {
      message: 'the server could not find the requested resource',
      details: {},
    });
  }
  throw methodNotAllowed(subjectOf(target), info.verb);
}

function withDeprecation(answer: ApiAnswer, served: ServedResource): ApiAnswer {
  const warning = served.version.deprecationWarning;
  return warning === undefined ? answer : { ...answer, warnings: [...(answer.warnings ?? []), warning] };
}

function dispatch(deps: ResourceHandlerDeps, call: ResourceCall): Promise<ApiAnswer> | ApiAnswer {
  const { info, served, target } = call;
  const verb = info.verb === 'get' && info.subresource !== '' ? 'get' : info.verb;
  if (!served.definition.verbs.includes(verb)) throw methodNotAllowed(subjectOf(target), verb);
  switch (verb) {
    case 'get':
      return get(deps, call);
    case 'list':
      return list(deps, call);
    case 'watch':
      return watch(deps, call);
    case 'create':
      return create(deps, call);
    case 'update':
      return update(deps, call);
    case 'patch':
      return patch(deps, call);
    case 'delete':
      return remove(deps, call);
    case 'deletecollection':
      return removeAll(deps, call);
    default:
      throw methodNotAllowed(subjectOf(target), verb);
  }
}

export function renderOptions(call: ResourceCall, nowMs: number): RenderOptions {
  const wanted = negotiate(headerOf(call.request, 'accept'));
  return { served: call.served, wanted, includeObject: call.request.query.get('includeObject') ?? 'Metadata', nowMs };
}

function get(deps: ResourceHandlerDeps, call: ResourceCall): ApiAnswer {
  const options = renderOptions(call, deps.now());
  return textAnswer(renderOneStored(deps.registry.get(call.target), options), options);
}

function textAnswer(json: string, options: RenderOptions): ApiAnswer {
  if (options.wanted.format === 'yaml') return { status: 200, body: JSON.parse(json) as unknown };
  return { status: 200, headers: { 'content-type': 'application/json' }, text: json };
}

function list(deps: ResourceHandlerDeps, call: ResourceCall): ApiAnswer {
  const options = renderOptions(call, deps.now());
  const page = deps.registry.list(call.target, parseListRequest(call.request.query));
  return textAnswer(renderPage(page, options), options);
}

function watch(deps: ResourceHandlerDeps, call: ResourceCall): ApiAnswer {
  const { request, target, info } = call;
  const options = renderOptions(call, deps.now());
  if (info.name === '') return watchAnswer(deps.registry, { target, options, request });
  const query = new URLSearchParams(request.query);
  query.set('fieldSelector', `metadata.name=${info.name}`);
  return watchAnswer(deps.registry, { target, options, request: { ...request, query } });
}

function objectAnswer(
  status: number,
  object: JsonObject,
  call: { readonly options: RenderOptions; readonly warnings: readonly string[] },
): ApiAnswer {
  return { status, body: renderObject(object, call.options), warnings: call.warnings };
}

async function create(deps: ResourceHandlerDeps, call: ResourceCall): Promise<ApiAnswer> {
  const { request, target, served } = call;
  if (target.name !== '') throw methodNotAllowed(subjectOf(target), 'create');
  const options = renderOptions(call, deps.now());
  const context = parseContext(request, 'CreateOptions');
  const place = placeOf(target, served);
  const object = await deps.registry.create(place, { body: await request.body(), context });
  return objectAnswer(201, object, { options, warnings: context.warnings });
}

function placeOf(target: Target, served: ServedResource): CollectionTarget {
  if (served.definition.namespaced && target.namespace === '') {
    throw badRequest('an empty namespace may not be set during creation');
  }
  return { served, namespace: target.namespace };
}

async function update(deps: ResourceHandlerDeps, call: ResourceCall): Promise<ApiAnswer> {
  const { request, target } = call;
  const options = renderOptions(call, deps.now());
  const context = parseContext(request, 'UpdateOptions');
  const body = await request.body();
  const { strategy, table } = call.served.definition;
  if (
    strategy.createsOnUpdate === true &&
    deps.registry.deps.store.get(table, target.namespace, target.name) === undefined
  ) {
    const object = await deps.registry.create(target, { body, context, name: target.name });
    return objectAnswer(201, object, { options, warnings: context.warnings });
  }
  const object = await deps.registry.update(target, { context, produce: () => body, isReplace: true });
  return objectAnswer(200, object, { options, warnings: context.warnings });
}

const PATCH_KINDS: Readonly<Record<string, PatchKind>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
  'application/apply-patch+cbor': 'apply',
};

async function patch(deps: ResourceHandlerDeps, call: ResourceCall): Promise<ApiAnswer> {
  const { request, target } = call;
  const kind = patchKindOf(request);
  const options = renderOptions(call, deps.now());
  const context = parseContext(request, 'PatchOptions');
  if (kind === 'apply' && !request.query.has('fieldManager')) {
    throw applyNeedsManager();
  }
  const force = request.query.has('force') && isTrue(request.query.get('force'));
  const { object, created } = await deps.registry.patch(target, { kind, patch: await request.body(), context, force });
  return objectAnswer(created ? 201 : 200, object, { options, warnings: context.warnings });
}

function applyNeedsManager(): StatusError {
  const cause = {
    reason: 'FieldValueRequired',
    message: 'Required value: is required for apply patch',
    field: 'fieldManager',
  };
  const message = `PatchOptions.meta.k8s.io "" is invalid: ${cause.field}: ${cause.message}`;
  return new StatusError(422, 'Invalid', {
    message,
    details: { group: 'meta.k8s.io', kind: 'PatchOptions', causes: [cause] },
  });
}

function patchKindOf(request: ApiRequest): PatchKind {
  const type = headerOf(request, 'content-type').split(';')[0]?.trim().toLowerCase() ?? '';
  const kind = PATCH_KINDS[type];
  if (kind !== undefined) return kind;
  throw unsupportedMediaType(
    'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml',
  );
}

async function remove(deps: ResourceHandlerDeps, call: ResourceCall): Promise<ApiAnswer> {
  const { request, target } = call;
  const options = renderOptions(call, deps.now());
  const outcome = await deps.registry.delete(target, parseDeleteRequest(request, await request.body()));
  return deleteAnswer(outcome, options);
}

function deleteAnswer(outcome: DeleteOutcome, options: RenderOptions): ApiAnswer {
  if (outcome.kind === 'waiting') return { status: 200, body: renderObject(outcome.object, options) };
  const { plural } = options.served.definition;
  const returnsObject = options.served.definition.group === '' && RETURN_DELETED.has(plural);
  return { status: 200, body: returnsObject ? renderObject(outcome.object, options) : outcome.status };
}

const RETURN_DELETED = new Set([
  'pods',
  'services',
  'serviceaccounts',
  'persistentvolumes',
  'persistentvolumeclaims',
  'resourcequotas',
  'podtemplates',
]);

async function removeAll(deps: ResourceHandlerDeps, call: ResourceCall): Promise<ApiAnswer> {
  const { request, target } = call;
  const options = renderOptions(call, deps.now());
  const deletion = parseDeleteRequest(request, await request.body());
  const page = deps.registry.list(target, parseListRequest(request.query));
  await Promise.all(
    page.items.map((item) =>
      deps.registry
        .delete({ ...target, namespace: item.namespace, name: item.name }, deletion)
        .catch((error: unknown) => {
          if (!(error instanceof StatusError) || error.code !== 404) throw error;
        }),
    ),
  );
  return textAnswer(renderPage(page, options), options);
}
