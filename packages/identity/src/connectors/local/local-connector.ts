/** Owns the connector `local`: people of the configuration file and of the storage, by e-mail address and password. */
import { judgeHash } from './password-hash.ts';
import type { StaticPassword } from '../../config/config.ts';
import type { PasswordRecord } from '../../storage/records.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Connector, ConnectorEntry, Identity, LoginOutcome } from '../connector.ts';
import { decoyHash } from './password-checker.ts';
import type { PasswordChecker } from './password-checker.ts';

export const LOCAL_CONNECTOR_ID = 'local';

export interface LocalConnectorDeps {
  readonly users: readonly StaticPassword[];
  readonly storage: Pick<Storage, 'get'>;
  readonly checker: PasswordChecker;
  /** Secret of this process; see decoyHash. */
  readonly decoyKey: Buffer;
}

const MAX_NAME_CHARACTERS = 320;

export function localConnectorEntry(deps: LocalConnectorDeps): ConnectorEntry {
  return {
    id: LOCAL_CONNECTOR_ID,
    name: 'Email',
    type: LOCAL_CONNECTOR_ID,
    grantTypes: [],
    open: () => Promise.resolve(createLocalConnector(deps)),
  };
}

export function createLocalConnector({ users, storage, checker, decoyKey }: LocalConnectorDeps): Connector {
  const byEmail = new Map(users.map((user) => [user.email, { ...user, hash: user.hash.reveal() }]));
  const costs = users.flatMap(({ hash }) => {
    const judged = judgeHash(hash.reveal());
    return judged.kind === 'ok' ? [judged.cost] : [];
  });
  const find = async (name: string): Promise<PasswordRecord | undefined> =>
    name.length > MAX_NAME_CHARACTERS ? undefined : (byEmail.get(name) ?? (await storage.get('password', name)));
  return {
    password: {
      prompt: 'Email Address',
      login: async ({ username, password }) => {
        const name = username.trim().toLowerCase();
        const user = await find(name);
        const hash = judgeHash(user?.hash ?? '');
        const right = await checker.check(password, hash.kind === 'ok' ? hash.hash : decoyHash(name, costs, decoyKey));
        if (user === undefined) return { kind: 'denied', reason: 'unknown user' };
        if (hash.kind === 'refused') return { kind: 'denied', reason: `stored hash ${hash.reason}` };
        return right && password !== '' ? authenticated(user) : { kind: 'denied', reason: 'wrong password' };
      },
    },
    refresh: {
      refresh: async ({ identity }) => {
        const user = await find(identity.email.toLowerCase());
        if (user?.userId !== identity.userId) return { kind: 'denied', reason: 'user is gone' };
        return authenticated(user);
      },
    },
  };
}

function authenticated(user: PasswordRecord): LoginOutcome {
  const identity: Identity = {
    userId: user.userId,
    username: user.name === '' ? user.username : user.name,
    preferredUsername: user.preferredUsername,
    email: user.email,
    emailVerified: user.emailVerified,
    groups: user.groups,
  };
  return { kind: 'authenticated', identity };
}
