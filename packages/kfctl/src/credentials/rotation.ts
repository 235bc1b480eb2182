/** Owns which credentials can be made anew while everything runs. */
import { kfctlError } from '../errors.ts';

export type Rotation = 'certificate' | 'client-secret' | 'session-key' | 'assertion-key' | 'password';

export const ROTATIONS: Readonly<Record<Rotation, string>> = {
  certificate: 'the gateway serves a new certificate of the same CA',
  'client-secret': 'Dex and the AuthService restart with a new shared secret',
  'session-key': 'the AuthService restarts with a new key: everybody has to log in again',
  'assertion-key':
    'the AuthService proves identities to the dashboard with a new key; the one before is believed until the next time',
  password: 'the first user gets the password of KUBEFLOW_PASSWORD, or a new one that is shown once',
};

/** Reads the names; throws `ARGUMENT_INVALID` naming the known ones. */
export function parseRotations(names: readonly string[]): Rotation[] {
  const known = Object.keys(ROTATIONS) as Rotation[];
  return names.map((name) => {
    const found = known.find((one) => one === name);
    if (found !== undefined) return found;
    throw kfctlError('ARGUMENT_INVALID', `cannot rotate ${JSON.stringify(name)}`, {
      hint: `Use one of: ${known.join(', ')}.`,
    });
  });
}
