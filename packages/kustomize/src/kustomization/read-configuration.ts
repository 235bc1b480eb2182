/** Transformer configuration files (`configurations:`): more fields for the transformers. */

import { KustomizeError, inPlace } from '../errors.ts';
import type { NameReference } from '../field/name-references.ts';
import { type TransformerConfig, defaultConfig, emptyConfig, mergeConfigs } from '../field/transformer-config.ts';
import type { Loader } from '../files/loader.ts';
import { MapNode, type Node } from '../yaml/node.ts';
import { parseYaml } from '../yaml/parse-yaml.ts';
import { FieldReader, requireMap } from './field-reader.ts';
import { readFieldSpec } from './read-parts.ts';

const specFields = [
  'namePrefix',
  'nameSuffix',
  'namespace',
  'commonLabels',
  'templateLabels',
  'commonAnnotations',
  'varReference',
  'images',
  'replicas',
] as const;

/** The default configuration with what the files add. */
export function readConfigurations(loader: Loader, paths: readonly string[]): TransformerConfig {
  if (paths.length === 0) return defaultConfig;
  let added = emptyConfig;
  for (const path of paths) added = mergeConfigs(added, readConfiguration(loader, path));
  return mergeConfigs(defaultConfig, added);
}

function readConfiguration(loader: Loader, path: string): TransformerConfig {
  const file = loader.readText(path);
  return inPlace({ file: file.path }, () => {
    const root = parseYaml(file.text) ?? new MapNode();
    if (!(root instanceof MapNode))
      throw new KustomizeError('CONFIG_INVALID', 'a configuration is a map of fields', { line: root.line });
    // Fields that are not known are left alone, as the reference leaves them.
    const fields = new FieldReader(onlyKnown(root), [...specFields, 'nameReference']);
    const specs = Object.fromEntries(specFields.map((name) => [name, fields.list(name, readFieldSpec)]));
    return { ...emptyConfig, ...specs, nameReference: fields.list('nameReference', readNameReference) };
  });
}

function onlyKnown(root: MapNode): MapNode {
  const known = new Set([...specFields, 'nameReference'].map((name) => name.toLowerCase()));
  const map = new MapNode(root.line);
  for (const [index, key] of root.keys.entries()) {
    const value = root.values[index];
    if (value === undefined || !known.has(key.toLowerCase())) continue;
    map.keys.push(key);
    map.values.push(value);
  }
  return map;
}

function readNameReference(node: Node, path: string): NameReference {
  const fields = new FieldReader(requireMap(node, path), ['group', 'version', 'kind', 'fieldSpecs'], path);
  return {
    target: { group: fields.string('group'), version: fields.string('version'), kind: fields.string('kind') },
    referrers: fields.list('fieldSpecs', readFieldSpec),
  };
}
