/**
 * The first document of a YAML text -> nodes, with aliases copied in and merge keys merged. Lenient where the reference is lenient:
 * repeated keys and keys that are no strings are noted on the map and only refused when the map is rendered.
 */

import { KustomizeError } from '../errors.ts';
import type { Token } from './block-structure.ts';
import { MapBuilder } from './map-builder.ts';
import { type MapNode, type Node, ScalarNode, SequenceNode, copyNode, tags } from './node.ts';
import { resolveTag } from './resolve-scalar.ts';
import { Scanner } from './scanner.ts';

export interface ParseLimits {
  /** Nodes that aliases may add to a document. */
  readonly aliasNodes: number;
}

const defaultLimits: ParseLimits = { aliasNodes: 200_000 };

const notPrintable = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** Parses the first document; undefined when there is none. Throws YAML_SYNTAX with the line. */
export function parseYaml(text: string, limits: ParseLimits = defaultLimits): Node | undefined {
  const bad = notPrintable.exec(text);
  if (bad !== null) {
    throw new KustomizeError('YAML_SYNTAX', 'control characters are not allowed', {
      line: text.slice(0, bad.index).split('\n').length,
    });
  }
  return new Composer(text, limits).document();
}

interface Properties {
  anchor: string | undefined;
  tag: string;
  line: number;
}

class Composer {
  private readonly scanner: Scanner;
  private readonly anchors = new Map<string, Node>();
  private readonly open = new Set<string>();
  private budget: number;

  constructor(text: string, limits: ParseLimits) {
    this.scanner = new Scanner(text);
    this.budget = limits.aliasNodes;
  }

  document(): Node | undefined {
    while (this.peekType() === 'document-end') this.scanner.next();
    const first = this.scanner.peek();
    if (first.type !== 'document-start' && this.scanner.hasDirectives)
      throw unexpected(first, 'did not find expected <document start>');
    if (first.type === 'stream-end') return undefined;
    if (first.type === 'document-start') {
      this.scanner.next();
      const type = this.peekType();
      if (type === 'document-start' || type === 'document-end' || type === 'stream-end')
        return new ScalarNode('', tags.null, 1);
    }
    const node = this.node(true, false);
    this.scanner.peek();
    return node;
  }

  private peekType(): Token['type'] {
    return this.scanner.peek().type;
  }

  private node(block: boolean, indentless: boolean): Node {
    const first = this.scanner.peek();
    if (first.type === 'alias') return this.alias(this.scanner.next());
    const properties = this.properties(first);
    const { anchor } = properties;
    if (anchor === undefined) return this.content(properties, block, indentless);
    this.open.add(anchor);
    const node = this.content(properties, block, indentless);
    this.open.delete(anchor);
    this.anchors.set(anchor, node);
    return node;
  }

  private properties(first: Token): Properties {
    const properties: Properties = { anchor: undefined, tag: '', line: first.line };
    for (let count = 0; count < 2; count += 1) {
      const type = this.peekType();
      if (type === 'anchor' && properties.anchor === undefined) properties.anchor = this.scanner.next().value;
      else if (type === 'tag' && properties.tag === '') properties.tag = this.scanner.next().value;
      else break;
    }
    return properties;
  }

  private content(properties: Properties, block: boolean, indentless: boolean): Node {
    const token = this.scanner.peek();
    switch (token.type) {
      case 'plain':
      case 'quoted':
      case 'folded':
        this.scanner.next();
        return block || indentless ? scalar(token, properties.tag) : flowScalar(token, properties.tag);
      case 'block-entry':
        if (indentless) return this.blockSequence(token.line, true);
        break;
      case 'flow-sequence-start':
        return this.flowSequence();
      case 'flow-mapping-start':
        return this.flowMapping();
      case 'block-sequence-start':
        if (!block) break;
        this.scanner.next();
        return this.blockSequence(token.line, false);
      case 'block-mapping-start':
        if (block) return this.blockMapping();
        break;
      default:
        break;
    }
    if (properties.anchor !== undefined || properties.tag !== '')
      return scalar({ type: 'plain', value: '', line: properties.line }, properties.tag);
    throw unexpected(token, 'did not find expected node content');
  }

  private alias(token: Token): Node {
    const target = this.anchors.get(token.value);
    if (this.open.has(token.value)) {
      throw new KustomizeError('YAML_SYNTAX', `anchor '${token.value}' value contains itself`, { line: token.line });
    }
    if (target === undefined) throw unexpected(token, `unknown anchor '${token.value}' referenced`);
    this.budget -= countNodes(target, this.budget);
    if (this.budget < 0) {
      throw new KustomizeError('YAML_LIMIT', 'the document contains excessive aliasing', {
        line: token.line,
        hint: 'write the repeated parts out, or split the file',
      });
    }
    return copyNode(target);
  }

  private blockSequence(line: number, indentless: boolean): SequenceNode {
    const sequence = new SequenceNode(line);
    while (this.peekType() === 'block-entry') {
      const entry = this.scanner.next();
      const type = this.peekType();
      const empty =
        type === 'block-entry' || type === 'block-end' || (indentless && (type === 'key' || type === 'value'));
      sequence.items.push(empty ? emptyScalar(entry) : this.node(true, false));
    }
    if (indentless) return sequence;
    const end = this.scanner.next();
    if (end.type !== 'block-end') throw unexpected(end, "did not find expected '-' indicator");
    return sequence;
  }

  private blockMapping(): MapNode {
    const map = new MapBuilder(this.scanner.next().line);
    while (this.peekType() === 'key') {
      const key = this.blockPart(this.scanner.next());
      const value =
        this.peekType() === 'value' ? this.blockPart(this.scanner.next()) : emptyScalar(this.scanner.peek());
      map.add(key, value);
    }
    const end = this.scanner.next();
    if (end.type !== 'block-end') throw unexpected(end, 'did not find expected key');
    return map.finish();
  }

  private blockPart(indicator: Token): Node {
    const type = this.peekType();
    return type === 'key' || type === 'value' || type === 'block-end' ? emptyScalar(indicator) : this.node(true, true);
  }

  private flowSequence(): SequenceNode {
    const sequence = new SequenceNode(this.scanner.next().line);
    for (let first = true; this.peekType() !== 'flow-sequence-end'; first = false) {
      if (!first) this.flowEntry("did not find expected ',' or ']'");
      const type = this.peekType();
      if (type === 'flow-sequence-end') break;
      sequence.items.push(type === 'key' ? this.singlePair() : this.node(false, false));
    }
    this.scanner.next();
    return sequence;
  }

  private singlePair(): MapNode {
    const map = new MapBuilder(this.scanner.peek().line);
    const key = this.flowPart(this.scanner.next(), 'flow-sequence-end');
    const value =
      this.peekType() === 'value'
        ? this.flowPart(this.scanner.next(), 'flow-sequence-end')
        : emptyInFlow(this.scanner.peek());
    map.add(key, value);
    return map.finish();
  }

  private flowMapping(): MapNode {
    const map = new MapBuilder(this.scanner.next().line);
    for (let first = true; this.peekType() !== 'flow-mapping-end'; first = false) {
      if (!first) this.flowEntry("did not find expected ',' or '}'");
      const type = this.peekType();
      if (type === 'flow-mapping-end') break;
      const keyed = type === 'key';
      const key = keyed ? this.flowPart(this.scanner.next(), 'flow-mapping-end') : this.node(false, false);
      const hasValue = keyed && this.peekType() === 'value';
      const value = hasValue
        ? this.flowPart(this.scanner.next(), 'flow-mapping-end')
        : emptyInFlow(this.scanner.peek());
      map.add(key, value);
    }
    this.scanner.next();
    return map.finish();
  }

  private flowPart(indicator: Token, end: Token['type']): Node {
    const type = this.peekType();
    return type === 'value' || type === 'flow-entry' || type === end ? emptyInFlow(indicator) : this.node(false, false);
  }

  private flowEntry(problem: string): void {
    const token = this.scanner.next();
    if (token.type !== 'flow-entry') throw unexpected(token, problem);
  }
}

function unexpected(token: Token, reason: string): KustomizeError {
  return new KustomizeError('YAML_SYNTAX', reason, { line: token.line });
}

function emptyScalar(at: Token): ScalarNode {
  return new ScalarNode('', tags.null, at.line);
}

/** Nothing inside `{}` or `[]`: a null that is rendered as an empty string, which is what the reference makes of it. */
function emptyInFlow(at: Token): ScalarNode {
  const node = emptyScalar(at);
  node.quoted = true;
  return node;
}

function scalar(token: Token, tag: string): ScalarNode {
  const quoted = token.type !== 'plain';
  let actual = tag;
  if (tag === '' || tag === '!') {
    const plainTag = token.value === '<<' ? tags.merge : resolveTag(token.value);
    actual = quoted && tag === '' ? tags.string : plainTag;
  }
  const node = new ScalarNode(token.value, actual, token.line);
  node.folded = token.type === 'folded';
  node.quoted = quoted && (tag === '' || tag === '!' || tag === tags.string);
  return node;
}

/**
 * A scalar of a flow collection. The reference writes those with a colon in quotes before it reads them again, so that a time of day stays
 * the text it was.
 */
function flowScalar(token: Token, tag: string): ScalarNode {
  const node = scalar(token, tag);
  if (node.tag !== tags.timestamp || !node.value.includes(':')) return node;
  node.tag = tags.string;
  node.quoted = true;
  return node;
}

function countNodes(node: Node, limit: number): number {
  if (node.kind === 'scalar') return 1;
  const children = node.kind === 'map' ? node.values : node.items;
  let count = 1;
  for (const child of children) {
    count += countNodes(child, limit - count);
    if (count > limit) break;
  }
  return count;
}
