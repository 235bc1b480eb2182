/** Owns the unfolding of YAML aliases: every place gets its own value, and a document cannot unfold without bound. */
import { AppError } from '@kfctl/core';

/** A copy without shared or circular references; throws `YAML_INVALID` beyond `maxNodes` values. */
export function unshare(value: unknown, maxNodes: number): unknown {
  let left = maxNodes;
  const open = new Set<unknown>();
  const copy = (node: unknown): unknown => {
    left -= 1;
    if (left < 0) throw new AppError('YAML_INVALID', `aliases unfold to more than ${maxNodes} values`);
    if (typeof node !== 'object' || node === null) return node;
    if (open.has(node)) throw new AppError('YAML_INVALID', 'an anchor contains an alias of itself');
    open.add(node);
    const result = Array.isArray(node) ? node.map(copy) : copyMapping(node, copy);
    open.delete(node);
    return result;
  };
  return copy(value);
}

function copyMapping(node: object, copy: (node: unknown) => unknown): object {
  const result = {};
  for (const [key, inner] of Object.entries(node)) {
    // Not assignment: a key named __proto__ is data.
    Object.defineProperty(result, key, { value: copy(inner), enumerable: true, configurable: true, writable: true });
  }
  return result;
}
