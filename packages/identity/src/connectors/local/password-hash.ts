/** Owns which password hashes are accepted. */

/** bcrypt's cost: each step doubles the work. Below, guessing is cheap; above, one login keeps a core busy for seconds. */
export const MIN_COST = 10;
export const MAX_COST = 16;

const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

export type HashJudgement =
  | { readonly kind: 'ok'; readonly hash: string; readonly cost: number }
  | { readonly kind: 'refused'; readonly reason: string };

/** Judges a hash as configuration or an API gives it: bcrypt in its usual text, or base64 of that (as Dex accepts). */
export function judgeHash(text: string): HashJudgement {
  const trimmed = text.trim();
  const decoded = trimmed.startsWith('$') ? trimmed : Buffer.from(trimmed, 'base64').toString('latin1').trim();
  const match = BCRYPT.exec(decoded);
  if (match === null) return { kind: 'refused', reason: 'is not a bcrypt hash ($2a$, $2b$ or $2y$)' };
  const cost = Number(match[1]);
  if (cost < MIN_COST) return { kind: 'refused', reason: `has bcrypt cost ${cost}; at least ${MIN_COST} is needed` };
  if (cost > MAX_COST) return { kind: 'refused', reason: `has bcrypt cost ${cost}; at most ${MAX_COST} is accepted` };
  return { kind: 'ok', hash: decoded, cost };
}
