/** Owns `scale`: replicas of any kind that has them, as autoscaling/v1 Scale. */
import { applyJsonPatch } from '../patch/json-patch.ts';
import { applyMergePatch } from '../patch/merge-patch.ts';
import { parseContext } from '../api/query-options.ts';
import type { ResourceCall, SubresourceHandler } from '../api/resource-handler.ts';
import { headerOf } from '../api/api-request.ts';
import type { ApiAnswer } from '../api/api-request.ts';
import type { Registry } from '../registry/registry.ts';
import { readObject, subjectOf } from '../registry/registry-deps.ts';
import { badRequest, conflict, invalid, methodNotAllowed, STALE_OBJECT } from '../registry/status-error.ts';
import { renderSelector } from '../registry/render-selector.ts';
import type { ScalePaths } from '../resources/definition.ts';
import { asObject, asString, ensureObject, isObject, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';

const WORKLOADS: ScalePaths = { specReplicas: ['spec', 'replicas'], statusReplicas: ['status', 'replicas'] };

export function createScale(registry: Registry): SubresourceHandler {
  return async (call): Promise<ApiAnswer | undefined> => {
    if (!call.served.version.subresources.has('scale')) return undefined;
    const paths = call.served.version.scale ?? WORKLOADS;
    const { verb } = call.info;
    if (verb === 'get')
      return { status: 200, body: renderScale(readObject(registry.get(call.target), call.served), paths) };
    if (verb !== 'update' && verb !== 'patch') throw methodNotAllowed(subjectOf(call.target), verb);
    const context = parseContext(call.request, 'UpdateOptions');
    const body = await call.request.body();
    const object = await registry.update(
      { ...call.target, subresource: 'scale' },
      { context, produce: (current) => withReplicas(call, current, { body, paths }) },
    );
    return { status: 200, body: renderScale(object, paths), warnings: context.warnings };
  };
}

interface Wish {
  readonly body: unknown;
  readonly paths: ScalePaths;
}

function withReplicas(call: ResourceCall, current: JsonObject, { body, paths }: Wish): JsonObject {
  const scale = renderScale(current, paths);
  const wanted = call.info.verb === 'update' ? body : patched(call, scale, body);
  if (!isObject(wanted)) throw badRequest('the request body is not a Scale');
  const given = asString(valueAt(wanted, 'metadata', 'resourceVersion'));
  if (given !== '' && given !== valueAt(current, 'metadata', 'resourceVersion'))
    throw conflict(subjectOf(call.target), STALE_OBJECT);
  const replicas = valueAt(wanted, 'spec', 'replicas') ?? 0;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0) {
    throw invalid({ group: 'autoscaling', plural: 'scales', kind: 'Scale', name: call.target.name }, [
      { kind: 'invalid', field: 'spec.replicas', value: replicas, detail: 'must be greater than or equal to 0' },
    ]);
  }
  let owner = current;
  for (const field of paths.specReplicas.slice(0, -1)) owner = ensureObject(owner, field);
  owner[paths.specReplicas.at(-1) ?? 'replicas'] = replicas;
  return current;
}

function patched(call: ResourceCall, scale: JsonObject, body: unknown): unknown {
  const type = headerOf(call.request, 'content-type').split(';')[0];
  return type === 'application/json-patch+json' ? applyJsonPatch(scale, body) : applyMergePatch(scale, body);
}

function renderScale(object: JsonObject, paths: ScalePaths): JsonObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = asObject(object['metadata']);
  const replicas = valueAt(object, ...paths.specReplicas);
  const selector =
    paths.selector === undefined
      ? renderSelector(valueAt(object, 'spec', 'selector'))
      : asString(valueAt(object, ...paths.selector));
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: replicas ?? 0 },
    status: { replicas: valueAt(object, ...paths.statusReplicas) ?? 0, ...(selector === '' ? {} : { selector }) },
  };
}
