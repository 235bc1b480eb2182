/** Owns `staticPasswords`. */
import { Secret } from '@kfctl/core';
import { judgeHash } from '../connectors/local/password-hash.ts';
import type { StaticPassword } from './config.ts';
import { object } from './object-shape.ts';
import { boolean, listOf, refine, secret, string } from './shape.ts';
import type { ReadContext, Shape } from './shape.ts';

interface PasswordEntry {
  readonly email: string;
  readonly hash: Secret;
  readonly hashFromEnv: string;
  readonly username: string;
  readonly name: string;
  readonly preferredUsername: string;
  readonly userID: string;
  readonly groups: readonly string[];
  readonly emailVerified: boolean;
}

const NEW_HASH = 'Make one with: htpasswd -nBC 12 "" | tr -d ":\\n"';

const entry: Shape<PasswordEntry> = object('A person who logs in with e-mail address and password.', {
  email: string('The login name; case does not matter.', { required: true }),
  hash: secret('bcrypt hash of the password, cost 10 to 16.'),
  hashFromEnv: string('The environment variable that holds the hash; used when hash is absent.'),
  username: string('Claim `name`, unless name is given.'),
  name: string('Claim `name`.'),
  preferredUsername: string('Claim `preferred_username`.'),
  userID: string('Stable id; part of `sub`. Changing it makes another person.'),
  groups: listOf('Claim `groups`.', string('A group.')),
  emailVerified: boolean('Claim `email_verified`.', true),
});

const checked = refine(entry, (user, complain, context) => {
  if (user.email !== '' && !/^[^\s@]+@[^\s@]+$/.test(user.email)) {
    complain('email', 'is not an e-mail address', 'Write name@domain.');
  }
  const key = user.hash.reveal() === '' && user.hashFromEnv !== '' ? 'hashFromEnv' : 'hash';
  const text = hashText(user, context);
  if (text === '')
    return complain(key, missingHash(user), key === 'hash' ? NEW_HASH : 'Set it in the environment of this process.');
  const judged = judgeHash(text);
  if (judged.kind === 'refused') complain(key, judged.reason, NEW_HASH);
});

const resolved: Shape<StaticPassword> = {
  ...checked,
  read: (node, context) => resolve(checked.read(node, context), context),
};

const list = listOf('People of this file; they win over stored ones.', resolved);

export const passwordsSection: Shape<readonly StaticPassword[]> = {
  ...list,
  read: (node, context) => {
    const users = list.read(node, context);
    reportDuplicates(users, node, context);
    return users;
  },
};

type Node = Parameters<typeof list.read>[0];

function reportDuplicates(users: readonly StaticPassword[], node: Node, context: ReadContext): void {
  const seen = new Map<string, number>();
  for (const [index, { email }] of users.entries()) {
    const first = seen.get(email);
    if (first === undefined) seen.set(email, index);
    else {
      context.problems.add({
        offset: (node?.kind === 'list' ? node.items[index]?.offset : undefined) ?? context.offset,
        path: `${context.path}[${index}].email`,
        message: `is the one of ${context.path}[${first}] too`,
        hint: 'Remove one of the two entries.',
      });
    }
  }
}

function hashText(user: PasswordEntry, { env }: ReadContext): string {
  const own = user.hash.reveal();
  return own === '' && user.hashFromEnv !== '' ? (env[user.hashFromEnv] ?? '') : own;
}

function missingHash(user: PasswordEntry): string {
  return user.hashFromEnv === '' ? 'is required' : `names ${user.hashFromEnv}, which is not set`;
}

function resolve(user: PasswordEntry, context: ReadContext): StaticPassword {
  const judged = judgeHash(hashText(user, context));
  return {
    email: user.email.toLowerCase(),
    hash: new Secret(judged.kind === 'ok' ? judged.hash : ''),
    username: user.username,
    name: user.name,
    preferredUsername: user.preferredUsername,
    userId: user.userID,
    groups: user.groups,
    emailVerified: user.emailVerified,
  };
}
