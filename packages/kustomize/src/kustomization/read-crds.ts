/** `crds:` — OpenAPI definitions of custom resources whose extensions say which fields are names, labels or annotations. */

import { KustomizeError, inPlace } from '../errors.ts';
import { type TransformerConfig, emptyConfig, mergeConfigs } from '../field/transformer-config.ts';
import type { FieldSpec } from '../field/field-spec.ts';
import type { Loader } from '../files/loader.ts';
import { MapNode, type Node, textOf } from '../yaml/node.ts';
import { parseYaml } from '../yaml/parse-yaml.ts';

const maxDepth = 50;

export function readCrds(loader: Loader, paths: readonly string[]): TransformerConfig {
  let config = emptyConfig;
  for (const [index, path] of paths.entries()) {
    const file = inPlace({ field: `crds[${index}]` }, () => loader.readText(path));
    config = mergeConfigs(
      config,
      inPlace({ file: file.path }, () => readDefinitions(file.text)),
    );
  }
  return config;
}

function child(node: Node | undefined, name: string): Node | undefined {
  if (node?.kind !== 'map') return undefined;
  const index = node.keys.findIndex((key) => key.toLowerCase() === name.toLowerCase());
  return node.get(name) ?? node.values[index];
}

function propertiesOf(definition: Node | undefined): MapNode {
  const properties = child(child(definition, 'Schema'), 'properties');
  return properties instanceof MapNode ? properties : new MapNode();
}

function readDefinitions(text: string): TransformerConfig {
  const root = parseYaml(text);
  if (!(root instanceof MapNode))
    throw new KustomizeError('CONFIG_INVALID', 'expected OpenAPI definitions by type name');
  let config = emptyConfig;
  for (const name of root.keys) {
    const properties = propertiesOf(root.get(name));
    if (!['kind', 'apiVersion', 'metadata'].every((field) => properties.keys.includes(field))) continue;
    if (name.split('.').length < 3) {
      throw new KustomizeError('CONFIG_INVALID', `'${name}' is no type name`, { hint: 'write group.version.kind' });
    }
    config = mergeConfigs(config, fieldsOf({ root, kind: name.split('.').at(-1) ?? '' }, name, []));
  }
  return config;
}

interface Scope {
  readonly root: MapNode;
  readonly kind: string;
}

function fieldsOf(scope: Scope, type: string, path: readonly string[]): TransformerConfig {
  if (path.length > maxDepth)
    throw new KustomizeError('CONFIG_INVALID', `the definitions of ${type} refer to themselves`);
  const properties = propertiesOf(scope.root.get(type));
  let config = emptyConfig;
  for (const [index, name] of properties.keys.entries()) {
    const property = properties.values[index];
    const at = [...path, name];
    config = mergeConfigs(config, propertyFields(scope, property, at));
    const reference = textOf(child(property, '$ref'));
    if (reference !== '') config = mergeConfigs(config, fieldsOf(scope, reference, at));
  }
  return config;
}

function propertyFields({ kind }: Scope, property: Node | undefined, path: readonly string[]): TransformerConfig {
  const spec = (extra: readonly string[] = []): FieldSpec => ({
    group: '',
    version: '',
    kind,
    path: [...path, ...extra].join('/'),
    create: false,
  });
  const has = (extension: string): boolean => child(property, extension)?.kind === 'scalar';
  const version = child(property, 'x-kubernetes-object-ref-api-version');
  const refKind = child(property, 'x-kubernetes-object-ref-kind');
  const nameKey = child(property, 'x-kubernetes-object-ref-name-key');
  const refers = version !== undefined && refKind !== undefined;
  return {
    ...emptyConfig,
    commonAnnotations: has('x-kubernetes-annotation') ? [spec()] : [],
    commonLabels: has('x-kubernetes-label-selector') ? [spec()] : [],
    namePrefix: has('x-kubernetes-identity') ? [spec()] : [],
    nameReference: refers
      ? [
          {
            target: { group: '', version: textOf(version), kind: textOf(refKind) },
            referrers: [spec([nameKey === undefined ? 'name' : textOf(nameKey)])],
          },
        ]
      : [],
  };
}
