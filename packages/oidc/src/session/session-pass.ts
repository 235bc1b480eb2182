/**
 * Owns the commonest answer of a platform: a live session, fresh, allowed, whose request may pass. Whatever is not that plain gets no
 * answer here and is judged at length by the AuthService, which a process that only passes (a gateway) asks then.
 */
import { checkSession } from './check-session.ts';
import type { SessionRules } from './check-session.ts';
import type { HeaderEdits, IdentityHeaders, PassingRequest, Prover } from './identity-headers.ts';
import { RecentMap } from './recent-map.ts';
import type { LiveSession } from './session.ts';

/** Answers ready to be given take several times the room of their sessions; rendering one takes microseconds. */
const MAX_KEPT = 4_096;

export interface SessionPassOptions {
  readonly find: (token: string) => LiveSession | undefined;
  readonly rules: SessionRules;
  readonly identityHeaders: IdentityHeaders;
  /** Everybody where the list has a `*`, otherwise members of any of the groups. */
  readonly allowedGroups: readonly string[];
  readonly now: () => number;
}

export interface SessionPass<Rendered> {
  /** Undefined: not decided here. Never a no. */
  (request: PassingRequest): Rendered | undefined;
}

interface Kept<Rendered> {
  readonly rendered: Rendered;
  readonly prove: Prover | undefined;
}

/**
 * `render` makes of the edits what the caller answers or does. For requests without other cookies that is kept with the session, so that
 * they cost a hash and two look-ups; `addProof` then makes of it the answer to one request. Without it all of it is rendered each time
 * where proofs are given.
 */
export function createSessionPass<Rendered>(
  options: SessionPassOptions,
  render: (edits: HeaderEdits) => Rendered,
  addProof?: (rendered: Rendered, proof: string) => Rendered,
): SessionPass<Rendered> {
  const { find, rules, identityHeaders, allowedGroups, now } = options;
  const everybody = allowedGroups.includes('*');
  const isAllowed = ({ groups }: LiveSession): boolean =>
    everybody || groups.some((group) => allowedGroups.includes(group));
  const kept = new RecentMap<LiveSession, Kept<Rendered>>(MAX_KEPT);
  const makeKept = (session: LiveSession, { headers }: PassingRequest): Kept<Rendered> => {
    const edits = identityHeaders.withoutProof(session, headers, 'cookie');
    return { rendered: render(edits), prove: addProof && edits.prove };
  };
  return (request) => {
    const { cookie } = request.headers;
    if (typeof cookie !== 'string') return undefined;
    const verdict = checkSession(request, rules, find);
    if (verdict.kind !== 'known' || verdict.via !== 'cookie') return undefined;
    const { session } = verdict;
    if (session.apiToken !== undefined || session.refreshAtMs <= now() || !isAllowed(session)) return undefined;
    if (addProof === undefined && identityHeaders.isPerRequest)
      return render(identityHeaders.forCaller(session, request, 'cookie'));
    const isPlain = cookie.length === rules.cookieName.length + 1 + verdict.token.length;
    let answer = isPlain ? kept.get(session) : undefined;
    if (answer === undefined) {
      answer = makeKept(session, request);
      if (isPlain) kept.set(session, answer);
    }
    const { rendered, prove } = answer;
    return prove === undefined || addProof === undefined ? rendered : addProof(rendered, prove(request));
  };
}
