/** Owns the escaping of text for elements and attributes, byte for byte as Go's html/template does it. */
import { REPLACEMENT } from './context.ts';

const IN_TEXT: Readonly<Record<string, string>> = {
  '\0': '\uFFFD',
  '"': '&#34;',
  '&': '&amp;',
  "'": '&#39;',
  '<': '&lt;',
  '>': '&gt;',
};

/** What the function `html` gives. */
export function escapeMarkup(text: string): string {
  return text.replaceAll(/[\0"&'<>]/g, (character) => IN_TEXT[character] ?? '');
}

/** For elements, and for attributes between quotes. */
export function escapeText(text: string): string {
  return escapeMarkup(text).replaceAll('+', '&#43;');
}

/** Without quotes nothing may end the value: not space, not a quote, not nothing at all. */
export function escapeUnquoted(text: string): string {
  if (text === '') return REPLACEMENT;
  return text.replaceAll(/[\0\t\n\v\f\r "&'+<=>`]/g, (character) => {
    if (character === '\0') return '&#xfffd;';
    return character === '&' || character === '<' || character === '>'
      ? (IN_TEXT[character] ?? '')
      : `&#${character.charCodeAt(0)};`;
  });
}
