/** Owns the rows of namespaced core and networking kinds. */
import { asArray, asObject, asString, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import { renderSelector } from '../registry/render-selector.ts';
import { renderAge } from './cells.ts';
import { columns } from './columns.ts';
import type { Printer } from './definition.ts';

function name(object: JsonObject): string {
  return asString(valueAt(object, 'metadata', 'name'));
}

function age(object: JsonObject, nowMs: number): string {
  return renderAge(valueAt(object, 'metadata', 'creationTimestamp'), nowMs);
}

function text(object: unknown, ...path: readonly string[]): string {
  const value = valueAt(object, ...path);
  return value === undefined || value === null || value === '' ? '<none>' : String(value as string | number | boolean);
}

function size(value: unknown): number {
  return Object.keys(asObject(value)).length;
}

const servicePrinter: Printer = {
  columns: columns('Name', 'Type', 'Cluster-IP', 'External-IP', 'Port(s)', 'Age', '+Selector'),
  cells: (service, nowMs) => [
    name(service),
    asString(valueAt(service, 'spec', 'type')),
    text(service, 'spec', 'clusterIP'),
    externalAddresses(service),
    portsOf(service),
    age(service, nowMs),
    renderSelector({ matchLabels: valueAt(service, 'spec', 'selector') }) || '<none>',
  ],
};

function externalAddresses(service: JsonObject): string {
  const type = valueAt(service, 'spec', 'type');
  if (type === 'ExternalName') return text(service, 'spec', 'externalName');
  const own = asArray(valueAt(service, 'spec', 'externalIPs')).map(asString);
  if (type !== 'LoadBalancer') return own.join(',') || '<none>';
  const given = asArray(valueAt(service, 'status', 'loadBalancer', 'ingress')).map(
    (ingress) => asString(valueAt(ingress, 'ip')) || asString(valueAt(ingress, 'hostname')),
  );
  return [...given, ...own].join(',') || '<pending>';
}

function portsOf(service: JsonObject): string {
  const ports = asArray(valueAt(service, 'spec', 'ports')).map((port) => {
    const node = valueAt(port, 'nodePort');
    const number = String(valueAt(port, 'port') as number);
    return `${number}${typeof node === 'number' && node > 0 ? `:${node}` : ''}/${asString(valueAt(port, 'protocol'))}`;
  });
  return ports.join(',') || '<none>';
}

const MAX_ENDPOINTS = 3;

const endpointsPrinter: Printer = {
  columns: columns('Name', 'Endpoints', 'Age'),
  cells: (endpoints, nowMs) => [name(endpoints), renderEndpoints(endpoints), age(endpoints, nowMs)],
};

function renderEndpoints(endpoints: JsonObject): string {
  const all = asArray(endpoints['subsets']).flatMap((subset) =>
    asArray(valueAt(subset, 'ports')).flatMap((port) =>
      asArray(valueAt(subset, 'addresses')).map(
        (address) => `${asString(valueAt(address, 'ip'))}:${String(valueAt(port, 'port') as number)}`,
      ),
    ),
  );
  if (all.length === 0) return '<none>';
  const shown = all.slice(0, MAX_ENDPOINTS).join(',');
  return all.length > MAX_ENDPOINTS ? `${shown} + ${all.length - MAX_ENDPOINTS} more...` : shown;
}

const slicePrinter: Printer = {
  columns: columns('Name', 'AddressType', 'Ports', 'Endpoints', 'Age'),
  cells: (slice, nowMs) => {
    const ports = asArray(slice['ports']).map((port) => text(port, 'port'));
    const addresses = asArray(slice['endpoints']).flatMap((endpoint) =>
      asArray(valueAt(endpoint, 'addresses')).map(asString),
    );
    const more = addresses.length > MAX_ENDPOINTS ? ` + ${addresses.length - MAX_ENDPOINTS} more...` : '';
    return [
      name(slice),
      asString(slice['addressType']),
      ports.join(',') || '<unset>',
      addresses.length === 0 ? '<unset>' : addresses.slice(0, MAX_ENDPOINTS).join(',') + more,
      age(slice, nowMs),
    ];
  },
};

const ingressPrinter: Printer = {
  columns: columns('Name', 'Class', 'Hosts', 'Address', 'Ports', 'Age'),
  cells: (ingress, nowMs) => [
    name(ingress),
    text(ingress, 'spec', 'ingressClassName'),
    asArray(valueAt(ingress, 'spec', 'rules'))
      .map((rule) => asString(valueAt(rule, 'host')) || '*')
      .join(',') || '*',
    asArray(valueAt(ingress, 'status', 'loadBalancer', 'ingress'))
      .map((item) => asString(valueAt(item, 'ip')) || asString(valueAt(item, 'hostname')))
      .join(','),
    asArray(valueAt(ingress, 'spec', 'tls')).length > 0 ? '80, 443' : '80',
    age(ingress, nowMs),
  ],
};

const claimPrinter: Printer = {
  columns: columns(
    'Name',
    'Status',
    'Volume',
    'Capacity',
    'Access Modes',
    'StorageClass',
    'VolumeAttributesClass',
    'Age',
    '+VolumeMode',
  ),
  cells: (claim, nowMs) => {
    const bound = asString(valueAt(claim, 'spec', 'volumeName'));
    const deleted = valueAt(claim, 'metadata', 'deletionTimestamp') !== undefined;
    return [
      name(claim),
      deleted ? 'Terminating' : asString(valueAt(claim, 'status', 'phase')),
      bound,
      bound === '' ? '' : asString(valueAt(claim, 'status', 'capacity', 'storage')),
      bound === '' ? '' : renderModes(valueAt(claim, 'status', 'accessModes')),
      asString(valueAt(claim, 'spec', 'storageClassName')),
      '<unset>',
      age(claim, nowMs),
      asString(valueAt(claim, 'spec', 'volumeMode')),
    ];
  },
};

const MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

export function renderModes(modes: unknown): string {
  return asArray(modes)
    .map((mode) => MODES[asString(mode)] ?? '')
    .join(',');
}

const bindingPrinter: Printer = {
  columns: columns('Name', 'Role', 'Age', '+Users', '+Groups', '+ServiceAccounts'),
  cells: (binding, nowMs) => {
    const subjects = (kind: string): string =>
      asArray(binding['subjects'])
        .filter((subject) => valueAt(subject, 'kind') === kind)
        .map(
          (subject) =>
            (kind === 'ServiceAccount' ? `${asString(valueAt(subject, 'namespace'))}/` : '') +
            asString(valueAt(subject, 'name')),
        )
        .join(', ');
    const role = `${asString(valueAt(binding, 'roleRef', 'kind'))}/${asString(valueAt(binding, 'roleRef', 'name'))}`;
    return [name(binding), role, age(binding, nowMs), subjects('User'), subjects('Group'), subjects('ServiceAccount')];
  },
};

const quotaPrinter: Printer = {
  columns: columns('Name', 'Request', 'Limit', 'Age'),
  cells: (quota, nowMs) => {
    const hard = asObject(valueAt(quota, 'status', 'hard'));
    const used = asObject(valueAt(quota, 'status', 'used'));
    const show = (isLimit: boolean): string =>
      Object.keys(hard)
        .toSorted()
        .filter((key) => key.startsWith('limits.') === isLimit)
        .map((key) => `${key}: ${String(used[key] ?? '0')}/${String(hard[key])}`)
        .join(', ');
    return [name(quota), show(false), show(true), age(quota, nowMs)];
  },
};

export const corePrinters: Readonly<Record<string, Printer>> = {
  '/services': servicePrinter,
  '/endpoints': endpointsPrinter,
  '/configmaps': {
    columns: columns('Name', 'Data', 'Age'),
    cells: (object, nowMs) => [name(object), size(object['data']) + size(object['binaryData']), age(object, nowMs)],
  },
  '/secrets': {
    columns: columns('Name', 'Type', 'Data', 'Age'),
    cells: (object, nowMs) => [name(object), asString(object['type']), size(object['data']), age(object, nowMs)],
  },
  '/serviceaccounts': {
    columns: columns('Name', 'Secrets', 'Age'),
    cells: (object, nowMs) => [name(object), asArray(object['secrets']).length, age(object, nowMs)],
  },
  '/persistentvolumeclaims': claimPrinter,
  '/resourcequotas': quotaPrinter,
  'discovery.k8s.io/endpointslices': slicePrinter,
  'networking.k8s.io/ingresses': ingressPrinter,
  'networking.k8s.io/networkpolicies': {
    columns: columns('Name', 'Pod-Selector', 'Age'),
    cells: (object, nowMs) => [
      name(object),
      renderSelector(valueAt(object, 'spec', 'podSelector')) || '<none>',
      age(object, nowMs),
    ],
  },
  'rbac.authorization.k8s.io/rolebindings': bindingPrinter,
  'rbac.authorization.k8s.io/clusterrolebindings': bindingPrinter,
  'coordination.k8s.io/leases': {
    columns: columns('Name', 'Holder', 'Age'),
    cells: (object, nowMs) => [name(object), asString(valueAt(object, 'spec', 'holderIdentity')), age(object, nowMs)],
  },
  'policy/poddisruptionbudgets': {
    columns: columns('Name', 'Min Available', 'Max Unavailable', 'Allowed Disruptions', 'Age'),
    cells: (object, nowMs) => [
      name(object),
      text(object, 'spec', 'minAvailable').replace('<none>', 'N/A'),
      text(object, 'spec', 'maxUnavailable').replace('<none>', 'N/A'),
      Number(valueAt(object, 'status', 'disruptionsAllowed') ?? 0),
      age(object, nowMs),
    ],
  },
  'autoscaling/horizontalpodautoscalers': {
    columns: columns('Name', 'Reference', 'Targets', 'MinPods', 'MaxPods', 'Replicas', 'Age'),
    cells: (object, nowMs) => [
      name(object),
      `${text(object, 'spec', 'scaleTargetRef', 'kind')}/${text(object, 'spec', 'scaleTargetRef', 'name')}`,
      '<unknown>',
      text(object, 'spec', 'minReplicas'),
      Number(valueAt(object, 'spec', 'maxReplicas') ?? 0),
      Number(valueAt(object, 'status', 'currentReplicas') ?? 0),
      age(object, nowMs),
    ],
  },
};
