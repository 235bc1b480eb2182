/** The suffix that generated objects get: ten letters of a SHA-256 over their content, as `kubectl` computes it. */

import type { Resource } from '../resource/resource.ts';
import { toJson } from '../yaml/json.ts';
import { textOf } from '../yaml/node.ts';
import type { Json, JsonObject } from '../patch/json-patch.ts';
import { sha256 } from './sha256.ts';

const unambiguous: Readonly<Record<string, string>> = { 0: 'g', 1: 'h', 3: 'k', a: 'm', e: 't' };

/** JSON with sorted keys and the escapes that Go writes. */
function goJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((item) => goJson(item)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const keys = Object.keys(value).sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
    return `{${keys.map((key) => `${goString(key)}:${goJson(value[key] ?? null)}`).join(',')}}`;
  }
  return typeof value === 'string' ? goString(value) : JSON.stringify(value);
}

function goString(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/gu,
    (part) => `\\u${part.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function field(resource: Resource, name: string): Json {
  const node = resource.node.get(name);
  if (node === undefined) return '';
  if (node.kind === 'sequence') return null;
  return node.kind === 'scalar' ? textOf(node) : toJson(node);
}

function hashed(resource: Resource): Json {
  if (resource.kind === 'ConfigMap') {
    const content: JsonObject = { kind: 'ConfigMap', name: '', data: field(resource, 'data') };
    if (resource.node.get('binaryData')?.kind === 'map') content['binaryData'] = field(resource, 'binaryData');
    return content;
  }
  if (resource.kind === 'Secret') {
    const content: JsonObject = {
      kind: 'Secret',
      type: field(resource, 'type'),
      name: '',
      data: field(resource, 'data'),
    };
    if (resource.node.get('stringData')?.kind === 'map') content['stringData'] = field(resource, 'stringData');
    return content;
  }
  return toJson(resource.node);
}

export function contentHash(resource: Resource): string {
  const hex = sha256(Buffer.from(goJson(hashed(resource))));
  return hex.slice(0, 10).replace(/[013ae]/gu, (digit) => unambiguous[digit] ?? digit);
}
