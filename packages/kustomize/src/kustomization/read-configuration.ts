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
  'labels',
  'commonAnnotations',
  'varReference',
  'images',
  'replicas',
] as const;

/** The default configuration with what the files add. */
export function readConfigurations(loader: Loader, paths: readonly string[]): TransformerConfig {
  if (paths.length === 0) return defaultConfig;
  let added = emptyConfig;
  for (const [index, path] of paths.entries()) {
    const file = inPlace({ field: `configurations[${index}]` }, () => loader.readText(path));
    added = mergeConfigs(added, readConfiguration(file));
  }
  return mergeConfigs(defaultConfig, added);
}

function readConfiguration(file: { readonly text: string; readonly path: string }): TransformerConfig {
  return inPlace({ file: file.path }, () => {
    const root = parseYaml(file.text) ?? new MapNode();
    if (!(root instanceof MapNode))
      throw new KustomizeError('CONFIG_INVALID', 'a configuration is a map of fields', { line: root.line });
    const fields = new FieldReader(root, [...specFields, 'nameReference']);
    const specs = Object.fromEntries(specFields.map((name) => [name, fields.list(name, readFieldSpec)]));
    return { ...emptyConfig, ...specs, nameReference: fields.list('nameReference', readNameReference) };
  });
}

function readNameReference(node: Node, path: string): NameReference {
  const fields = new FieldReader(requireMap(node, path), ['group', 'version', 'kind', 'fieldSpecs'], path);
  return {
    target: { group: fields.string('group'), version: fields.string('version'), kind: fields.string('kind') },
    referrers: fields.list('fieldSpecs', readFieldSpec),
  };
}
