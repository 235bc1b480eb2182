/** Owns LimitRange: default requests and limits of containers, and their bounds. */
import { forbidden } from '../registry/status-error.ts';
import { asArray, asObject, ensureObject, setDefault } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import { parseQuantity } from '../schema/quantity.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { parseStored } from '../store/stored-object.ts';
import { isResource } from './admission.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';

export function createLimitRanger(store: ObjectStore): AdmissionPlugin {
  const limitsOf = (request: AdmissionRequest): JsonObject[] =>
    store.list('/limitranges', request.namespace).flatMap((stored) =>
      asArray(asObject(parseStored(stored)['spec'])['limits'])
        .map(asObject)
        .filter((limit) => limit['type'] === 'Container'),
    );
  const concerns = (request: AdmissionRequest): boolean =>
    request.operation === 'create' && request.subresource === '' && isResource(request, '', 'pods');
  return {
    name: 'limit-ranger',
    mutate(request) {
      if (!concerns(request)) return;
      for (const limit of limitsOf(request))
        for (const container of containersOf(request)) setContainerDefaults(container, limit);
    },
    validate(request) {
      if (!concerns(request)) return;
      for (const limit of limitsOf(request))
        for (const container of containersOf(request)) requireWithin(container, limit, request);
    },
  };
}

function containersOf(request: AdmissionRequest): JsonObject[] {
  const spec = asObject(request.object?.['spec']);
  return [...asArray(spec['initContainers']), ...asArray(spec['containers'])].map(asObject);
}

function setContainerDefaults(container: JsonObject, limit: JsonObject): void {
  const resources = ensureObject(container, 'resources');
  const defaults = asObject(limit['default']);
  const defaultRequests = asObject(limit['defaultRequest']);
  for (const [name, amount] of Object.entries(defaults)) setDefault(ensureObject(resources, 'limits'), name, amount);
  for (const [name, amount] of Object.entries(defaultRequests))
    setDefault(ensureObject(resources, 'requests'), name, amount);
}

function requireWithin(container: JsonObject, limit: JsonObject, request: AdmissionRequest): void {
  const resources = asObject(container['resources']);
  const refuse = (text: string): never => {
    throw forbidden({ group: '', plural: 'pods', name: request.name }, text);
  };
  for (const [name, bound] of Object.entries(asObject(limit['max']))) {
    const amount = asObject(resources['limits'])[name];
    if (amount === undefined) refuse(`maximum ${name} usage per Container is ${String(bound)}.  No limit is specified`);
    if (isMore(amount, bound))
      refuse(`maximum ${name} usage per Container is ${String(bound)}, but limit is ${String(amount)}`);
  }
  for (const [name, bound] of Object.entries(asObject(limit['min']))) {
    const amount = asObject(resources['requests'])[name];
    if (amount === undefined)
      refuse(`minimum ${name} usage per Container is ${String(bound)}.  No request is specified`);
    if (isMore(bound, amount))
      refuse(`minimum ${name} usage per Container is ${String(bound)}, but request is ${String(amount)}`);
  }
}

function isMore(a: unknown, b: unknown): boolean {
  const [left, right] = [parseQuantity(a), parseQuantity(b)];
  return left !== undefined && right !== undefined && left.nano > right.nano;
}
