/**
 * Owns the reading of XML from strangers: the part of XML 1.0 that SAML messages are made of, and no more. Document types,
 * entities, comments and processing instructions are refused, not skipped: each of them has made two readers of one
 * document see different people.
 */
import type { XmlAttribute, XmlElement } from './xml-tree.ts';

/** What was refused and where; the text is for the log. */
export class XmlRefused extends Error {}

const MAX_CHARACTERS = 1_000_000;
const MAX_DEPTH = 40;
const MAX_ELEMENTS = 20_000;
const MAX_ATTRIBUTES = 50;
/** Each element that declares one has a list of all: without a bound, few bytes would become many entries. */
const MAX_NAMESPACES = 100;

const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';
const DECLARATION =
  /^<\?xml version=(["'])1\.0\1(?: encoding=(["'])utf-8\2)?(?: standalone=(["'])(?:yes|no)\3)?\s*\?>/i;
const START_TAG = /<([A-Za-z_][\w.-]*)(?::([A-Za-z_][\w.-]*))?/y;
const ATTRIBUTE = /\s+([A-Za-z_][\w.-]*)(?::([A-Za-z_][\w.-]*))?\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const TAG_END = /\s*(\/?)>/y;
const END_TAG = /<\/([A-Za-z_][\w.-]*)(?::([A-Za-z_][\w.-]*))?\s*>/y;
const CDATA = /<!\[CDATA\[(.*?)\]\]>/sy;
const TEXT = /[^<]+/y;
// XML 1.0 §2.2: everything else is no character of XML.
const NO_CHARACTER = /[^\t\n\r\x20-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

interface Draft extends XmlElement {
  readonly children: (XmlElement | string)[];
  readonly parent: Draft | undefined;
}

interface Reader {
  readonly text: string;
  at: number;
  elements: number;
}

/** Reads a whole document of UTF-8; throws XmlRefused for anything that is not well-formed or not wanted. */
export function parseXml(bytes: Uint8Array): XmlElement {
  const text = decode(bytes);
  const reader: Reader = { text, at: DECLARATION.exec(text)?.[0].length ?? 0, elements: 0 };
  skipSpace(reader);
  const root = readTree(reader);
  skipSpace(reader);
  if (reader.at !== text.length) throw refused(reader, 'something follows the root element');
  return root;
}

function decode(bytes: Uint8Array): string {
  if (bytes.length > MAX_CHARACTERS) throw new XmlRefused('too long');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new XmlRefused('not UTF-8');
  }
  if (NO_CHARACTER.test(text)) throw new XmlRefused('holds characters that XML does not have');
  // XML 1.0 §2.11.
  return text.replaceAll(/\r\n?/g, '\n');
}

function skipSpace(reader: Reader): void {
  match(reader, /[\x20\t\n]*/y);
}

// With a stack of its own, so that depth is bounded by the rule and not by the engine.
function readTree(reader: Reader): XmlElement {
  const root = readStart(reader, undefined);
  let open: Draft | undefined = root.closed ? undefined : root.element;
  let depth = 1;
  while (open !== undefined) {
    const rest = reader.text.startsWith('</', reader.at);
    if (rest) {
      readEnd(reader, open);
      open = open.parent;
      depth -= 1;
      continue;
    }
    const text = readText(reader);
    if (text !== undefined) {
      open.children.push(text);
      continue;
    }
    const { element, closed } = readStart(reader, open);
    open.children.push(element);
    if (closed) continue;
    open = element;
    depth += 1;
    if (depth > MAX_DEPTH) throw refused(reader, 'nested too deeply');
  }
  return root.element;
}

function readText(reader: Reader): string | undefined {
  const cdata = match(reader, CDATA);
  if (cdata !== undefined) return cdata[1] ?? '';
  const text = match(reader, TEXT)?.[0];
  if (text?.includes(']]>') === true) throw refused(reader, 'text holds "]]>"');
  return text === undefined ? undefined : resolve(reader, text);
}

interface RawAttribute {
  readonly prefix: string;
  readonly name: string;
  readonly value: string;
}

function readStart(reader: Reader, parent: Draft | undefined): { readonly element: Draft; readonly closed: boolean } {
  const tag = match(reader, START_TAG);
  // Comments, document types, entities, instructions: whatever is no element ends here.
  if (tag === undefined) throw refused(reader, 'something other than elements and text');
  reader.elements += 1;
  if (reader.elements > MAX_ELEMENTS) throw refused(reader, 'too many elements');
  const [prefix, name] = qualified(tag[1], tag[2]);
  const raw = readAttributes(reader);
  const end = match(reader, TAG_END);
  if (end === undefined) throw refused(reader, 'a start tag is broken');
  const scope = declare(reader, parent?.scope ?? new Map(), raw);
  const namespace = prefix === '' ? (scope.get('') ?? '') : resolvePrefix(reader, scope, prefix);
  const attributes = raw.filter((one) => !isDeclaration(one)).map((one) => qualify(reader, scope, one));
  requireDistinct(reader, attributes);
  return { element: { prefix, name, namespace, attributes, scope, children: [], parent }, closed: end[1] === '/' };
}

function readAttributes(reader: Reader): readonly RawAttribute[] {
  const raw: RawAttribute[] = [];
  for (let found = match(reader, ATTRIBUTE); found !== undefined; found = match(reader, ATTRIBUTE)) {
    const [prefix, name] = qualified(found[1], found[2]);
    // XML 1.0 §3.3.3: white space as written becomes blanks, white space by reference stays.
    const written = (found[3] ?? found[4] ?? '').replaceAll(/[\t\n]/g, ' ');
    raw.push({ prefix, name, value: resolve(reader, written) });
    if (raw.length > MAX_ATTRIBUTES) throw refused(reader, 'too many attributes');
  }
  return raw;
}

function readEnd(reader: Reader, open: XmlElement): void {
  const tag = match(reader, END_TAG);
  const [prefix, name] = qualified(tag?.[1], tag?.[2]);
  if (tag === undefined || prefix !== open.prefix || name !== open.name) throw refused(reader, 'an end tag is wrong');
}

function isDeclaration({ prefix, name }: RawAttribute): boolean {
  return prefix === 'xmlns' || (prefix === '' && name === 'xmlns');
}

/** Namespaces in XML 1.0 §3: declarations of the element over those of its parents. */
function declare(
  reader: Reader,
  outer: ReadonlyMap<string, string>,
  raw: readonly RawAttribute[],
): ReadonlyMap<string, string> {
  const declarations = raw.filter(isDeclaration);
  if (declarations.length === 0) return outer;
  const scope = new Map(outer);
  const seen = new Set<string>();
  for (const { prefix, name, value } of declarations) {
    const declared = prefix === '' ? '' : name;
    if (seen.has(declared)) throw refused(reader, 'a namespace is declared twice');
    seen.add(declared);
    if (['xml', 'xmlns'].includes(declared) || value === XML_NAMESPACE || (declared !== '' && value === ''))
      throw refused(reader, 'a namespace declaration is not allowed');
    if (value === '') scope.delete('');
    else scope.set(declared, value);
  }
  if (scope.size > MAX_NAMESPACES) throw refused(reader, 'too many namespaces');
  return scope;
}

function resolvePrefix(reader: Reader, scope: ReadonlyMap<string, string>, prefix: string): string {
  const namespace = prefix === 'xml' ? XML_NAMESPACE : scope.get(prefix);
  if (namespace === undefined) throw refused(reader, 'a prefix stands for nothing');
  return namespace;
}

function qualify(reader: Reader, scope: ReadonlyMap<string, string>, raw: RawAttribute): XmlAttribute {
  return { ...raw, namespace: raw.prefix === '' ? '' : resolvePrefix(reader, scope, raw.prefix) };
}

function requireDistinct(reader: Reader, attributes: readonly XmlAttribute[]): void {
  const names = new Set(attributes.map(({ namespace, name }) => `{${namespace}}${name}`));
  if (names.size !== attributes.length) throw refused(reader, 'an attribute is given twice');
}

const ENTITIES: Readonly<Record<string, string | undefined>> = { lt: '<', gt: '>', amp: '&', apos: "'", quot: '"' };

/** The five entities that need no declaration, and references to characters; others are refused. */
function resolve(reader: Reader, text: string): string {
  if (!text.includes('&')) return text;
  return text.replaceAll(/&([^;&]{1,10});|&/g, (_all, name: string | undefined) => {
    const character =
      (Object.hasOwn(ENTITIES, name ?? '') ? ENTITIES[name ?? ''] : undefined) ?? characterOf(name ?? '');
    if (character === undefined || NO_CHARACTER.test(character)) throw refused(reader, 'an entity is unknown');
    return character;
  });
}

function characterOf(reference: string): string | undefined {
  const digits = /^#(?:(\d{1,7})|x([\da-fA-F]{1,6}))$/.exec(reference);
  if (digits === null) return undefined;
  const code = digits[1] === undefined ? Number.parseInt(digits[2] ?? '', 16) : Number(digits[1]);
  return code <= 0x10_ff_ff ? String.fromCodePoint(code) : undefined;
}

function qualified(first = '', second: string | undefined): readonly [string, string] {
  return second === undefined ? ['', first] : [first, second];
}

function match(reader: Reader, pattern: RegExp): RegExpExecArray | undefined {
  pattern.lastIndex = reader.at;
  const found = pattern.exec(reader.text) ?? undefined;
  if (found !== undefined) reader.at += found[0].length;
  return found;
}

function refused({ at }: Reader, message: string): XmlRefused {
  return new XmlRefused(`${message} (at character ${at})`);
}
