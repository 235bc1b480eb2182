/** YAML text -> resources: documents are split, lists unwrapped, and every object must have a kind and a name. */

import { KustomizeError } from '../errors.ts';
import { type MapNode, type Node, isEmpty, isNull, textOf } from '../yaml/node.ts';
import { parseYaml } from '../yaml/parse-yaml.ts';
import { splitDocuments } from '../yaml/split-documents.ts';
import { Resource } from './resource.ts';

/** Objects of the text, in order; `file` is for messages. */
export function readResources(text: string, file?: string): Resource[] {
  return readNodes(text, file).map((node) => new Resource(node));
}

function readNodes(text: string, file: string | undefined): MapNode[] {
  const documents = splitDocuments(text, file);
  const nodes: MapNode[] = [];
  for (const document of documents) {
    const root = parseAt(document.text, document.line, file);
    if (root === undefined || isNull(root)) continue;
    for (const object of unwrap(root, documents.length === 1)) {
      if (!isEmpty(object)) nodes.push(requireObject(object, file, document.line));
    }
  }
  return expandLists(nodes, file);
}

function parseAt(text: string, firstLine: number, file: string | undefined): Node | undefined {
  try {
    return parseYaml(text);
  } catch (error) {
    if (!(error instanceof KustomizeError)) throw error;
    throw new KustomizeError(error.code, error.reason, {
      file,
      line: error.line === undefined ? undefined : error.line + firstLine - 1,
      hint: error.hint,
      cause: error,
    });
  }
}

/** A file that is nothing but one List stands for its items. */
function unwrap(root: Node, onlyDocument: boolean): readonly Node[] {
  if (!onlyDocument || root.kind !== 'map') return [root];
  const kind = textOf(root.get('kind'));
  if (kind !== 'List' && kind !== 'ResourceList') return [root];
  const items = root.get('items');
  if (items === undefined && root.get('functionConfig') === undefined) return [root];
  return items?.kind === 'sequence' ? items.items : [];
}

function requireObject(node: Node, file: string | undefined, firstLine: number): MapNode {
  const place = { file, line: node.line + firstLine - 1 };
  if (node.kind !== 'map')
    throw new KustomizeError('RESOURCE_INVALID', 'a resource must be a map with apiVersion, kind and metadata', place);
  const kind = textOf(node.get('kind'));
  if (kind === '') throw new KustomizeError('RESOURCE_INVALID', 'missing kind', { ...place, field: 'kind' });
  const metadata = node.get('metadata');
  const name = metadata?.kind === 'map' ? textOf(metadata.get('name')) : '';
  if (name === '' && !kind.endsWith('List')) {
    throw new KustomizeError('RESOURCE_INVALID', `missing metadata.name in ${kind}`, {
      ...place,
      field: 'metadata.name',
    });
  }
  return node;
}

/** A FooList stands for its items, which come after everything else. */
function expandLists(nodes: MapNode[], file: string | undefined): MapNode[] {
  if (!nodes.some((node) => isList(node))) return nodes;
  const objects: MapNode[] = [];
  for (const node of nodes) {
    if (!isList(node)) {
      objects.push(node);
      continue;
    }
    const items = node.get('items');
    if (isNull(items)) continue;
    if (items?.kind !== 'sequence') {
      throw new KustomizeError('RESOURCE_INVALID', 'the items of a list must be a list', {
        file,
        line: items?.line,
        field: 'items',
      });
    }
    // Items that are lists again are appended too, so the loop reaches them.
    nodes.push(...items.items.filter((item) => !isEmpty(item)).map((item) => requireObject(item, file, 1)));
  }
  return objects;
}

function isList(node: MapNode): boolean {
  return textOf(node.get('kind')).endsWith('List');
}
