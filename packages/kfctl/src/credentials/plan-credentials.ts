/** Owns the Secrets that kfctl makes for the platform: kept when they exist, made in memory when not, never on disk. */
import { randomToken, Secret } from '@kfctl/core';
import type { KubeClient } from '@kfctl/kube';
import type { Ownership } from '../apply/ownership.ts';
import type { PlannedObject } from '../plan/plan.ts';
import type { Rotation } from './rotation.ts';
import { generatePassword, hashPassword, matchesHash } from './password.ts';
import { planAssertionKey } from './plan-assertion-key.ts';
import { findReader, planSecret, readSecret } from './secret-object.ts';
import type { SecretPlace } from './secret-object.ts';

export const USER_SECRET = 'dex-user';

export interface CredentialInput {
  readonly client: Pick<KubeClient, 'get'>;
  readonly ownership: Ownership;
  /** What will be applied: a Secret is made only where something reads it. */
  readonly planned: readonly PlannedObject[];
  /** The installing user; undefined when no application has one. */
  readonly email: string | undefined;
  /** The password given now; undefined keeps the present one or generates the first. */
  readonly password: Secret | undefined;
  readonly clientId: string;
  readonly rotate: readonly Rotation[];
}

export interface Credentials {
  readonly planned: readonly PlannedObject[];
  /** Set when a password was made up: it must be shown, once. */
  readonly generatedPassword: Secret | undefined;
  readonly warnings: readonly string[];
}

/** Plans the client secret, the session key, the assertion key and the installing user's hash. */
export async function planCredentials(input: CredentialInput): Promise<Credentials> {
  const user = await planUser(input);
  const shared = [...(await planClientSecrets(input)), ...(await planAssertionKey(input))];
  return { ...user, planned: [...user.planned, ...shared] };
}

/** The secret that Dex and the AuthService share, and the key that seals sessions. */
async function planClientSecrets(input: CredentialInput): Promise<PlannedObject[]> {
  const dex = findReader(input.planned, 'dex-oidc-client');
  const authservice = findReader(input.planned, 'authservice');
  const planned: PlannedObject[] = [];
  const presentDex = dex === undefined ? undefined : await readSecret(input.client, dex, input.ownership);
  const presentAuth =
    authservice === undefined ? undefined : await readSecret(input.client, authservice, input.ownership);
  const presentSecret = presentDex?.values.get('client-secret') ?? presentAuth?.values.get('client-secret');
  const clientSecret = keptOrNew(presentSecret, input.rotate.includes('client-secret'));
  if (dex !== undefined && presentDex?.foreign === false) {
    planned.push(planSecret(dex, { 'client-id': input.clientId, 'client-secret': clientSecret }));
  }
  if (authservice !== undefined && presentAuth?.foreign === false) {
    const sessionKey = keptOrNew(presentAuth.values.get('session-key'), input.rotate.includes('session-key'));
    planned.push(planSecret(authservice, { 'client-secret': clientSecret, 'session-key': sessionKey }));
  }
  return planned;
}

function keptOrNew(present: Secret | undefined, rotate: boolean): Secret {
  return present === undefined || rotate ? new Secret(randomToken(32)) : present;
}

async function planUser(input: CredentialInput): Promise<Credentials> {
  const place = findReader(input.planned, USER_SECRET);
  if (place === undefined || input.email === undefined) return none();
  const present = await readSecret(input.client, place, input.ownership);
  if (present.foreign) return keptForeign(place, input.password);
  const hash = present.values.get('hash');
  const rotate = input.rotate.includes('password') && input.password === undefined;
  const kept =
    hash !== undefined &&
    !rotate &&
    (input.password === undefined || (await matchesHash(input.password, hash.reveal())));
  const generated = kept || input.password !== undefined ? undefined : generatePassword();
  const password = input.password ?? generated;
  const next = kept || password === undefined ? hash : new Secret(await hashPassword(password));
  if (next === undefined) return none();
  return {
    planned: [planSecret(place, { email: input.email, hash: next })],
    generatedPassword: generated,
    warnings: [],
  };
}

function none(): Credentials {
  return { planned: [], generatedPassword: undefined, warnings: [] };
}

function keptForeign(place: SecretPlace, password: Secret | undefined): Credentials {
  const text = `KUBEFLOW_PASSWORD was not used: the Secret ${place.namespace}/${place.name} was made by someone else`;
  return { ...none(), warnings: password === undefined ? [] : [text] };
}
