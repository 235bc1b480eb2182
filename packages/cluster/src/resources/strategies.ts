/** Owns the choice of behaviour for a kind. */
import type { Strategy } from './definition.ts';

export function strategyOf(_group: string, _plural: string): Strategy {
  return {};
}
