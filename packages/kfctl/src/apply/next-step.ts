/** Owns the advice to a person whose platform did not become ready: what the reasons call for. */
import type { Waiting } from './wait-for.ts';

const WORKLOADS: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'Job']);
const AGAIN = 'When it is mended, run the same command again: it continues where it stopped.';

/** The commands to paste, for the first trouble of each sort. */
export function nextStep(pending: readonly Waiting[]): string {
  const find = (pattern: RegExp): Waiting | undefined =>
    pending.find(
      ({ id, readiness }) => WORKLOADS.has(id.kind) && readiness.kind !== 'ready' && pattern.test(readiness.reason),
    );
  const steps: string[] = [];
  const [image, crash, unscheduled] = [
    find(/ImagePull|InvalidImageName|ErrImage/),
    find(/exit code/),
    find(/not scheduled/),
  ];
  if (image !== undefined) steps.push('Give the nodes the image: kubectl describe pods says which registry they ask.');
  if (crash !== undefined)
    steps.push(`Read what the program says: kubectl logs ${placeOf(crash)} --all-containers --previous`);
  if (unscheduled !== undefined) steps.push('Make room on a node: kubectl describe nodes');
  if (pending.some(({ id }) => id.kind === 'Service')) {
    steps.push(
      'The cluster gave the gateway no address: does it have a load balancer? If not, add the application metallb to app.yaml.',
    );
  }
  if (steps.length === 0) steps.push('Ask kfctl doctor; --timeout 15m waits longer.');
  return [...steps, AGAIN].join('\n      ');
}

function placeOf({ id }: Waiting): string {
  return `-n ${id.namespace} ${id.kind.toLowerCase()}/${id.name}`;
}
