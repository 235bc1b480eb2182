/** Owns the behaviour of the kinds with little of it. */
import { asArray, asObject, asString, ensureObject, isEqual, isObject, setDefault, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import type { FieldError } from '../registry/status-error.ts';
import type { Strategy } from './definition.ts';
import { requiredErrors, validateData, validateFrozen } from './validation.ts';

const RBAC = 'rbac.authorization.k8s.io';

export const namespaceStrategy: Strategy = {
  nameRule: 'label',
  prepareCreate(namespace) {
    const spec = ensureObject(namespace, 'spec');
    const finalizers = asArray(spec['finalizers']);
    spec['finalizers'] = finalizers.includes('kubernetes') ? finalizers : [...finalizers, 'kubernetes'];
    namespace['status'] = { phase: 'Active' };
  },
  defaults(namespace) {
    const metadata = ensureObject(namespace, 'metadata');
    ensureObject(metadata, 'labels')['kubernetes.io/metadata.name'] = metadata['name'];
  },
  // Only the finalize subresource changes the finalizers.
  prepareUpdate(namespace, old) {
    if (namespace['spec'] === undefined) namespace['spec'] = old['spec'];
  },
};

export const configMapStrategy: Strategy = {
  validate: (object, old) => [
    ...validateData(object, ['data', 'binaryData']),
    ...validateFrozen(object, old, ['data', 'binaryData']),
  ],
};

const REQUIRED_SECRET_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
};

export const secretStrategy: Strategy = {
  defaults(secret) {
    setDefault(secret, 'type', 'Opaque');
    const texts = secret['stringData'];
    if (isObject(texts)) {
      const data = ensureObject(secret, 'data');
      for (const [key, value] of Object.entries(texts)) data[key] = Buffer.from(asString(value)).toString('base64');
    }
    delete secret['stringData'];
  },
  validate(secret, old) {
    const errors = [...validateData(secret, ['data']), ...validateFrozen(secret, old, ['data'])];
    const data = asObject(secret['data']);
    for (const key of REQUIRED_SECRET_KEYS[asString(secret['type'])] ?? []) {
      if (data[key] === undefined) errors.push({ kind: 'required', field: `data[${key}]` });
    }
    if (old !== undefined && old['type'] !== secret['type']) {
      errors.push({ kind: 'invalid', field: 'type', value: secret['type'], detail: 'field is immutable' });
    }
    return errors;
  },
};

export const bindingStrategy: Strategy = {
  nameRule: 'path',
  defaults(binding) {
    const role = ensureObject(binding, 'roleRef');
    setDefault(role, 'apiGroup', RBAC);
    for (const value of asArray(binding['subjects'])) {
      const subject = asObject(value);
      if (subject['kind'] === 'User' || subject['kind'] === 'Group') setDefault(subject, 'apiGroup', RBAC);
    }
  },
  validate(binding, old) {
    const errors = requiredErrors(binding, 'V1RoleBinding');
    const role = asObject(binding['roleRef']);
    if (role['kind'] !== 'Role' && role['kind'] !== 'ClusterRole') {
      errors.push({
        kind: 'unsupported',
        field: 'roleRef.kind',
        value: role['kind'] ?? '',
        detail: 'supported values: "ClusterRole", "Role"',
      });
    }
    for (const [index, value] of asArray(binding['subjects']).entries())
      errors.push(...validateSubject(asObject(value), `subjects[${index}]`, binding));
    if (old !== undefined && !isEqual(old['roleRef'], binding['roleRef'])) {
      errors.push({ kind: 'invalid', field: 'roleRef', value: binding['roleRef'], detail: 'cannot change roleRef' });
    }
    return errors;
  },
};

function validateSubject(subject: JsonObject, field: string, binding: JsonObject): FieldError[] {
  if (
    subject['kind'] === 'ServiceAccount' &&
    asString(subject['namespace']) === '' &&
    binding['kind'] === 'ClusterRoleBinding'
  ) {
    return [{ kind: 'required', field: `${field}.namespace` }];
  }
  if (subject['kind'] === 'ServiceAccount' || subject['kind'] === 'User' || subject['kind'] === 'Group') return [];
  return [
    {
      kind: 'unsupported',
      field: `${field}.kind`,
      value: subject['kind'] ?? '',
      detail: 'supported values: "ServiceAccount", "User", "Group"',
    },
  ];
}

export const roleStrategy: Strategy = {
  nameRule: 'path',
  validate(role) {
    const errors: FieldError[] = [];
    for (const [index, rule] of asArray(role['rules']).entries()) {
      const field = `rules[${index}]`;
      if (asArray(valueAt(rule, 'verbs')).length === 0)
        errors.push({ kind: 'required', field: `${field}.verbs`, detail: 'verbs must contain at least one value' });
      const urls = asArray(valueAt(rule, 'nonResourceURLs')).length > 0;
      if (urls) continue;
      if (asArray(valueAt(rule, 'apiGroups')).length === 0) {
        errors.push({
          kind: 'required',
          field: `${field}.apiGroups`,
          detail: 'resource rules must supply at least one api group',
        });
      }
      if (asArray(valueAt(rule, 'resources')).length === 0) {
        errors.push({
          kind: 'required',
          field: `${field}.resources`,
          detail: 'resource rules must supply at least one resource',
        });
      }
    }
    return errors;
  },
};

export const claimStrategy: Strategy = {
  defaults: (claim) => setDefault(ensureObject(claim, 'spec'), 'volumeMode', 'Filesystem'),
  prepareCreate: (claim) => void (claim['status'] = { phase: 'Pending' }),
  validate: (claim) => requiredErrors(claim, 'V1PersistentVolumeClaim'),
};

export const volumeStrategy: Strategy = {
  defaults(volume) {
    const spec = ensureObject(volume, 'spec');
    setDefault(spec, 'persistentVolumeReclaimPolicy', 'Retain');
    setDefault(spec, 'volumeMode', 'Filesystem');
  },
  prepareCreate: (volume) => void (volume['status'] = { phase: 'Pending' }),
};

export const networkPolicyStrategy: Strategy = {
  countsGeneration: true,
  defaults(policy) {
    const spec = ensureObject(policy, 'spec');
    if (spec['policyTypes'] === undefined)
      spec['policyTypes'] = spec['egress'] === undefined ? ['Ingress'] : ['Ingress', 'Egress'];
    for (const rule of [...asArray(spec['ingress']), ...asArray(spec['egress'])]) {
      for (const port of asArray(valueAt(rule, 'ports'))) setDefault(asObject(port), 'protocol', 'TCP');
    }
  },
};

export const storageClassStrategy: Strategy = {
  defaults(storageClass) {
    setDefault(storageClass, 'reclaimPolicy', 'Delete');
    setDefault(storageClass, 'volumeBindingMode', 'Immediate');
  },
};

export const endpointsStrategy: Strategy = {
  createsOnUpdate: true,
  defaults(endpoints) {
    for (const subset of asArray(endpoints['subsets'])) {
      for (const port of asArray(valueAt(subset, 'ports'))) setDefault(asObject(port), 'protocol', 'TCP');
    }
  },
};

export const endpointSliceStrategy: Strategy = {
  countsGeneration: true,
  defaults(slice) {
    for (const value of asArray(slice['ports'])) {
      const port = asObject(value);
      setDefault(port, 'name', '');
      setDefault(port, 'protocol', 'TCP');
    }
  },
};

export const generationStrategy: Strategy = { countsGeneration: true };
export const upsertStrategy: Strategy = { createsOnUpdate: true };
export const eventStrategy: Strategy = { createsOnUpdate: true };
