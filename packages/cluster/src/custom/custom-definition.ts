/** Owns the step from a CustomResourceDefinition to a served resource. */
import { apiVersionOf } from '../resources/definition.ts';
import type { CustomSchema, ResourceDefinition, ScalePaths, ServedVersion, Strategy } from '../resources/definition.ts';
import { createColumnPrinter } from '../resources/column-printer.ts';
import { compareVersions } from '../discovery/version-order.ts';
import { asArray, asObject, asString, isObject, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import { applySchemaDefaults, hasDefaults } from './defaults.ts';
import { pruneObject } from './prune.ts';
import { readRootSchema } from './structural-schema.ts';
import { validateValue } from './validate-schema.ts';

const VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
const STRATEGY: Strategy = { requiresResourceVersion: true, countsGeneration: true };

export function defineCustomResource(crd: JsonObject): ResourceDefinition {
  const spec = asObject(crd['spec']);
  const names = asObject(spec['names']);
  const group = asString(spec['group']);
  const kind = asString(names['kind']);
  const plural = asString(names['plural']);
  const all = asArray(spec['versions']).map(asObject);
  const stored = all.find((version) => version['storage'] === true);
  const served = all.filter((version) => version['served'] === true);
  return {
    group,
    plural,
    singular: asString(names['singular']) || kind.toLowerCase(),
    kind,
    listKind: asString(names['listKind']) || `${kind}List`,
    namespaced: spec['scope'] === 'Namespaced',
    shortNames: asArray(names['shortNames']).map(asString),
    categories: asArray(names['categories']).map(asString),
    verbs: VERBS,
    versions: served
      .map((version) => defineVersion(version, { kind, group }))
      .toSorted((a, b) => compareVersions(a.version, b.version)),
    storedApiVersion: apiVersionOf(group, asString(stored?.['name'])),
    table: `${group}/${plural}`,
    strategy: STRATEGY,
    virtual: false,
    customResource: true,
  };
}

function defineVersion(
  version: JsonObject,
  { kind, group }: { readonly kind: string; readonly group: string },
): ServedVersion {
  const name = asString(version['name']);
  const schema = valueAt(version, 'schema', 'openAPIV3Schema');
  const openApi = isObject(schema) ? schema : undefined;
  const subresources = asObject(version['subresources']);
  const scale = scaleOf(subresources['scale']);
  const deprecated = version['deprecated'] === true;
  const warning = asString(version['deprecationWarning']) || `${group}/${name} ${kind} is deprecated`;
  let root: ServedVersion['schema'] | undefined;
  return {
    version: name,
    get schema() {
      root ??= readRootSchema(kind, openApi);
      return root;
    },
    subresources: new Set(Object.keys(subresources).filter((key) => key === 'status' || key === 'scale')),
    printer: createColumnPrinter(asArray(version['additionalPrinterColumns']).map(asObject)),
    custom: createCustomSchema(openApi),
    ...(scale === undefined ? {} : { scale }),
    ...(deprecated ? { deprecationWarning: warning } : {}),
  };
}

function createCustomSchema(openApi: JsonObject | undefined): CustomSchema {
  if (openApi === undefined) return { openApi, prune: () => [], applyDefaults: () => undefined, validate: () => [] };
  const hasAny = hasDefaults(openApi);
  // Metadata is judged by the rules of every object, whatever the schema says of it.
  const { metadata: _metadata, ...properties } = asObject(openApi['properties']);
  const judged = { ...openApi, properties };
  return {
    openApi,
    prune: (object) => pruneObject(object, openApi),
    applyDefaults: (object) => (hasAny ? applySchemaDefaults(object, judged) : undefined),
    validate: (object) => validateValue(object, judged),
  };
}

function scaleOf(value: unknown): ScalePaths | undefined {
  if (!isObject(value)) return undefined;
  const path = (text: unknown): string[] =>
    asString(text)
      .split('.')
      .filter((part) => part !== '');
  const selector = path(value['labelSelectorPath']);
  return {
    specReplicas: path(value['specReplicasPath']),
    statusReplicas: path(value['statusReplicasPath']),
    ...(selector.length > 0 ? { selector } : {}),
  };
}
