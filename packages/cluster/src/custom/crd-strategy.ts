/** Owns the behaviour of CustomResourceDefinition objects: defaults, rules, and their status. */
import type { Strategy } from '../resources/definition.ts';
import type { FieldError } from '../registry/status-error.ts';
import { renderTime } from '../registry/object-meta.ts';
import { asArray, asObject, asString, ensureObject, isObject, setDefault, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';

export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

export function createCrdStrategy(now: () => Date): Strategy {
  return {
    countsGeneration: true,
    defaults: setCrdDefaults,
    prepareCreate: (crd) => {
      addFinalizer(crd);
      acceptNames(crd, now());
    },
    prepareUpdate: (crd) => acceptNames(crd, now()),
    validate: validateCrd,
  };
}

function setCrdDefaults(crd: JsonObject): void {
  const spec = ensureObject(crd, 'spec');
  const names = ensureObject(spec, 'names');
  const kind = asString(names['kind']);
  setDefault(names, 'singular', kind.toLowerCase());
  setDefault(names, 'listKind', `${kind}List`);
  setDefault(spec, 'conversion', { strategy: 'None' });
  for (const version of asArray(spec['versions'])) {
    const scale = valueAt(version, 'subresources', 'scale');
    if (isObject(scale)) setDefault(scale, 'specReplicasPath', '.spec.replicas');
  }
}

function addFinalizer(crd: JsonObject): void {
  const metadata = ensureObject(crd, 'metadata');
  const present = asArray(metadata['finalizers']);
  if (!present.includes(CLEANUP_FINALIZER)) metadata['finalizers'] = [...present, CLEANUP_FINALIZER];
}

/** The kind is served in the same turn, so it is established as soon as it is stored. */
function acceptNames(crd: JsonObject, now: Date): void {
  const spec = asObject(crd['spec']);
  const status = ensureObject(crd, 'status');
  const stored = asArray(spec['versions']).find((version) => valueAt(version, 'storage') === true);
  const name = asString(valueAt(stored, 'name'));
  const before = asArray(status['storedVersions']).map(asString);
  status['acceptedNames'] = spec['names'];
  status['storedVersions'] = before.includes(name) ? before : [...before, name];
  if (asArray(status['conditions']).length > 0) return;
  const lastTransitionTime = renderTime(now);
  status['conditions'] = [
    { lastTransitionTime, message: 'no conflicts found', reason: 'NoConflicts', status: 'True', type: 'NamesAccepted' },
    {
      lastTransitionTime,
      message: 'the initial names have been accepted',
      reason: 'InitialNamesAccepted',
      status: 'True',
      type: 'Established',
    },
  ];
}

function validateCrd(crd: JsonObject, old: JsonObject | undefined): readonly FieldError[] {
  const spec = asObject(crd['spec']);
  const names = asObject(spec['names']);
  const errors: FieldError[] = [];
  const require = (owner: JsonObject, field: string, path: string): void => {
    if (asString(owner[field]) === '') errors.push({ kind: 'required', field: path });
  };
  require(spec, 'group', 'spec.group');
  require(names, 'plural', 'spec.names.plural');
  require(names, 'kind', 'spec.names.kind');
  const expected = `${asString(names['plural'])}.${asString(spec['group'])}`;
  const name = valueAt(crd, 'metadata', 'name');
  if (name !== expected) {
    errors.push({
      kind: 'invalid',
      field: 'metadata.name',
      value: name,
      detail: 'must be spec.names.plural+"."+spec.group',
    });
  }
  if (spec['scope'] !== 'Namespaced' && spec['scope'] !== 'Cluster') {
    errors.push({
      kind: 'unsupported',
      field: 'spec.scope',
      value: asString(spec['scope']),
      detail: 'supported values: "Cluster", "Namespaced"',
    });
  }
  if (spec['preserveUnknownFields'] === true) {
    const detail =
      'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
    errors.push({ kind: 'invalid', field: 'spec.preserveUnknownFields', value: true, detail });
  }
  return [
    ...errors,
    ...validateVersions(spec),
    ...(old === undefined ? [] : validateUnchanged(spec, asObject(old['spec']))),
  ];
}

function validateVersions(spec: JsonObject): FieldError[] {
  const versions = asArray(spec['versions']).map(asObject);
  const errors: FieldError[] = [];
  if (versions.filter((version) => version['storage'] === true).length !== 1) {
    errors.push({
      kind: 'invalid',
      field: 'spec.versions',
      value: versions.map((version) => version['name']),
      detail: 'must have exactly one version marked as storage version',
    });
  }
  for (const [index, version] of versions.entries()) {
    const field = `spec.versions[${index}]`;
    if (!/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(asString(version['name']))) {
      errors.push({
        kind: 'invalid',
        field: `${field}.name`,
        value: version['name'],
        detail: 'must be a DNS-1035 label',
      });
    }
    if (!isObject(valueAt(version, 'schema', 'openAPIV3Schema'))) {
      errors.push({ kind: 'required', field: `${field}.schema.openAPIV3Schema`, detail: 'schemas are required' });
    } else if (valueAt(version, 'schema', 'openAPIV3Schema', 'type') !== 'object') {
      errors.push({
        kind: 'invalid',
        field: `${field}.schema.openAPIV3Schema.type`,
        value: valueAt(version, 'schema', 'openAPIV3Schema', 'type') ?? '',
        detail: 'must be object at the root',
      });
    }
  }
  return errors;
}

function validateUnchanged(spec: JsonObject, old: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  for (const path of [['group'], ['scope'], ['names', 'plural'], ['names', 'kind']]) {
    const value = valueAt(spec, ...path);
    if (value !== valueAt(old, ...path))
      errors.push({ kind: 'invalid', field: `spec.${path.join('.')}`, value, detail: 'field is immutable' });
  }
  return errors;
}
