/** Patch text -> a strategic merge patch (objects) or a JSON patch (operations); which one it is follows from its shape. */

import { KustomizeError } from '../errors.ts';
import { readResources } from '../resource/read-resources.ts';
import type { Resource } from '../resource/resource.ts';
import { type Node, MapNode, isNull, textOf } from '../yaml/node.ts';
import { toOldJson } from '../yaml/old-dialect.ts';
import { parseYaml } from '../yaml/parse-yaml.ts';
import { splitDocuments } from '../yaml/split-documents.ts';
import type { PatchOperation } from './json-patch.ts';

export type ParsedPatch =
  | { readonly kind: 'strategic'; readonly objects: readonly Resource[] }
  | { readonly kind: 'json'; readonly operations: readonly PatchOperation[] };

export function parsePatch(text: string, file?: string): ParsedPatch {
  const operations = listDocument(text);
  if (operations !== undefined) return { kind: 'json', operations: parseOperations(operations, file) };
  const objects = readResources(text, file);
  if (objects.length > 0) return { kind: 'strategic', objects };
  throw new KustomizeError('PATCH_INVALID', 'the patch is empty', {
    file,
    hint: 'write an object to merge, or a list of JSON patch operations',
  });
}

/** Operations of a text that must be a JSON patch. */
export function parseJsonPatch(text: string, file?: string): readonly PatchOperation[] {
  const root = parseYaml(text);
  if (root === undefined) throw new KustomizeError('PATCH_INVALID', 'the JSON patch is empty', { file });
  return parseOperations(root, file);
}

function listDocument(text: string): Node | undefined {
  const documents = splitDocuments(text);
  if (documents.length !== 1) return undefined;
  const root = tryParse(text);
  return root?.kind === 'sequence' ? root : undefined;
}

/** A text that is no YAML is reported by the reader of objects, which knows its lines. */
function tryParse(text: string): Node | undefined {
  try {
    return parseYaml(text);
  } catch (error) {
    if (error instanceof KustomizeError) return undefined;
    throw error;
  }
}

function parseOperations(root: Node, file: string | undefined): PatchOperation[] {
  if (root.kind !== 'sequence') {
    throw new KustomizeError('PATCH_INVALID', 'a JSON patch is a list of operations', { file, line: root.line });
  }
  if (root.items.length === 0)
    throw new KustomizeError('PATCH_INVALID', 'the JSON patch has no operations', { file, line: root.line });
  return root.items.map((item) => parseOperation(item, file));
}

function parseOperation(node: Node, file: string | undefined): PatchOperation {
  if (!(node instanceof MapNode))
    throw new KustomizeError('PATCH_INVALID', 'a JSON patch operation is a map', { file, line: node.line });
  const value = node.get('value');
  const path = node.get('path');
  if (path === undefined || isNull(path)) {
    throw new KustomizeError('PATCH_INVALID', 'a JSON patch operation needs a path', {
      file,
      line: node.line,
      field: 'path',
    });
  }
  const from = node.get('from');
  return {
    op: textOf(node.get('op')),
    path: textOf(path),
    from: from === undefined ? undefined : textOf(from),
    value: value === undefined ? undefined : toOldJson(value),
  };
}
