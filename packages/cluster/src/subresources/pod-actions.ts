/** Owns `pods/binding` and `pods/eviction`. */
import { parseContext, parseDeleteRequest } from '../api/query-options.ts';
import type { ResourceCall, SubresourceHandler } from '../api/resource-handler.ts';
import type { ApiAnswer } from '../api/api-request.ts';
import { matchesLabelSelector } from '../registry/selectors.ts';
import type { Registry } from '../registry/registry.ts';
import { readObject, subjectOf } from '../registry/registry-deps.ts';
import { conflict, methodNotAllowed, StatusError } from '../registry/status-error.ts';
import { asArray, asObject, asString, ensureObject, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import { renderTime } from '../registry/object-meta.ts';
import { parseStored } from '../store/stored-object.ts';

function success(status: number): ApiAnswer {
  return { status, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: status } };
}

function requireCreate(call: ResourceCall): void {
  if (call.info.verb !== 'create') throw methodNotAllowed(subjectOf(call.target), call.info.verb);
}

/** Assigns a pod to a node, once. */
export function createBinding(registry: Registry): SubresourceHandler {
  return async (call) => {
    requireCreate(call);
    const context = parseContext(call.request, 'CreateOptions');
    const body = asObject(await call.request.body());
    const node = asString(valueAt(body, 'target', 'name'));
    await registry.update(call.target, { context, produce: (pod) => assign(call, pod, node) });
    return success(201);
  };
}

function assign(call: ResourceCall, pod: JsonObject, node: string): JsonObject {
  const spec = ensureObject(pod, 'spec');
  const present = asString(spec['nodeName']);
  if (present !== '')
    throw conflict(
      subjectOf(call.target),
      `pod ${call.target.name} is already assigned to node ${JSON.stringify(present)}`,
    );
  spec['nodeName'] = node;
  const status = ensureObject(pod, 'status');
  const others = asArray(status['conditions']).filter((condition) => valueAt(condition, 'type') !== 'PodScheduled');
  status['conditions'] = [
    ...others,
    { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: renderTime(new Date()) },
  ];
  return pod;
}

/** Deletes a pod unless a disruption budget forbids it (429). */
export function createEviction(registry: Registry): SubresourceHandler {
  return async (call) => {
    requireCreate(call);
    const body = asObject(await call.request.body());
    const pod = readObject(registry.get(call.target), call.served);
    requireBudget(registry, call, pod);
    const deletion = parseDeleteRequest(call.request, body['deleteOptions']);
    await registry.delete({ ...call.target, subresource: '' }, deletion);
    return success(201);
  };
}

function requireBudget(registry: Registry, call: ResourceCall, pod: JsonObject): void {
  const labels = asObject(valueAt(pod, 'metadata', 'labels')) as Record<string, string>;
  const phase = valueAt(pod, 'status', 'phase');
  if (phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending') return;
  for (const stored of registry.deps.store.list('policy/poddisruptionbudgets', call.target.namespace)) {
    const budget = parseStored(stored);
    if (!matchesLabelSelector(valueAt(budget, 'spec', 'selector'), labels)) continue;
    const allowed = valueAt(budget, 'status', 'disruptionsAllowed');
    if (typeof allowed === 'number' && allowed > 0) continue;
    const cause = {
      reason: 'DisruptionBudget',
      message: `The disruption budget ${stored.name} does not allow evicting pods currently`,
      field: '',
    };
    throw new StatusError(429, 'TooManyRequests', {
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
      details: { causes: [cause] },
    });
  }
}
