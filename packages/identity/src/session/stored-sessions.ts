/** Owns login sessions as whoever administers them sees them: by their name (`sid`), whichever browser holds the token. */
import type { Clock } from '@kfctl/core';
import type { LoginSession } from '../storage/records.ts';
import type { Storage } from '../storage/storage.ts';
import { tellOfEnd } from './end-session.ts';
import type { EndDeps } from './end-session.ts';

export interface KnownSession {
  /** The `sid` of tokens; for a session of before there were such names, the id of its record. */
  readonly sid: string;
  readonly record: LoginSession;
  /** Its records: that of the token in use, and while it is exchanged that of the token before. */
  readonly ids: readonly string[];
}

/** Those that have not expired. */
export async function listSessions({
  storage,
  clock,
}: {
  readonly storage: Pick<Storage, 'list'>;
  readonly clock: Clock;
}): Promise<readonly KnownSession[]> {
  const bySid = new Map<string, KnownSession>();
  for (const { id, record } of await storage.list('loginSession')) {
    if (record.expiresAt <= clock.now()) continue;
    const sid = (record.sid ?? '') === '' ? id : (record.sid ?? '');
    const known = bySid.get(sid);
    const newest = known === undefined || known.record.renewed ? record : known.record;
    bySid.set(sid, { sid, record: newest, ids: [...(known?.ids ?? []), id] });
  }
  return [...bySid.values()];
}

const MAX_ROUNDS = 5;
/** A client that does not answer holds up each for seconds: together, and not all, for a connector has thousands. */
const MAX_AT_ONCE = 32;

/** Ends all sessions that are meant, as a logout in their browsers would; resolves with their number. */
export async function endSessions(
  deps: EndDeps & { readonly clock: Clock },
  isMeant: (session: KnownSession) => boolean,
): Promise<number> {
  const ended = new Set<string>();
  const end = async ({ sid, record, ids }: KnownSession): Promise<void> => {
    const taken = await Promise.all(ids.map((id) => deps.storage.take('loginSession', id)));
    if (!taken.some((one) => one !== undefined)) return;
    ended.add(sid);
    // At once: when this process dies, those of whose end nobody was told are still there to be ended.
    await tellOfEnd(deps, record);
  };
  // A token that is being exchanged right now leaves a record that the first look did not show.
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const meant = (await listSessions(deps)).filter(isMeant);
    if (meant.length === 0) break;
    const rest = meant.values();
    const work = async (): Promise<void> => {
      for (const session of rest) await end(session);
    };
    await Promise.all(Array.from({ length: MAX_AT_ONCE }, work));
  }
  return ended.size;
}
