/** Owns forgetting a person: everything that is stored about them, and with it every way in that they hold. */
import { encodeSubject } from '@kfctl/oidc';
import { LOCAL_CONNECTOR_ID } from '../connectors/local/local-connector.ts';
import type { EndDeps } from '../session/end-session.ts';
import { endSessions } from '../session/stored-sessions.ts';
import type { PeopleDeps, PersonKey } from './known-people.ts';
import { isPerson } from './known-people.ts';

export type ForgetDeps = EndDeps & PeopleDeps;

/** False when nothing was stored about them. Tokens that were issued stay valid until they expire. */
export async function forgetPerson(deps: ForgetDeps, person: PersonKey): Promise<boolean> {
  const { storage } = deps;
  const isTheirs = isPerson(person);
  // In the order in which one makes the next: a session would give a new code, a code a new refresh token.
  const sessions = await endSessions(deps, ({ record }) => isTheirs(record));
  let count = sessions;
  for (const kind of ['authRequest', 'authCode', 'refreshToken'] as const) {
    for (const { id, record } of await storage.list(kind))
      if (isTheirs(record) && (await storage.take(kind, id)) !== undefined) count += 1;
  }
  if ((await storage.take('offlineSession', encodeSubject(person))) !== undefined) count += 1;
  return (await forgetPassword(deps, person)) || count > 0;
}

/** The password of a person of ours; somebody of an upstream may have the same e-mail address. */
async function forgetPassword({ storage }: ForgetDeps, { userId, connectorId }: PersonKey): Promise<boolean> {
  if (connectorId !== LOCAL_CONNECTOR_ID) return false;
  const theirs = (await storage.list('password')).filter(({ record }) => record.userId === userId);
  for (const { id } of theirs) await storage.take('password', id);
  return theirs.length > 0;
}
