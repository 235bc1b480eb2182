/** Owns a provider whose refresh tokens work once. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostileProvider } from './hostile-provider.ts';

export interface Rotation {
  /** Refresh tokens that were used, in order. */
  readonly used: string[];
  /** What refreshes answer with. */
  answer: { status?: number; claims?: Record<string, unknown>; lifetimeSeconds: number };
}

/** Access tokens of a login are over at once. A refresh token that is used again is refused, whoever uses it. */
export function rotateTokens(provider: HostileProvider, answer: Rotation['answer']): Rotation {
  const { token } = provider.answers;
  const rotation: Rotation = { used: [], answer };
  let count = 0;
  provider.answers.token = (request) => {
    const { body } = token(request);
    const fresh = { refresh_token: `rt-${(count += 1)}` };
    if (request.form.get('grant_type') !== 'refresh_token')
      return { body: { ...(body as object), ...fresh, expires_in: 0.001 } };
    const shown = request.form.get('refresh_token') ?? '';
    const isFirst = !rotation.used.includes(shown);
    rotation.used.push(shown);
    if (rotation.answer.status !== undefined)
      return { status: rotation.answer.status, body: { error: 'invalid_grant' } };
    if (!isFirst) return { status: 400, body: { error: 'invalid_grant' } };
    provider.answers.claims = rotation.answer.claims ?? {};
    return { body: { ...(token(request).body as object), ...fresh, expires_in: rotation.answer.lifetimeSeconds } };
  };
  return rotation;
}

/** The access token's lifetime, one thousandth of a second, is over after this. */
export async function untilDue(): Promise<void> {
  await sleep(5);
}
