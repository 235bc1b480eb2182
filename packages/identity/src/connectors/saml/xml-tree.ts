/** Owns the tree of an XML document and the questions that are asked of it. It keeps what canonical XML needs, and nothing else. */

export interface XmlAttribute {
  readonly prefix: string;
  readonly name: string;
  /** Empty for attributes without a prefix. */
  readonly namespace: string;
  readonly value: string;
}

export interface XmlElement {
  readonly prefix: string;
  /** The local name. */
  readonly name: string;
  readonly namespace: string;
  readonly attributes: readonly XmlAttribute[];
  /** All prefixes in scope, '' for the default namespace; prefixes that stand for nothing are absent. */
  readonly scope: ReadonlyMap<string, string>;
  readonly children: readonly (XmlElement | string)[];
  readonly parent: XmlElement | undefined;
}

/** `{namespace}name`, as in `the` and `childrenOf`. */
export interface XmlName {
  readonly namespace: string;
  readonly name: string;
}

export function isNamed(element: XmlElement, { namespace, name }: XmlName): boolean {
  return element.name === name && element.namespace === namespace;
}

export function elementsOf(element: XmlElement): readonly XmlElement[] {
  return element.children.filter((child): child is XmlElement => typeof child !== 'string');
}

export function childrenOf(element: XmlElement, name: XmlName): readonly XmlElement[] {
  return elementsOf(element).filter((child) => isNamed(child, name));
}

/** The element and everything below it, in document order. */
export function descendantsOf(element: XmlElement): readonly XmlElement[] {
  return [element, ...elementsOf(element).flatMap(descendantsOf)];
}

/** The value of an attribute without a prefix. */
export function attributeOf(element: XmlElement, name: string): string | undefined {
  return element.attributes.find((attribute) => attribute.name === name && attribute.namespace === '')?.value;
}

/** The text of an element that holds text alone; undefined when it holds elements, whose text could be read in two ways. */
export function textOf(element: XmlElement): string | undefined {
  const { children } = element;
  return children.every((child) => typeof child === 'string') ? children.join('') : undefined;
}
