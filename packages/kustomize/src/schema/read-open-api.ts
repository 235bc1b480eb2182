/** `openapi.path` — an OpenAPI document whose definitions say how the lists of types are merged; see schema-set.ts for what it replaces. */

import { KustomizeError } from '../errors.ts';
import { apiVersionOf } from '../resource/identity.ts';
import { MapNode, type Node, textOf } from '../yaml/node.ts';
import { parseYaml } from '../yaml/parse-yaml.ts';
import type { ListSchema, ObjectSchema, Schema, SchemaLookup } from './merge-schema.ts';

const definitionPrefix = '#/definitions/';

export function readOpenApi(text: string): SchemaLookup {
  const root = parseYaml(text);
  const definitions = root?.kind === 'map' ? root.get('definitions') : undefined;
  if (!(definitions instanceof MapNode))
    throw new KustomizeError('CONFIG_INVALID', 'an OpenAPI document has definitions');
  const reader = new OpenApi(definitions);
  const types = new Map<string, string>();
  for (const name of definitions.keys) {
    const type = typeOf(definitions.get(name));
    if (type !== undefined) types.set(type, name);
  }
  return (apiVersion, kind) => {
    const name = types.get(`${apiVersion}/${kind}`);
    return name === undefined ? undefined : reader.object(definitions.get(name));
  };
}

function field(node: Node | undefined, name: string): Node | undefined {
  return node?.kind === 'map' ? node.get(name) : undefined;
}

function typeOf(definition: Node | undefined): string | undefined {
  const types = field(definition, 'x-kubernetes-group-version-kind');
  if (types?.kind !== 'sequence' || types.items.length !== 1) return undefined;
  const [type] = types.items;
  const [group, version, kind] = ['group', 'version', 'kind'].map((name) => textOf(field(type, name)));
  return `${apiVersionOf({ group: group ?? '', version: version ?? '', kind: '' })}/${kind ?? ''}`;
}

class OpenApi {
  private readonly definitions: MapNode;
  private readonly known = new Map<Node, ObjectSchema>();

  constructor(definitions: MapNode) {
    this.definitions = definitions;
  }

  private resolve(node: Node | undefined): Node | undefined {
    let current = node;
    for (let hops = 0; hops < 20; hops += 1) {
      const reference = textOf(field(current, '$ref'));
      if (!reference.startsWith(definitionPrefix)) return current;
      current = this.definitions.get(reference.slice(definitionPrefix.length));
    }
    throw new KustomizeError('CONFIG_INVALID', 'the OpenAPI definitions refer to each other in a circle');
  }

  /** Made on first use, and only once per definition: definitions may refer to themselves. */
  object(definition: Node | undefined): ObjectSchema | undefined {
    const node = this.resolve(definition);
    const properties = field(node, 'properties');
    if (node === undefined || properties?.kind !== 'map') return undefined;
    const known = this.known.get(node);
    if (known !== undefined) return known;
    const fields: Record<string, Schema> = {};
    const schema: ObjectSchema = { kind: 'object', fields };
    this.known.set(node, schema);
    for (const [index, name] of properties.keys.entries()) {
      const value = this.schema(properties.values[index]);
      if (value !== undefined) Object.defineProperty(fields, name, { value, enumerable: true });
    }
    return schema;
  }

  private schema(property: Node | undefined): Schema | undefined {
    const node = this.resolve(property);
    const strategy = textOf(field(node, 'x-kubernetes-patch-strategy')).split(',');
    if (textOf(field(node, 'type')) !== 'array') return this.object(node);
    return strategy.includes('merge') ? this.list(node) : undefined;
  }

  private list(node: Node | undefined): ListSchema {
    const keys = field(node, 'x-kubernetes-list-map-keys');
    const mergeKey = textOf(field(node, 'x-kubernetes-patch-merge-key'));
    const single = mergeKey === '' ? [] : [mergeKey];
    return {
      kind: 'list',
      keys: keys?.kind === 'sequence' ? keys.items.map((item) => textOf(item)) : single,
      items: this.object(field(node, 'items')),
    };
  }
}
