/** Owns the methods about people of the password database. */
import { judgeHash } from '../connectors/local/password-hash.ts';
import type { IdentityConfig } from '../config/config.ts';
import type { PasswordRecord } from '../storage/records.ts';
import { ApiRefusal, GRPC, inFile, method, requireGiven } from './api-method.ts';
import type { ApiDeps, ApiMethod } from './api-method.ts';
import type { Message } from './message.ts';

// Numbers are Dex's, here and in docs/reference/dex-api.proto, which other programs are given.
const password = {
  email: [1, 'string'],
  hash: [2, 'bytes'],
  username: [3, 'string'],
  userId: [4, 'string'],
} as const satisfies Message;
const onePassword = { password: [1, password] } as const satisfies Message;
const byEmail = { email: [1, 'string'] } as const satisfies Message;
const existsResp = { alreadyExists: [1, 'bool'] } as const satisfies Message;
const notFoundResp = { notFound: [1, 'bool'] } as const satisfies Message;
const updateReq = {
  email: [1, 'string'],
  newHash: [2, 'bytes'],
  newUsername: [3, 'string'],
} as const satisfies Message;
const listResp = { passwords: [1, [password]] } as const satisfies Message;
const verifyReq = { email: [1, 'string'], password: [2, 'string'] } as const satisfies Message;
const verifyResp = { verified: [1, 'bool'], notFound: [2, 'bool'] } as const satisfies Message;

type Methods = Readonly<Record<string, ApiMethod>>;

export function passwordMethods(deps: ApiDeps): Methods {
  return { ...readingMethods(deps), ...writingMethods(deps) };
}

function writingMethods({ config, storage, log }: ApiDeps): Methods {
  return {
    CreatePassword: method({
      request: onePassword,
      response: existsResp,
      answer: async ({ password: asked }) => {
        if (asked === undefined) throw new ApiRefusal(GRPC.invalidArgument, 'no password supplied');
        const { username, userId, hash } = asked;
        const email = asked.email.toLowerCase();
        requireGiven({ email, username, user_id: userId });
        const profile = { name: '', preferredUsername: '', groups: [], emailVerified: true };
        const record: PasswordRecord = { email, username, userId, hash: requireHash(hash), ...profile };
        const created = hashInFile(config(), email) === undefined && (await storage.create('password', email, record));
        if (created) log.info('password created', { user: userId });
        return { alreadyExists: !created };
      },
    }),
    UpdatePassword: method({
      request: updateReq,
      response: notFoundResp,
      answer: async ({ email: given, newHash, newUsername }) => {
        const email = given.toLowerCase();
        requireGiven({ email });
        if (newHash.length === 0 && newUsername === '')
          throw new ApiRefusal(GRPC.invalidArgument, 'nothing to update: no new_hash, no new_username');
        const hash = newHash.length === 0 ? '' : requireHash(newHash);
        if (hashInFile(config(), email) !== undefined) throw inFile('password');
        const updated = await storage.update('password', email, (record) => ({
          ...record,
          hash: hash === '' ? record.hash : hash,
          username: newUsername === '' ? record.username : newUsername,
        }));
        if (updated !== undefined) log.info('password changed', { user: updated.userId });
        return { notFound: updated === undefined };
      },
    }),
    DeletePassword: method({
      request: byEmail,
      response: notFoundResp,
      answer: async ({ email }) => {
        requireGiven({ email });
        if (hashInFile(config(), email.toLowerCase()) !== undefined) throw inFile('password');
        const gone = await storage.take('password', email.toLowerCase());
        if (gone !== undefined) log.info('password deleted', { user: gone.userId });
        return { notFound: gone === undefined };
      },
    }),
  };
}

function readingMethods({ config, storage, checker }: ApiDeps): Methods {
  return {
    ListPasswords: method({
      request: {},
      response: listResp,
      answer: async () => {
        const stored = (await storage.list('password')).map(({ record }) => record);
        const all = [
          ...config().staticPasswords,
          ...stored.filter(({ email }) => hashInFile(config(), email) === undefined),
        ];
        return { passwords: all.map(({ email, username, userId }) => ({ email, username, userId, hash: NO_HASH })) };
      },
    }),
    VerifyPassword: method({
      request: verifyReq,
      response: verifyResp,
      answer: async ({ email: given, password: tried }) => {
        const email = given.toLowerCase();
        requireGiven({ email, password: tried });
        const stored = hashInFile(config(), email) ?? (await storage.get('password', email))?.hash;
        if (stored === undefined) return { verified: false, notFound: true };
        const hash = judgeHash(stored);
        return { verified: hash.kind === 'ok' && (await checker.check(tried, hash.hash)), notFound: false };
      },
    }),
  };
}

const NO_HASH = Buffer.alloc(0);

function hashInFile({ staticPasswords }: IdentityConfig, email: string): string | undefined {
  return staticPasswords.find((user) => user.email === email)?.hash.reveal();
}

function requireHash(bytes: Buffer): string {
  const hash = judgeHash(bytes.toString('latin1'));
  if (hash.kind === 'refused') throw new ApiRefusal(GRPC.invalidArgument, `the hash ${hash.reason}`);
  return hash.hash;
}
