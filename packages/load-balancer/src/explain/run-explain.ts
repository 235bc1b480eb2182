/** Owns the program `load-balancer explain`: the cluster's objects as JSON in, findings as JSON out. No network, no cluster. */
import { text } from 'node:stream/consumers';
import { explain } from './explain.ts';
import type { BalancerWorld } from './world.ts';

/** The writer is our own kfctl of the same version; a field that is missing reads as none. */
export async function runExplain(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Promise<void> {
  const given = JSON.parse(await text(input)) as Partial<BalancerWorld>;
  const none: BalancerWorld = {
    namespace: 'metallb-system',
    loadBalancerClass: '',
    pools: [],
    advertisements: [],
    services: [],
    slices: [],
    nodes: [],
    namespaces: [],
    pods: [],
    leases: [],
    events: [],
  };
  output.write(`${JSON.stringify(await explain({ ...none, ...given }))}\n`);
}
