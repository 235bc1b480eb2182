/** Owns ResourceQuota: what a namespace may hold, counted from what it holds. */
import { forbidden } from '../registry/status-error.ts';
import { asArray, asObject, asString, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import { parseQuantity, renderQuantity } from '../schema/quantity.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { parseStored } from '../store/stored-object.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';

const COUNTED: Readonly<Record<string, string>> = {
  pods: '/pods',
  services: '/services',
  secrets: '/secrets',
  configmaps: '/configmaps',
  persistentvolumeclaims: '/persistentvolumeclaims',
  replicationcontrollers: '/replicationcontrollers',
  resourcequotas: '/resourcequotas',
};
const NANO = 1_000_000_000n;

/** Amounts in billionths, by the names that quotas use. */
type Usage = Map<string, bigint>;

export function createResourceQuota(store: ObjectStore): AdmissionPlugin {
  return {
    name: 'resource-quota',
    validate(request) {
      if (request.operation !== 'create' || request.namespace === '' || request.object === undefined) return;
      for (const stored of store.list('/resourcequotas', request.namespace)) {
        const hard = asObject(valueAt(parseStored(stored), 'spec', 'hard'));
        requireRoom(store, request, { name: stored.name, hard });
      }
    },
  };
}

interface Quota {
  readonly name: string;
  readonly hard: JsonObject;
}

function requireRoom(store: ObjectStore, request: AdmissionRequest, { name, hard }: Quota): void {
  const { group, plural } = request.served.definition;
  const asked = usageOf(`${group}/${plural}`, request.object ?? {});
  const exceeded: { key: string; asked: bigint; used: bigint; limit: unknown }[] = [];
  for (const [key, limit] of Object.entries(hard)) {
    const bound = parseQuantity(limit)?.nano;
    const amount = asked.get(key);
    if (bound === undefined || amount === undefined) {
      requireSaid(request, { key, name, plural });
      continue;
    }
    const used = usedInNamespace(store, request.namespace, key);
    if (used + amount > bound) exceeded.push({ key, asked: amount, used, limit });
  }
  if (exceeded.length === 0) return;
  const list = (pick: (entry: (typeof exceeded)[number]) => string): string =>
    exceeded.map((entry) => `${entry.key}=${pick(entry)}`).join(',');
  const why = `exceeded quota: ${name}, requested: ${list((entry) => show(entry.asked))}, used: ${list((entry) => show(entry.used))}, limited: ${list((entry) => String(entry.limit))}`;
  throw forbidden({ group, plural, name: request.name }, why);
}

/** A pod must say what a quota on compute resources counts. */
function requireSaid(
  request: AdmissionRequest,
  { key, name, plural }: { readonly key: string; readonly name: string; readonly plural: string },
): void {
  if (plural !== 'pods' || !/^(?:(?:requests|limits)\.)?(?:cpu|memory)$/.test(key)) return;
  throw forbidden({ group: '', plural: 'pods', name: request.name }, `failed quota: ${name}: must specify ${key}`);
}

function show(nano: bigint): string {
  return renderQuantity({ nano, format: nano % (1024n * 1024n * NANO) === 0n ? 'binary' : 'decimal' });
}

/** What is used of one quota key, from the live objects; status.used is the controller's business. */
export function usedInNamespace(store: ObjectStore, namespace: string, key: string): bigint {
  let sum = 0n;
  for (const table of tablesOf(key)) {
    for (const stored of store.list(table, namespace)) {
      const object = parseStored(stored);
      if (table === '/pods' && isFinished(object)) continue;
      sum += usageOf(table, object).get(key) ?? 0n;
    }
  }
  return sum;
}

function tablesOf(key: string): readonly string[] {
  const counted = COUNTED[key];
  if (counted !== undefined) return [counted];
  if (key.startsWith('services.')) return ['/services'];
  if (key === 'requests.storage') return ['/persistentvolumeclaims'];
  const generic = /^count\/([^.]+)(?:\.(.+))?$/.exec(key);
  if (generic !== null) return [`${generic[2] ?? ''}/${generic[1] ?? ''}`];
  return ['/pods'];
}

function isFinished(pod: JsonObject): boolean {
  const phase = valueAt(pod, 'status', 'phase');
  return phase === 'Succeeded' || phase === 'Failed';
}

function usageOf(table: string, object: JsonObject): Usage {
  const usage: Usage = new Map();
  const [group = '', plural = ''] = table.split('/');
  usage.set(group === '' ? `count/${plural}` : `count/${plural}.${group}`, NANO);
  if (COUNTED[plural] === table) usage.set(plural, NANO);
  if (table === '/services') addService(usage, object);
  if (table === '/persistentvolumeclaims')
    addAmount(usage, 'requests.storage', valueAt(object, 'spec', 'resources', 'requests', 'storage'));
  if (table === '/pods') addPod(usage, asObject(object['spec']));
  return usage;
}

function addService(usage: Usage, service: JsonObject): void {
  const type = asString(valueAt(service, 'spec', 'type'));
  if (type === 'LoadBalancer') usage.set('services.loadbalancers', NANO);
  if (type === 'NodePort' || type === 'LoadBalancer')
    usage.set('services.nodeports', BigInt(asArray(valueAt(service, 'spec', 'ports')).length) * NANO);
}

function addAmount(usage: Usage, key: string, value: unknown): void {
  const amount = parseQuantity(value)?.nano;
  if (amount !== undefined) usage.set(key, (usage.get(key) ?? 0n) + amount);
}

function addPod(usage: Usage, spec: JsonObject): void {
  for (const container of asArray(spec['containers'])) {
    const amounts = (kind: string): [string, unknown][] =>
      Object.entries(asObject(valueAt(container, 'resources', kind)));
    for (const [name, value] of amounts('limits')) addAmount(usage, `limits.${name}`, value);
    for (const [name, value] of amounts('requests')) {
      addAmount(usage, `requests.${name}`, value);
      addAmount(usage, name, value);
    }
  }
}
