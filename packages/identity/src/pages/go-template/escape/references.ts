/** Owns character references in attributes: what the template's `&quot;` means to the script or address in there. */

/** Of the hundreds of names those that templates write; another one makes the place one where no data can go. */
const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  AMP: '&',
  lt: '<',
  LT: '<',
  gt: '>',
  GT: '>',
  quot: '"',
  QUOT: '"',
  apos: "'",
  nbsp: '\u00A0',
  colon: ':',
  sol: '/',
  quest: '?',
  num: '#',
  lpar: '(',
  rpar: ')',
  semi: ';',
  comma: ',',
  period: '.',
  equals: '=',
  plus: '+',
  Tab: '\t',
  NewLine: '\n',
};
/** These need no semicolon. */
const BARE = /^(?:amp|lt|gt|quot|nbsp)$|^(?:AMP|LT|GT|QUOT)$/;
const MAX_LENGTH = 12;

export interface ReferenceDecoder {
  /** What the text means, as far as it is known. */
  decode(text: string): string;
  /** What was held back because a reference may have begun; it is none. */
  flush(): string;
  /** Whether there was a reference whose meaning is not known here. */
  readonly unknown: boolean;
}

/** HTML Standard §13.2.5.72. */
export function createReferenceDecoder(): ReferenceDecoder {
  let held = '';
  let unknown = false;
  const flush = (): string => {
    const text = held;
    held = '';
    return text;
  };
  const step = (character: string): string => {
    if (held === '') {
      if (character !== '&') return character;
      held = '&';
      return '';
    }
    if (/[\w#]/.test(character) && held.length < MAX_LENGTH) {
      held += character;
      return '';
    }
    const name = flush().slice(1);
    const meaning = character === ';' ? lookUp(name) : undefined;
    if (meaning !== undefined) return meaning;
    if (character !== '=' && BARE.test(name)) return `${lookUp(name) ?? ''}${step(character)}`;
    // `&copy=1` in an address is text; `&copy;` and `&#58 ` are not.
    unknown ||= character === ';' || name.startsWith('#');
    return `&${name}${step(character)}`;
  };
  return {
    decode: (text) => {
      if (held === '' && !text.includes('&')) return text;
      let out = '';
      for (const character of text) out += step(character);
      return out;
    },
    flush,
    get unknown() {
      return unknown;
    },
  };
}

function lookUp(name: string): string | undefined {
  const number = /^#(?:[xX]([\da-fA-F]{1,6})|(\d{1,7}))$/.exec(name);
  if (number === null) return Object.hasOwn(NAMED, name) ? NAMED[name] : undefined;
  const code = number[1] === undefined ? Number(number[2]) : Number.parseInt(number[1], 16);
  return code > 0 && code <= 0x10_ff_ff ? String.fromCodePoint(code) : undefined;
}
