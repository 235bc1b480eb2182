/** Owns the end of events: they are kept for an hour. */
import { delay, describeError } from '@kfctl/core';
import { resources } from '@kfctl/kube';
import type { CoreEvent } from '@kfctl/kube';
import type { ControllerDeps } from '../controller.ts';

const LIFETIME_MS = 3_600_000;
const SWEEP_MS = 600_000;

/** Runs until the signal aborts. */
export async function runEventExpiry(deps: ControllerDeps): Promise<void> {
  while (!deps.signal.aborted) {
    await sweep(deps).catch((error: unknown) =>
      deps.log.warn('cannot remove old events', { error: describeError(error) }),
    );
    await delay(SWEEP_MS, deps.signal);
  }
}

async function sweep({ client, now, signal }: ControllerDeps): Promise<void> {
  const { items } = await client.list(resources.events);
  const limit = now().getTime() - LIFETIME_MS;
  for (const event of items.filter((item) => timeOf(item) < limit)) {
    if (signal.aborted) return;
    const { name = '', namespace = '' } = event.metadata;
    await client.delete(resources.events, name, { namespace });
  }
}

function timeOf(event: CoreEvent): number {
  const text = event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? '';
  return Date.parse(text) || 0;
}
