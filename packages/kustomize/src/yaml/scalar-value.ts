/** A scalar node -> the JSON value that it renders as. */

import { KustomizeError } from '../errors.ts';
import { type ScalarNode, tags } from './node.ts';
import { refold } from './refold.ts';
import { parseFloatText, parseInteger, resolveTag } from './resolve-scalar.ts';
import { parseTimestamp } from './timestamp.ts';

export type ScalarValue =
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' };

function typedValue(tag: string, text: string): ScalarValue | undefined {
  switch (tag) {
    case tags.integer: {
      const value = parseInteger(text.replaceAll('_', ''));
      return value === undefined ? undefined : { kind: 'integer', value };
    }
    case tags.float:
      return { kind: 'float', value: parseFloatText(text) };
    case tags.boolean:
      return { kind: 'boolean', value: text.charAt(0).toLowerCase() === 't' };
    case tags.null:
      return { kind: 'null' };
    case tags.timestamp:
      return { kind: 'string', text: parseTimestamp(text) ?? text };
    case tags.binary:
      return { kind: 'string', text: Buffer.from(text, 'base64').toString('utf8') };
    default:
      return { kind: 'string', text };
  }
}

function actualTag(node: ScalarNode): string {
  const { tag, value } = node;
  if (tag === '') return node.quoted || value.includes('\n') ? tags.string : resolveTag(value);
  if (tag === tags.null && value === '' && node.quoted) return tags.string;
  if (tag !== tags.integer && tag !== tags.float && tag !== tags.boolean && tag !== tags.null && tag !== tags.timestamp)
    return tag;
  const found = resolveTag(value);
  // A typed value that took the place of a quoted one is written in its quotes, and so read as a string.
  if (node.quoted && found === tag) return tags.string;
  if (found === tag || (tag === tags.float && found === tags.integer)) return tag;
  throw new KustomizeError('YAML_VALUE', `cannot decode ${found} \`${value}\` as a ${tag}`, { line: node.line });
}

/** Throws YAML_VALUE when tag and text do not fit, and for what JSON cannot hold. */
export function scalarValue(node: ScalarNode): ScalarValue {
  if (node.folded && node.tag === tags.string) return { kind: 'string', text: refold(node.value) };
  const value = typedValue(actualTag(node), node.value);
  if (value === undefined)
    throw new KustomizeError('YAML_VALUE', `\`${node.value}\` is out of range`, { line: node.line });
  if (value.kind === 'float' && !Number.isFinite(value.value)) {
    throw new KustomizeError('YAML_VALUE', `\`${node.value}\` cannot be written as JSON`, {
      line: node.line,
      hint: 'quote it if a string is meant',
    });
  }
  return value;
}
