/** Owns the commands `kfctl users list|add|remove`. */
import { randomUUID } from 'node:crypto';
import type { KubeClient } from '@kfctl/kube';
import { readPipedPassword } from '../cli/ask-password.ts';
import { requireEmail } from '../config/settings.ts';
import { generatePassword, hashPassword } from '../credentials/password.ts';
import { readDexConfig, writeDexConfig } from '../users/dex-config-map.ts';
import { addUser, listUsers, removeUser } from '../users/static-passwords.ts';
import { connect } from './invocation.ts';
import type { ClusterOptions, Invocation } from './invocation.ts';

export interface UserFlags extends ClusterOptions {
  readonly output?: string;
  readonly passwordStdin?: boolean;
  readonly groups?: string;
}

const RELOADS = 'Dex reloads by itself; it can take a minute until the ConfigMap reaches its pod.';

export async function runUsersList(invocation: Invocation, flags: UserFlags): Promise<void> {
  const { terminal } = invocation;
  await withClient(invocation, flags, async (client) => {
    const users = listUsers((await readDexConfig(client)).text);
    if (flags.output === 'json') terminal.result(JSON.stringify({ users }, undefined, 2));
    else if (users.length === 0) terminal.result('No users. Add one: kfctl users add EMAIL');
    else {
      for (const { email, groups, installing } of users) {
        const more = groups.length === 0 ? '' : `  groups: ${groups.join(', ')}`;
        terminal.result(`${email}${more}${installing ? '  (the installing user)' : ''}`);
      }
    }
  });
}

export async function runUsersAdd(invocation: Invocation, address: string, flags: UserFlags): Promise<void> {
  const { terminal } = invocation;
  const email = requireEmail(address, 'EMAIL');
  const groups = (flags.groups ?? '').split(',').flatMap((name) => name.trim() || []);
  const given = flags.passwordStdin === true ? await readPipedPassword(invocation.input?.()) : undefined;
  const password = given ?? generatePassword();
  const hash = await hashPassword(password);
  const username = email.slice(0, email.indexOf('@'));
  await withClient(invocation, flags, async (client) => {
    const config = await readDexConfig(client);
    await writeDexConfig(client, config, addUser(config.text, { email, hash, username, groups, userId: randomUUID() }));
  });
  terminal.result(`Added ${email}.`);
  if (given === undefined) terminal.result(`Password: ${password.reveal()}   (shown once, kept nowhere)`);
  terminal.note(RELOADS);
}

export async function runUsersRemove(invocation: Invocation, email: string, flags: UserFlags): Promise<void> {
  await withClient(invocation, flags, async (client) => {
    const config = await readDexConfig(client);
    await writeDexConfig(client, config, removeUser(config.text, email));
  });
  invocation.terminal.result(`Removed ${email}.`);
  invocation.terminal.note(`${RELOADS} A session that is open ends when it expires.`);
}

async function withClient(
  invocation: Invocation,
  flags: ClusterOptions,
  use: (client: KubeClient) => Promise<void>,
): Promise<void> {
  const { client } = await connect(invocation, flags);
  try {
    await use(client);
  } finally {
    client.close();
  }
}
