/** Owns the ports of a container whose program is not ours, on a machine that has 127.0.0.1 alone: what works there, and what does not. */
import type { RealPorts } from '../../overlay/real-ports.ts';
import { tellEvent } from '../pod-event.ts';
import type { Start } from './begun.ts';

/** Lets the declared ports lead to those of the machine, and tells in an event what the pod's owner has to know. */
export async function openRealPorts({ deps, runtime, pod, state }: Start, ports: RealPorts): Promise<void> {
  const failures: string[] = [];
  for (const { containerPort, protocol = 'TCP' } of state.spec.ports ?? []) {
    if (protocol !== 'TCP') continue;
    const problem = await ports.claim(runtime.ip, containerPort);
    if (problem !== undefined) failures.push(`${containerPort} (${problem})`);
  }
  const { name } = state.spec;
  const limits =
    `This machine has only the address 127.0.0.1. In container ${name}, Node programs reach and serve cluster addresses and names; ` +
    'others reach the API server and the load balancer only, and serve their declared ports at 127.0.0.1';
  const taken = failures.length === 0 ? '' : `. Not available there: ${failures.join(', ')}; declare other ports`;
  const message = `${limits}${taken}`;
  if (runtime.told.has(message)) return;
  runtime.told.add(message);
  tellEvent(deps, pod, { type: failures.length === 0 ? 'Normal' : 'Warning', reason: 'SingleAddress', message });
}
