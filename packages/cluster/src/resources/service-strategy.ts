/** Owns the behaviour of Services: defaults, cluster addresses, node ports. */
import { asArray, asObject, asString, ensureObject, isEqual, setDefault, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import type { FieldError } from '../registry/status-error.ts';
import type { Strategy } from './definition.ts';
import type { ServiceAllocator } from './service-allocator.ts';
import { oneOf } from './validation.ts';

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];

export function createServiceStrategy(allocator: ServiceAllocator): Strategy {
  return {
    nameRule: 'dnsLabel1035',
    defaults: setServiceDefaults,
    prepareCreate(service) {
      allocate(service, allocator);
      service['status'] = { loadBalancer: {} };
    },
    prepareUpdate(service, old) {
      keepAllocated(asObject(service['spec']), asObject(old['spec']));
      allocate(service, allocator);
    },
    validate: (service, old) => [
      ...validateSpec(asObject(service['spec']), allocator, old),
      ...(old === undefined ? [] : validateUpdate(service, old)),
    ],
  };
}

function setServiceDefaults(service: JsonObject): void {
  const spec = ensureObject(service, 'spec');
  setDefault(spec, 'sessionAffinity', 'None');
  setDefault(spec, 'type', 'ClusterIP');
  if (spec['sessionAffinity'] === 'ClientIP') {
    setDefault(ensureObject(ensureObject(spec, 'sessionAffinityConfig'), 'clientIP'), 'timeoutSeconds', 10_800);
  }
  const type = asString(spec['type']);
  for (const value of asArray(spec['ports'])) {
    const port = asObject(value);
    setDefault(port, 'protocol', 'TCP');
    if (port['targetPort'] === undefined || port['targetPort'] === 0 || port['targetPort'] === '')
      port['targetPort'] = port['port'];
  }
  if (type === 'ExternalName') return;
  setDefault(spec, 'internalTrafficPolicy', 'Cluster');
  setDefault(spec, 'ipFamilies', ['IPv4']);
  setDefault(spec, 'ipFamilyPolicy', 'SingleStack');
  if (type === 'ClusterIP') return;
  setDefault(spec, 'externalTrafficPolicy', 'Cluster');
  if (type === 'LoadBalancer') setDefault(spec, 'allocateLoadBalancerNodePorts', true);
}

/** An update that does not name what was allocated keeps it. */
function keepAllocated(spec: JsonObject, old: JsonObject): void {
  const leavesCluster = spec['type'] === 'ExternalName';
  if (!leavesCluster && old['type'] !== 'ExternalName') {
    if (asString(spec['clusterIP']) === '') spec['clusterIP'] = old['clusterIP'];
    if (asArray(spec['clusterIPs']).length === 0) spec['clusterIPs'] = old['clusterIPs'];
  }
  if (spec['type'] === 'ClusterIP' || leavesCluster) {
    for (const port of asArray(spec['ports'])) if (old['type'] !== spec['type']) delete asObject(port)['nodePort'];
    if (old['type'] !== spec['type'])
      for (const field of ['externalTrafficPolicy', 'allocateLoadBalancerNodePorts', 'healthCheckNodePort'])
        delete spec[field];
    return;
  }
  const before = asArray(old['ports']).map(asObject);
  for (const value of asArray(spec['ports'])) {
    const port = asObject(value);
    const same = before.find(
      (candidate) => candidate['port'] === port['port'] && candidate['protocol'] === port['protocol'],
    );
    if (port['nodePort'] === undefined && same?.['nodePort'] !== undefined) port['nodePort'] = same['nodePort'];
  }
}

function allocate(service: JsonObject, allocator: ServiceAllocator): void {
  const spec = ensureObject(service, 'spec');
  const type = asString(spec['type']);
  if (type === 'ExternalName') {
    for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) delete spec[field];
    return;
  }
  if (asString(spec['clusterIP']) === '')
    spec['clusterIP'] = asString(asArray(spec['clusterIPs'])[0]) || allocator.nextAddress();
  spec['clusterIPs'] = [spec['clusterIP']];
  const wantsNodePorts =
    type === 'NodePort' || (type === 'LoadBalancer' && spec['allocateLoadBalancerNodePorts'] !== false);
  if (!wantsNodePorts) return;
  const taken = new Set<number>();
  for (const value of asArray(spec['ports'])) {
    const port = asObject(value);
    if (typeof port['nodePort'] !== 'number') port['nodePort'] = allocator.nextNodePort(taken);
    taken.add(port['nodePort'] as number);
  }
}

function validateSpec(spec: JsonObject, allocator: ServiceAllocator, old: JsonObject | undefined): FieldError[] {
  const type = asString(spec['type']);
  const ports = asArray(spec['ports']).map(asObject);
  const errors: FieldError[] = [...oneOf(spec['type'], TYPES, 'spec.type')];
  if (ports.length === 0 && type !== 'ExternalName' && spec['clusterIP'] !== 'None')
    errors.push({ kind: 'required', field: 'spec.ports' });
  if (type === 'ExternalName' && asString(spec['externalName']) === '')
    errors.push({ kind: 'required', field: 'spec.externalName' });
  const names = new Set<string>();
  for (const [index, port] of ports.entries())
    errors.push(...validatePort(port, { field: `spec.ports[${index}]`, isOnly: ports.length === 1, names }));
  const address = asString(spec['clusterIP']);
  const isNew = valueAt(old, 'spec', 'clusterIP') !== address;
  const wrong = address === '' || address === 'None' || !isNew ? undefined : allocator.refuseAddress(address);
  if (wrong !== undefined) errors.push({ kind: 'invalid', field: 'spec.clusterIPs', value: [address], detail: wrong });
  return errors;
}

interface PortPlace {
  readonly field: string;
  readonly isOnly: boolean;
  readonly names: Set<string>;
}

function validatePort(port: JsonObject, { field, isOnly, names }: PortPlace): FieldError[] {
  const errors: FieldError[] = [...oneOf(port['protocol'], PROTOCOLS, `${field}.protocol`)];
  const name = asString(port['name']);
  if (name === '' && !isOnly) errors.push({ kind: 'required', field: `${field}.name` });
  if (name !== '' && names.has(name)) errors.push({ kind: 'duplicate', field: `${field}.name`, value: name });
  names.add(name);
  for (const key of ['port', 'targetPort']) {
    const value = port[key] ?? 0;
    if (typeof value === 'number' && (value < 1 || value > 65_535)) {
      errors.push({
        kind: 'invalid',
        field: `${field}.${key}`,
        value,
        detail: 'must be between 1 and 65535, inclusive',
      });
    }
  }
  return errors;
}

function validateUpdate(service: JsonObject, old: JsonObject): FieldError[] {
  const before = asArray(valueAt(old, 'spec', 'clusterIPs'));
  const after = asArray(valueAt(service, 'spec', 'clusterIPs'));
  if (before.length === 0 || valueAt(service, 'spec', 'type') === 'ExternalName' || isEqual(before, after)) return [];
  return [{ kind: 'invalid', field: 'spec.clusterIPs[0]', value: after, detail: 'may not change once set' }];
}
