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
  return judge({ config, keys, nowMs: clock.now() }, token, false);
}

interface HintDeps extends Pick<ProviderDeps, 'keys'> {
  readonly config: Pick<ProviderDeps['config'], 'issuer'>;
  readonly nowMs: number;
}

/** A token that a client gives to say whom it means (`id_token_hint`); an expired one will do. */
export function verifyHint(deps: HintDeps, token: string): JwtVerdict {
  return judge(deps, token, true);
}

function judge({ config, keys, nowMs }: HintDeps, token: string, acceptExpired: boolean): JwtVerdict {
  const expected = { keys: keys.current().verificationKeys, issuer: config.issuer, nowMs, acceptExpired };
  const verdict = verifyJwt(token, expected);
  // OpenID Connect Back-Channel Logout §2.4: what tells of a logout is signed by us too, and logs nobody in.
  if (verdict.kind === 'valid' && 'events' in verdict.claims) return { kind: 'invalid', reason: 'a logout token' };
  return verdict;
}
