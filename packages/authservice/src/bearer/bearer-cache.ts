/**
 * Owns who bearer tokens stand for that are no sessions: asks the authenticators in turn, remembers their answers shortly. Tokens are
 * kept as hashes. An authenticator that cannot be asked is an error, never a no that others may overrule with a guess.
 */
import type { Clock } from '@kfctl/core';
import type { Caller } from '@kfctl/oidc';

const { hash } = process.getBuiltinModule('node:crypto');

export interface BearerVerdict {
  readonly caller: Caller;
  /** When the token itself ends. */
  readonly expiresAtMs: number;
}

export interface BearerAuthenticator {
  readonly name: string;
  /** Whether a token is of the kind that this one judges; tokens are shown to nobody else. */
  accepts(token: string): boolean;
  authenticate(token: string): Promise<BearerVerdict | undefined>;
}

export interface BearerDeps {
  readonly authenticators: readonly BearerAuthenticator[];
  /** How long a token that was revoked meanwhile may still work; requests at the same time always share an answer. */
  readonly beliefMs: number;
  readonly clock: Clock;
}

interface Remembered {
  readonly answer: Promise<Caller | undefined>;
  untilMs: number;
}

const REFUSAL_MS = 10_000;
const MAX_REMEMBERED = 10_000;

export function createBearer({
  authenticators,
  clock,
  beliefMs,
}: BearerDeps): (token: string) => Promise<Caller | undefined> {
  const known = new Map<string, Remembered>();
  return (token) => {
    const authenticator = authenticators.find((candidate) => candidate.accepts(token));
    if (authenticator === undefined) return Promise.resolve(undefined);
    const key = hash('sha256', token, 'hex');
    const now = clock.now();
    const remembered = known.get(key);
    if (remembered !== undefined && remembered.untilMs > now) return remembered.answer;
    known.delete(key);
    makeRoom(known, now);
    const entry: Remembered = {
      // Until there is an answer, everybody waits for this one.
      untilMs: Number.POSITIVE_INFINITY,
      answer: ask(authenticator, token, (untilMs) => (entry.untilMs = untilMs)),
    };
    entry.answer.catch(() => known.delete(key));
    known.set(key, entry);
    return entry.answer;
  };

  async function ask(
    authenticator: BearerAuthenticator,
    token: string,
    believeUntil: (untilMs: number) => void,
  ): Promise<Caller | undefined> {
    const verdict = await authenticator.authenticate(token);
    const now = clock.now();
    const isLive = verdict !== undefined && verdict.expiresAtMs > now;
    believeUntil(isLive ? Math.min(verdict.expiresAtMs, now + beliefMs) : now + Math.min(REFUSAL_MS, beliefMs));
    return isLive ? verdict.caller : undefined;
  }
}

/** The oldest goes first: who sends made-up tokens pushes out made-up tokens. */
function makeRoom(known: Map<string, Remembered>, now: number): void {
  for (const [key, { untilMs }] of known) {
    if (untilMs > now && known.size < MAX_REMEMBERED) return;
    known.delete(key);
  }
}
