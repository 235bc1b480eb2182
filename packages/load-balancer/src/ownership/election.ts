/** Owns the order in which nodes are asked to announce an address; MetalLB's own, so that all speakers agree without a word. */
import { createHash } from 'node:crypto';

/** The nodes, lowest SHA-256 of `node#address` first. */
export function rankNodes(nodes: Iterable<string>, address: string): readonly string[] {
  const digests = [...new Set(nodes)].map((node) => ({
    node,
    digest: createHash('sha256').update(`${node}#${address}`).digest(),
  }));
  return digests.toSorted((left, right) => Buffer.compare(left.digest, right.digest)).map(({ node }) => node);
}
