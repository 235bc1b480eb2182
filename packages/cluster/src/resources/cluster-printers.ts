/** Owns the rows of cluster-scoped kinds. */
import { asArray, asObject, asString, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import { renderAge } from './cells.ts';
import { columns } from './columns.ts';
import { renderModes } from './core-printers.ts';
import type { Printer } from './definition.ts';

function name(object: JsonObject): string {
  return asString(valueAt(object, 'metadata', 'name'));
}

function age(object: JsonObject, nowMs: number): string {
  return renderAge(valueAt(object, 'metadata', 'creationTimestamp'), nowMs);
}

const nodePrinter: Printer = {
  columns: columns(
    'Name',
    'Status',
    'Roles',
    'Age',
    'Version',
    '+Internal-IP',
    '+External-IP',
    '+OS-Image',
    '+Kernel-Version',
    '+Container-Runtime',
  ),
  cells: (node, nowMs) => {
    const info = asObject(valueAt(node, 'status', 'nodeInfo'));
    return [
      name(node),
      nodeStatus(node),
      nodeRoles(node),
      age(node, nowMs),
      asString(info['kubeletVersion']),
      addressOf(node, 'InternalIP'),
      addressOf(node, 'ExternalIP'),
      asString(info['osImage']) || '<unknown>',
      asString(info['kernelVersion']) || '<unknown>',
      asString(info['containerRuntimeVersion']) || '<unknown>',
    ];
  },
};

function nodeStatus(node: JsonObject): string {
  const ready = asArray(valueAt(node, 'status', 'conditions')).find(
    (condition) => valueAt(condition, 'type') === 'Ready',
  );
  const status = ready === undefined ? 'Unknown' : valueAt(ready, 'status') === 'True' ? 'Ready' : 'NotReady';
  return valueAt(node, 'spec', 'unschedulable') === true ? `${status},SchedulingDisabled` : status;
}

function nodeRoles(node: JsonObject): string {
  const prefix = 'node-role.kubernetes.io/';
  const roles = Object.keys(asObject(valueAt(node, 'metadata', 'labels'))).filter((label) => label.startsWith(prefix));
  return (
    roles
      .map((label) => label.slice(prefix.length))
      .toSorted()
      .join(',') || '<none>'
  );
}

function addressOf(node: JsonObject, type: string): string {
  const found = asArray(valueAt(node, 'status', 'addresses')).find((address) => valueAt(address, 'type') === type);
  return asString(valueAt(found, 'address')) || '<none>';
}

const volumePrinter: Printer = {
  columns: columns(
    'Name',
    'Capacity',
    'Access Modes',
    'Reclaim Policy',
    'Status',
    'Claim',
    'StorageClass',
    'VolumeAttributesClass',
    'Reason',
    'Age',
    '+VolumeMode',
  ),
  cells: (volume, nowMs) => {
    const claim = asObject(valueAt(volume, 'spec', 'claimRef'));
    return [
      name(volume),
      asString(valueAt(volume, 'spec', 'capacity', 'storage')),
      renderModes(valueAt(volume, 'spec', 'accessModes')),
      asString(valueAt(volume, 'spec', 'persistentVolumeReclaimPolicy')),
      asString(valueAt(volume, 'status', 'phase')),
      claim['name'] === undefined ? '' : `${asString(claim['namespace'])}/${asString(claim['name'])}`,
      asString(valueAt(volume, 'spec', 'storageClassName')),
      '<unset>',
      asString(valueAt(volume, 'status', 'reason')),
      age(volume, nowMs),
      asString(valueAt(volume, 'spec', 'volumeMode')),
    ];
  },
};

const storageClassPrinter: Printer = {
  columns: columns('Name', 'Provisioner', 'ReclaimPolicy', 'VolumeBindingMode', 'AllowVolumeExpansion', 'Age'),
  cells: (object, nowMs) => {
    const isDefault =
      valueAt(object, 'metadata', 'annotations', 'storageclass.kubernetes.io/is-default-class') === 'true';
    return [
      isDefault ? `${name(object)} (default)` : name(object),
      asString(object['provisioner']),
      asString(object['reclaimPolicy']),
      asString(object['volumeBindingMode']),
      object['allowVolumeExpansion'] === true,
      age(object, nowMs),
    ];
  },
};

export const clusterPrinters: Readonly<Record<string, Printer>> = {
  '/namespaces': {
    columns: columns('Name', 'Status', 'Age'),
    cells: (object, nowMs) => [name(object), asString(valueAt(object, 'status', 'phase')), age(object, nowMs)],
  },
  '/nodes': nodePrinter,
  '/persistentvolumes': volumePrinter,
  'storage.k8s.io/storageclasses': storageClassPrinter,
  'networking.k8s.io/ingressclasses': {
    columns: columns('Name', 'Controller', 'Parameters', 'Age'),
    cells: (object, nowMs) => [
      name(object),
      asString(valueAt(object, 'spec', 'controller')),
      '<none>',
      age(object, nowMs),
    ],
  },
  'scheduling.k8s.io/priorityclasses': {
    columns: columns('Name', 'Value', 'Global-Default', 'Age', 'PreemptionPolicy'),
    cells: (object, nowMs) => [
      name(object),
      Number(object['value'] ?? 0),
      object['globalDefault'] === true,
      age(object, nowMs),
      asString(object['preemptionPolicy']) || 'PreemptLowerPriority',
    ],
  },
  'apiregistration.k8s.io/apiservices': {
    columns: columns('Name', 'Service', 'Available', 'Age'),
    cells: (object, nowMs) => [name(object), 'Local', 'True', age(object, nowMs)],
  },
};
