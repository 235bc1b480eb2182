/** Owns the methods about people who have logged in, behind Dex's switch, and the answers to those about what is not kept of them. */
import { forgetPerson } from '../people/forget-person.ts';
import { listPeople } from '../people/known-people.ts';
import type { KnownPerson } from '../people/known-people.ts';
import { ApiRefusal, GRPC, method, requireGiven } from './api-method.ts';
import type { ApiDeps, ApiMethod } from './api-method.ts';
import type { Message, MessageValue } from './message.ts';
import { endDepsOf, requireSessions, seconds } from './session-methods.ts';

// Numbers are Dex's, here and in docs/reference/dex-api.proto, which other programs are given.
const identity = {
  userId: [1, 'string'],
  connectorId: [2, 'string'],
  email: [3, 'string'],
  emailVerified: [4, 'bool'],
  username: [5, 'string'],
  groups: [6, 'strings'],
  createdAt: [9, 'int'],
  lastLogin: [10, 'int'],
} as const satisfies Message;
const byKey = { userId: [1, 'string'], connectorId: [2, 'string'] } as const satisfies Message;
const oneIdentity = { identity: [1, identity] } as const satisfies Message;
const listResp = { identities: [1, [identity]] } as const satisfies Message;
const notFoundResp = { notFound: [1, 'bool'] } as const satisfies Message;
const consentReq = { ...byKey, clientId: [3, 'string'] } as const satisfies Message;

type Methods = Readonly<Record<string, ApiMethod>>;
type Key = MessageValue<typeof byKey>;

export function identityMethods(deps: ApiDeps): Methods {
  return { ...readingMethods(deps), ...writingMethods(deps), ...mfaMethods(deps) };
}

function readingMethods(deps: ApiDeps): Methods {
  const { config } = deps;
  return {
    GetUserIdentity: method({
      request: byKey,
      response: oneIdentity,
      answer: async (key) => {
        requireSessions(config);
        requireKey(key);
        const found = (await listPeople(deps)).find((one) => isSame(one, key));
        if (found === undefined) throw new ApiRefusal(GRPC.notFound, 'identity not found');
        return { identity: toWire(found) };
      },
    }),
    ListUserIdentities: method({
      request: {},
      response: listResp,
      answer: async () => {
        requireSessions(config);
        return { identities: (await listPeople(deps)).map(toWire) };
      },
    }),
  };
}

function writingMethods(deps: ApiDeps): Methods {
  const { config, log } = deps;
  return {
    DeleteUserIdentity: method({
      request: byKey,
      response: notFoundResp,
      answer: async (key) => {
        requireSessions(config);
        requireKey(key);
        const forgotten = await forgetPerson(endDepsOf(deps), key);
        if (forgotten) log.info('person forgotten', { user: key.userId, connector: key.connectorId });
        return { notFound: !forgotten };
      },
    }),
    RevokeConsent: method({
      request: consentReq,
      response: notFoundResp,
      answer: ({ clientId, ...key }) => {
        requireSessions(config);
        requireKey(key);
        requireGiven({ client_id: clientId });
        // No approval outlives its login, so there is none to take back.
        return { notFound: true };
      },
    }),
  };
}

function mfaMethods({ config }: ApiDeps): Methods {
  const refuse: ApiMethod = async () => {
    requireSessions(config);
    throw new ApiRefusal(GRPC.unimplemented, 'there are no second factors here: ask for them at an upstream');
  };
  const names = ['ResetMFA', 'ListMFADevices', 'DeleteWebAuthnCredential', 'DeleteMFASecret'];
  return Object.fromEntries(names.map((name) => [name, refuse]));
}

function requireKey({ userId, connectorId }: Key): void {
  requireGiven({ user_id: userId, connector_id: connectorId });
}

function isSame(person: KnownPerson, { userId, connectorId }: Key): boolean {
  return person.userId === userId && person.connectorId === connectorId;
}

function toWire({ userId, connectorId, claims, firstSeenAt, lastLoginAt }: KnownPerson): MessageValue<typeof identity> {
  const { email, emailVerified, username, groups } = claims;
  const times = { createdAt: seconds(firstSeenAt), lastLogin: seconds(lastLoginAt) };
  return { userId, connectorId, email, emailVerified, username, groups, ...times };
}
