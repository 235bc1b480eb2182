/** Owns the short form of column lists: `+Name` is shown with `-o wide` only. */
import type { TableColumn } from './definition.ts';

export function columns(...names: readonly string[]): readonly TableColumn[] {
  return names.map((text) => {
    const wide = text.startsWith('+');
    const name = wide ? text.slice(1) : text;
    return { name, type: 'string', format: name === 'Name' ? 'name' : '', priority: wide ? 1 : 0 };
  });
}
