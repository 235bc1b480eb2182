/** Owns the methods about refresh tokens; `user_id` is the `sub` of the person's tokens. */
import { decodeSubject } from '@kfctl/oidc';
import { deleteRefreshToken } from '../token/refresh-tokens.ts';
import { ApiRefusal, GRPC, method, requireGiven } from './api-method.ts';
import type { ApiDeps, ApiMethod } from './api-method.ts';
import type { Message } from './message.ts';

// Numbers are Dex's, here and in docs/reference/dex-api.proto, which other programs are given.
const tokenRef = {
  id: [1, 'string'],
  clientId: [2, 'string'],
  createdAt: [5, 'int'],
  lastUsed: [6, 'int'],
} as const satisfies Message;
const listReq = { userId: [1, 'string'] } as const satisfies Message;
const listResp = { refreshTokens: [1, [tokenRef]] } as const satisfies Message;
const revokeReq = { userId: [1, 'string'], clientId: [2, 'string'] } as const satisfies Message;
const notFoundResp = { notFound: [1, 'bool'] } as const satisfies Message;

export function refreshMethods({ storage, log }: ApiDeps): Readonly<Record<string, ApiMethod>> {
  return {
    ListRefresh: method({
      request: listReq,
      response: listResp,
      answer: async ({ userId }) => {
        requireSubject(userId);
        const session = await storage.get('offlineSession', userId);
        const refs = Object.values(session?.refresh ?? {});
        // The token knows when it was used last; the session is not written at each refresh.
        const tokens = await Promise.all(refs.map(({ id }) => storage.get('refreshToken', id)));
        return {
          refreshTokens: refs.map(({ id, clientId, createdAt, lastUsedAt }, index) => ({
            id,
            clientId,
            createdAt: Math.floor(createdAt / 1000),
            lastUsed: Math.floor((tokens[index]?.lastUsedAt ?? lastUsedAt) / 1000),
          })),
        };
      },
    }),
    RevokeRefresh: method({
      request: revokeReq,
      response: notFoundResp,
      answer: async ({ userId, clientId }) => {
        requireSubject(userId);
        requireGiven({ client_id: clientId });
        const session = await storage.get('offlineSession', userId);
        // A person may have several with one client: all of them.
        const refs = Object.values(session?.refresh ?? {}).filter((ref) => ref.clientId === clientId);
        for (const { id } of refs) await deleteRefreshToken(storage, id);
        if (refs.length > 0) log.info('refresh tokens revoked', { user: userId, client: clientId, count: refs.length });
        return { notFound: refs.length === 0 };
      },
    }),
  };
}

function requireSubject(userId: string): void {
  if (decodeSubject(userId) === undefined)
    throw new ApiRefusal(GRPC.invalidArgument, 'user_id is not a subject: give the sub of a token');
}
