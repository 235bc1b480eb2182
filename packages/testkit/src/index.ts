/** The curated exports of testkit: fakes that keep the real contracts. For tests only. */
export { MemoryKubeClient } from './memory-kube-client.ts';
export type { MemoryCall } from './memory-kube-client.ts';
