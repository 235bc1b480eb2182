/** Owns the key by which the AuthService proves identities to backends: one value, in a Secret of each namespace that reads it. */
import { randomToken, Secret } from '@kfctl/core';
import type { PlannedObject } from '../plan/plan.ts';
import type { CredentialInput } from './plan-credentials.ts';
import { findReaders, planSecret, readSecret } from './secret-object.ts';

export const ASSERTION_SECRET = 'identity-assertion';

const KEY = 'key';

/** A rotated key stands before the one that is in use, so that nobody is refused while the readers restart one after the other. */
export async function planAssertionKey(
  input: Pick<CredentialInput, 'client' | 'ownership' | 'planned' | 'rotate'>,
): Promise<PlannedObject[]> {
  const readers = findReaders(input.planned, ASSERTION_SECRET);
  const present = await Promise.all(
    readers.map(async (place) => ({ place, secret: await readSecret(input.client, place, input.ownership) })),
  );
  const foreign = present.find(({ secret }) => secret.foreign);
  const inUse = foreign ?? present.find(({ secret }) => secret.values.has(KEY));
  const value = nextValue(
    inUse?.secret.values.get(KEY),
    foreign === undefined && input.rotate.includes('assertion-key'),
  );
  return present.filter(({ secret }) => !secret.foreign).map(({ place }) => planSecret(place, { [KEY]: value }));
}

function nextValue(present: Secret | undefined, rotate: boolean): Secret {
  if (present !== undefined && !rotate) return present;
  const made = randomToken(32);
  const [before] = present?.reveal().split(',') ?? [];
  return new Secret(before === undefined ? made : `${made},${before}`);
}
