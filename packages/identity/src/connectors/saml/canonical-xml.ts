/**
 * Owns canonical XML: the one spelling of an element that signatures are made over (Canonical XML 1.0, Exclusive XML
 * Canonicalization 1.0). Comments do not exist in our trees, so the forms with and without them are the same.
 */
import type { XmlAttribute, XmlElement } from './xml-tree.ts';

export interface Canonicalization {
  readonly exclusive: boolean;
  /** Exclusive form: prefixes treated as the inclusive form would, '' for the default namespace. */
  readonly inclusivePrefixes: ReadonlySet<string>;
  /** A child left out (the enveloped signature). */
  readonly without?: XmlElement;
}

export function canonicalize(element: XmlElement, form: Canonicalization): Buffer {
  const parts: string[] = [];
  write(element, form, { parts, rendered: new Map() });
  return Buffer.from(parts.join(''), 'utf8');
}

interface Output {
  readonly parts: string[];
  /** What the ancestors in the output declare. */
  readonly rendered: ReadonlyMap<string, string>;
}

function write(element: XmlElement, form: Canonicalization, { parts, rendered }: Output): void {
  const declarations = declarationsOf(element, form, rendered);
  const tag = element.prefix === '' ? element.name : `${element.prefix}:${element.name}`;
  parts.push('<', tag);
  for (const [prefix, namespace] of declarations)
    parts.push(prefix === '' ? ' xmlns="' : ` xmlns:${prefix}="`, escapeAttribute(namespace), '"');
  for (const { prefix, name, value } of element.attributes.toSorted(byName))
    parts.push(' ', prefix === '' ? name : `${prefix}:${name}`, '="', escapeAttribute(value), '"');
  parts.push('>');
  const inner = { parts, rendered: declarations.length === 0 ? rendered : new Map([...rendered, ...declarations]) };
  for (const child of element.children) {
    if (typeof child === 'string') parts.push(escapeText(child));
    else if (child !== form.without) write(child, form, inner);
  }
  parts.push('</', tag, '>');
}

type Declaration = readonly [prefix: string, namespace: string];

// Exclusive §3, inclusive §2.3: what is needed here and not yet said, the default namespace first, then by prefix.
function declarationsOf(
  element: XmlElement,
  { exclusive, inclusivePrefixes }: Canonicalization,
  rendered: ReadonlyMap<string, string>,
): readonly Declaration[] {
  const used = new Set([element.prefix, ...element.attributes.map((one) => one.prefix).filter((one) => one !== '')]);
  const wanted = exclusive ? new Set([...used, ...inclusivePrefixes]) : new Set([...element.scope.keys(), '']);
  wanted.delete('xml');
  return [...wanted]
    .filter((prefix) => prefix === '' || element.scope.has(prefix))
    .map((prefix): Declaration => [prefix, element.scope.get(prefix) ?? ''])
    .filter(([prefix, namespace]) => (rendered.get(prefix) ?? '') !== namespace)
    .toSorted(([left], [right]) => compare(left, right));
}

// By namespace, then by local name; both by code point, as UTF-8 sorts.
function byName(left: XmlAttribute, right: XmlAttribute): number {
  return compare(left.namespace, right.namespace) || compare(left.name, right.name);
}

function compare(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
};

function escapeText(text: string): string {
  return text.replaceAll(/[&<>\r]/g, (character) => ESCAPES[character] ?? '');
}

function escapeAttribute(text: string): string {
  return text.replaceAll(/[&<"\t\n\r]/g, (character) => ESCAPES[character] ?? '');
}
