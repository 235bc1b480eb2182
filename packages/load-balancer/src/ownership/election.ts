/** Owns the order in which nodes are asked to announce an address; MetalLB's own, so that all speakers agree without a word. */

// Not `import`: the names of node:crypto bring Web Cryptography with them, 5 MB for nothing.
const { createHash } = process.getBuiltinModule('node:crypto');

/** How much a node is preferred; a node without a score has 0. */
export type Scores = ReadonlyMap<string, number>;

/** The nodes: the highest score first, of equals the lowest SHA-256 of `node#address`. */
export function rankNodes(nodes: Iterable<string>, address: string, scores: Scores = new Map()): readonly string[] {
  const ranked = [...new Set(nodes)].map((node) => ({
    node,
    score: scores.get(node) ?? 0,
    digest: createHash('sha256').update(`${node}#${address}`).digest(),
  }));
  return ranked
    .toSorted((left, right) => right.score - left.score || Buffer.compare(left.digest, right.digest))
    .map(({ node }) => node);
}
