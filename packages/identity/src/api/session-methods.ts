/** Owns the methods about login sessions, behind Dex's switch. */
import { createClientFinder } from '../clients/find-client.ts';
import type { SessionsConfig } from '../config/config.ts';
import type { EndDeps } from '../session/end-session.ts';
import { endSessions, listSessions } from '../session/stored-sessions.ts';
import type { KnownSession } from '../session/stored-sessions.ts';
import { ApiRefusal, GRPC, method, requireFlag, requireGiven } from './api-method.ts';
import type { ApiDeps, ApiMethod } from './api-method.ts';
import type { Message, MessageValue } from './message.ts';

// Numbers are Dex's, here and in docs/reference/dex-api.proto, which other programs are given.
const session = {
  userId: [1, 'string'],
  connectorId: [2, 'string'],
  clientStates: [3, [{ clientId: [1, 'string'] }]],
  createdAt: [4, 'int'],
  lastActivity: [5, 'int'],
  ipAddress: [6, 'string'],
  userAgent: [7, 'string'],
  absoluteExpiry: [8, 'int'],
  idleExpiry: [9, 'int'],
  id: [10, 'string'],
} as const satisfies Message;
const byId = { id: [1, 'string'] } as const satisfies Message;
const oneSession = { session: [1, session] } as const satisfies Message;
const listReq = { userId: [1, 'string'], connectorId: [2, 'string'] } as const satisfies Message;
const listResp = { sessions: [1, [session]] } as const satisfies Message;
const notFoundResp = { notFound: [1, 'bool'] } as const satisfies Message;
const byConnector = { connectorId: [1, 'string'] } as const satisfies Message;
const byUser = { userId: [1, 'string'] } as const satisfies Message;
const terminated = { sessionsTerminated: [1, 'int'] } as const satisfies Message;

type Methods = Readonly<Record<string, ApiMethod>>;

export function sessionMethods(deps: ApiDeps): Methods {
  return { ...readingMethods(deps), ...endingMethods(deps) };
}

/** What ends a session by the configuration in use. */
export function endDepsOf(deps: ApiDeps): EndDeps & Pick<ApiDeps, 'clock'> {
  return { ...deps, findClient: createClientFinder(deps.config().staticClients, deps.storage) };
}

export function requireSessions(config: ApiDeps['config']): void {
  requireFlag(config().grpc?.sessionsCrud, 'api_sessions_identities_crud');
}

function readingMethods(deps: ApiDeps): Methods {
  const { config } = deps;
  const render = (known: KnownSession): MessageValue<typeof session> => toWire(known, config().sessions);
  return {
    GetAuthSession: method({
      request: byId,
      response: oneSession,
      answer: async ({ id }) => {
        requireSessions(config);
        requireGiven({ id });
        const found = (await listSessions(deps)).find(({ sid }) => sid === id);
        if (found === undefined) throw new ApiRefusal(GRPC.notFound, 'session not found');
        return { session: render(found) };
      },
    }),
    ListAuthSessions: method({
      request: listReq,
      response: listResp,
      answer: async ({ userId, connectorId }) => {
        requireSessions(config);
        const all = (await listSessions(deps)).filter(
          ({ record }) =>
            (userId === '' || record.claims.userId === userId) &&
            (connectorId === '' || record.connectorId === connectorId),
        );
        return { sessions: all.map(render) };
      },
    }),
  };
}

function endingMethods(deps: ApiDeps): Methods {
  const { config, log } = deps;
  const end = async (isMeant: (known: KnownSession) => boolean, logged: object): Promise<number> => {
    const count = await endSessions(endDepsOf(deps), isMeant);
    if (count > 0) log.info('sessions ended', { ...logged, count });
    return count;
  };
  return {
    DeleteAuthSession: method({
      request: byId,
      response: notFoundResp,
      answer: async ({ id }) => {
        requireSessions(config);
        requireGiven({ id });
        return { notFound: (await end(({ sid }) => sid === id, { session: id })) === 0 };
      },
    }),
    TerminateSessionsByConnector: method({
      request: byConnector,
      response: terminated,
      answer: async ({ connectorId }) => {
        requireSessions(config);
        requireGiven({ connector_id: connectorId });
        const count = await end(({ record }) => record.connectorId === connectorId, { connector: connectorId });
        return { sessionsTerminated: count };
      },
    }),
    TerminateSessionsByUser: method({
      request: byUser,
      response: terminated,
      answer: async ({ userId }) => {
        requireSessions(config);
        requireGiven({ user_id: userId });
        return { sessionsTerminated: await end(({ record }) => record.claims.userId === userId, { user: userId }) };
      },
    }),
  };
}

function toWire({ sid, record }: KnownSession, settings: SessionsConfig | undefined): MessageValue<typeof session> {
  const { authTimeMs, lastUsedAt, expiresAt } = record;
  const idleMs = settings?.validIfNotUsedFor ?? 0;
  return {
    id: sid,
    userId: record.claims.userId,
    connectorId: record.connectorId,
    clientStates: record.clients.map((clientId) => ({ clientId })),
    createdAt: seconds(authTimeMs),
    lastActivity: seconds(lastUsedAt),
    ipAddress: record.address ?? '',
    userAgent: record.userAgent ?? '',
    absoluteExpiry: seconds(settings === undefined ? expiresAt : authTimeMs + settings.absoluteLifetime),
    idleExpiry: idleMs === 0 ? 0 : seconds(lastUsedAt + idleMs),
  };
}

export function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
