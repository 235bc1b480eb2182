/** Owns the judging of tokens that claim to be ours. */
import { decodeJwt, verifyJwt } from '@kfctl/oidc';
import type { JwtVerdict } from '@kfctl/oidc';
import type { ProviderDeps } from '../provider.ts';

type Deps = Pick<ProviderDeps, 'config' | 'keys' | 'clock'>;

export async function verifyOwnToken({ config, keys, clock }: Deps, token: string): Promise<JwtVerdict> {
  const kid = decodeJwt(token)?.header.kid;
  // We always write a kid; a token without one was not made here.
  if (kid === undefined) return { kind: 'invalid', reason: 'not a token' };
  await keys.ensureKnown(kid);
  return verifyJwt(token, { keys: keys.current().verificationKeys, issuer: config.issuer, nowMs: clock.now() });
}
