/** Owns the way text gets into pages: everything is escaped unless it is markup made here. */

/** Markup that is safe to place in a page as it is. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Insert = Markup | string | undefined | readonly Markup[];

/** A tagged template: strings are escaped for element content and quoted attributes, Markup is not, undefined is nothing. */
export function markup(parts: TemplateStringsArray, ...inserts: readonly Insert[]): Markup {
  return new Markup(parts.map((part, index) => part + render(inserts[index])).join(''));
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function render(insert: Insert): string {
  if (insert === undefined) return '';
  if (insert instanceof Markup) return insert.text;
  if (typeof insert === 'string') return insert.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
  return insert.map((markup) => markup.text).join('');
}
