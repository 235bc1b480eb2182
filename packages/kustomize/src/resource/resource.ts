/**
 * One Kubernetes object during a build: its node, and the history that references to it are repaired with (earlier names, the prefixes and
 * suffixes it got). The history stays beside the object; it never shows up in its annotations.
 */

import { KustomizeError } from '../errors.ts';
import {
  type MapNode,
  type Node,
  type SequenceNode,
  copyNode,
  isEmpty,
  isNull,
  plainNode,
  stringNode,
  textOf,
} from '../yaml/node.ts';
import { type ResourceId, effectiveNamespace, parseApiVersion } from './identity.ts';
import { ensureMap, setScalar } from './edit-node.ts';

export type Behavior = 'create' | 'merge' | 'replace' | '';

interface PreviousId {
  readonly name: string;
  readonly namespace: string;
  readonly kind: string;
}

export class Resource {
  node: MapNode;
  previous: PreviousId[] = [];
  prefixes: string[] = [];
  suffixes: string[] = [];
  behavior: Behavior = '';
  generated = false;
  needsHash = false;
  allowNameChange = false;
  allowKindChange = false;
  /** Names of the vars that read a field of this object. */
  varNames: string[] = [];
  /** Where the object came from and what changed it, when build metadata is asked for. */
  origin: string | undefined = undefined;
  transformations: string[] = [];

  constructor(node: MapNode) {
    this.node = node;
  }

  copy(): Resource {
    const copy = new Resource(copyNode(this.node));
    copy.takeHistory(this);
    copy.behavior = this.behavior;
    copy.generated = this.generated;
    copy.needsHash = this.needsHash;
    copy.allowNameChange = this.allowNameChange;
    copy.allowKindChange = this.allowKindChange;
    return copy;
  }

  takeHistory(other: Resource): void {
    this.previous = other.previous.slice();
    this.prefixes = other.prefixes.slice();
    this.suffixes = other.suffixes.slice();
    this.varNames = other.varNames.slice();
    this.origin = other.origin;
    this.transformations = other.transformations.slice();
  }

  /** True when the reference would keep something about the object in its annotations. */
  hasHistory(): boolean {
    return this.generated || this.previous.length > 0 || this.origin !== undefined || this.transformations.length > 0;
  }

  /** Earlier names, and that a generator made the object, which is why its name gets a hash. */
  forgetNames(): void {
    this.generated = false;
    this.needsHash = false;
    this.behavior = '';
    this.previous = [];
    this.prefixes = [];
    this.suffixes = [];
  }

  forgetOrigin(): void {
    this.origin = undefined;
    this.transformations = [];
  }

  get kind(): string {
    return textOf(this.node.get('kind'));
  }

  get apiVersion(): string {
    return textOf(this.node.get('apiVersion'));
  }

  get name(): string {
    return this.metadataText('name');
  }

  set name(name: string) {
    setScalar(ensureMap(this.node, 'metadata'), 'name', plainNode(name));
  }

  get namespace(): string {
    return this.metadataText('namespace');
  }

  set namespace(namespace: string) {
    if (namespace === '') this.metadata()?.remove('namespace');
    else setScalar(ensureMap(this.node, 'metadata'), 'namespace', plainNode(namespace));
  }

  setType(apiVersion: string, kind: string): void {
    setScalar(this.node, 'kind', plainNode(kind));
    setScalar(this.node, 'apiVersion', plainNode(apiVersion));
  }

  currentId(): ResourceId {
    return { ...parseApiVersion(this.apiVersion), kind: this.kind, name: this.name, namespace: this.namespace };
  }

  /** Earlier ids, the oldest first. */
  previousIds(): ResourceId[] {
    const version = parseApiVersion(this.apiVersion);
    return this.previous.map((id) => ({ ...version, ...id }));
  }

  originalId(): ResourceId {
    const [first] = this.previous;
    return first === undefined ? this.currentId() : { ...parseApiVersion(this.apiVersion), ...first };
  }

  /** Remembers the current id, so that references to it are found after a change. */
  rememberId(): void {
    const id = this.currentId();
    this.previous.push({ name: id.name, namespace: effectiveNamespace(id), kind: id.kind });
  }

  isGone(): boolean {
    return isEmpty(this.node);
  }

  labels(): Map<string, string> {
    return this.metadataMap('labels');
  }

  setLabels(labels: ReadonlyMap<string, string>): void {
    this.setMetadataMap('labels', labels);
  }

  annotations(): Map<string, string> {
    return this.metadataMap('annotations');
  }

  setAnnotations(annotations: ReadonlyMap<string, string>): void {
    this.setMetadataMap('annotations', annotations);
  }

  data(field: 'data' | 'binaryData'): Map<string, string> {
    const entries = this.node.get(field);
    const map = textMap(entries);
    if (entries?.kind !== 'map') return map;
    for (const [key] of map) if (isNull(entries.get(key))) map.set(key, '');
    return map;
  }

  setData(field: 'data' | 'binaryData', entries: ReadonlyMap<string, string>): void {
    this.node.remove(field);
    if (entries.size > 0) setStrings(ensureMap(this.node, field), entries);
  }

  private metadata(): MapNode | undefined {
    const metadata = this.node.get('metadata');
    return metadata?.kind === 'map' ? metadata : undefined;
  }

  private metadataText(field: string): string {
    const value = this.metadata()?.get(field);
    return isNull(value) ? '' : textOf(value);
  }

  private metadataMap(field: string): Map<string, string> {
    return textMap(this.metadata()?.get(field));
  }

  private setMetadataMap(field: string, entries: ReadonlyMap<string, string>): void {
    const metadata = ensureMap(this.node, 'metadata');
    metadata.remove(field);
    if (entries.size > 0) setStrings(ensureMap(metadata, field), entries);
  }
}

function textMap(node: Node | undefined): Map<string, string> {
  const entries = new Map<string, string>();
  if (node?.kind === 'sequence') return pairs(node);
  if (node?.kind !== 'map') return entries;
  for (const [index, key] of node.keys.entries()) if (!entries.has(key)) entries.set(key, textOf(node.values[index]));
  return entries;
}

/** A list where a map belongs (a patch can do that) is read as keys and values in turn, which is what the reference makes of it. */
function pairs(list: SequenceNode): Map<string, string> {
  if (list.items.length % 2 === 1)
    throw new KustomizeError('FIELD_INVALID', 'expected a map but found a list', { line: list.line });
  const entries = new Map<string, string>();
  for (let at = 0; at < list.items.length; at += 2) entries.set(textOf(list.items[at]), textOf(list.items[at + 1]));
  return entries;
}

function setStrings(map: MapNode, entries: ReadonlyMap<string, string>): void {
  for (const [key, value] of entries) map.set(key, stringNode(value));
}
