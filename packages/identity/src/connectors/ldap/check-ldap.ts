/** Owns the walk through a directory step by step, saying at each what was sent, what came back and what to change. */
import { AppError, describeError } from '@kfctl/core';
import type { Client, Entry } from 'ldapts';
import { findGroups } from './find-groups.ts';
import { findUser, isDisabled, readIdentity } from './find-user.ts';
import { IDENTITY_ERRORS } from '../../errors.ts';
import type { LdapConfig, LdapHost } from './ldap-config.ts';
import { hintFor } from './check-hints.ts';
import { attributesOfEntry, whatExists, whyNoGroups, whyNoUser } from './diagnose.ts';
import { createClient, discard, loadTls, resultCode, secure } from './ldap-connection.ts';
import { describeLdapError } from './result-codes.ts';
import { requestable } from './ldap-entry.ts';
import { searchFilter } from './ldap-filter.ts';

const NO_SUCH_OBJECT = 32;
const INVALID_DN = 34;

export interface CheckStep {
  /** `connect`, `tls`, `bind`, `user search`, `user bind`, `groups`. */
  readonly name: string;
  readonly ok: boolean;
  readonly sent: string;
  readonly answer: string;
  /** What to change; absent when all is well. */
  readonly hint?: string;
}

export interface LdapCheck {
  /** Ends after the service account's bind when absent. */
  readonly username?: string;
  /** The user's bind is left out when absent. */
  readonly password?: string;
}

/** Walks through the first host that accepts a connection. The steps end with the first that fails. */
export async function checkLdap(config: LdapConfig, check: LdapCheck): Promise<readonly CheckStep[]> {
  const steps: CheckStep[] = [];
  for (const host of config.hosts) {
    const walk = new Walk(config, host);
    await walk.run(check);
    steps.push(...walk.steps);
    if (walk.connected) break;
  }
  return steps;
}

class Walk {
  readonly steps: CheckStep[] = [];
  connected = false;
  readonly #config: LdapConfig;
  readonly #host: LdapHost;
  #client: Client | undefined;

  constructor(config: LdapConfig, host: LdapHost) {
    this.#config = config;
    this.#host = host;
  }

  async run({ username, password }: LdapCheck): Promise<void> {
    try {
      await this.#connect();
      await this.#bind();
      const entry = username === undefined ? undefined : await this.#findUser(username);
      if (entry === undefined) return;
      if (password === undefined)
        this.#note('user bind', 'nothing', 'not tried: no password was given (IDENTITY_PASSWORD)');
      else await this.#bindUser(entry, password);
      await this.#groups(entry);
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error;
    } finally {
      if (this.#client !== undefined) await discard(this.#client);
    }
  }

  async #connect(): Promise<void> {
    const { security, insecureSkipVerify } = this.#config;
    const words = { none: 'plain text', starttls: 'StartTLS', ldaps: 'LDAPS' }[security];
    const sent = `${this.#host.name}:${this.#host.port}, ${words}${insecureSkipVerify ? ', certificate not checked' : ''}`;
    await this.#step('connect', sent, async () => {
      const endpoint = { server: this.#config, tls: loadTls(this.#config), host: this.#host };
      const client = createClient(endpoint);
      this.#client = client;
      await secure(client, endpoint);
      // Anybody may ask for the root entry; the question makes the connection real.
      await client.search('', { scope: 'base', attributes: ['supportedLDAPVersion'] }).catch((error: unknown) => {
        if (resultCode(error) === undefined) throw error;
      });
      this.connected = true;
      return 'connected';
    });
  }

  async #bind(): Promise<void> {
    const { bindDN, bindPW } = this.#config;
    if (bindDN === '') return this.#note('bind', 'nothing (bindDN is empty)', 'searching anonymously');
    await this.#step('bind', `bindDN ${bindDN}, bindPW of ${bindPW.reveal().length} characters`, async () => {
      await this.#requireClient().bind(bindDN, bindPW.reveal());
      return 'accepted';
    });
  }

  async #findUser(username: string): Promise<Entry> {
    const { userSearch } = this.#config;
    const filter = searchFilter(userSearch.filter, userSearch.username, username).toString();
    const sent = `base ${userSearch.baseDN}, scope ${userSearch.scope}, filter ${filter}`;
    return await this.#step('user search', sent, async (answer) => {
      const client = this.#requireClient();
      const entry = await findUser(client, this.#config, username);
      if (entry === undefined) throw new NoEntry(await whyNoUser(client, this.#config, username));
      answer(`${entry.dn} with ${attributesOf(entry)}${isDisabled(entry) ? ' (the account is DISABLED)' : ''}`);
      await this.#requireAttributes(entry);
      return entry;
    });
  }

  /** Which of those that are configured it lacks, and which it has instead. */
  async #requireAttributes(entry: Entry): Promise<void> {
    try {
      readIdentity(entry, this.#config);
    } catch (error) {
      const has = await attributesOfEntry(this.#requireClient(), entry.dn);
      const hint = `It has ${has}. Correct the attribute names of userSearch, or fill the attributes in the directory.`;
      throw new AppError(IDENTITY_ERRORS.connectorFailed, describeError(error), { hint });
    }
  }

  async #bindUser(entry: Entry, password: string): Promise<void> {
    const { server, tls, host } = { server: this.#config, tls: loadTls(this.#config), host: this.#host };
    const client = createClient({ server, tls, host });
    try {
      await this.#step('user bind', `${entry.dn}, password of ${password.length} characters`, async () => {
        await secure(client, { server, tls, host });
        await client.bind(entry.dn, password);
        return 'accepted';
      });
    } finally {
      await discard(client);
    }
  }

  async #groups(entry: Entry): Promise<void> {
    const { groupSearch } = this.#config;
    if (groupSearch.baseDN === '') return this.#note('groups', 'nothing (groupSearch.baseDN is empty)', 'no groups');
    const matchers = groupSearch.userMatchers.map(({ userAttr, groupAttr }) => `${groupAttr}=<${userAttr}>`).join(', ');
    const sent = `base ${groupSearch.baseDN}, filter ${groupSearch.filter || 'none'}, ${matchers || 'no matchers'}`;
    const client = this.#requireClient();
    const groups = await this.#step('groups', sent, async (answer) => {
      const found = await findGroups(client, this.#config, entry);
      answer(found.length === 0 ? 'no groups' : found.join(', '));
      return found;
    });
    if (groups.length === 0) await this.#explain(() => whyNoGroups(client, this.#config, entry));
  }

  /** Adds a hint to a step that went well and may still not be what was meant. */
  async #explain(why: () => Promise<string>): Promise<void> {
    const hint = await why().catch((error: unknown) => `Why is not known: ${describeLdapError(error)}.`);
    const last = this.steps.pop();
    if (last !== undefined) this.steps.push({ ...last, hint });
  }

  #requireClient(): Client {
    if (this.#client === undefined) throw new Error('not connected');
    return this.#client;
  }

  #note(name: string, sent: string, answer: string): void {
    this.steps.push({ name, ok: true, sent, answer });
  }

  async #step<T>(name: string, sent: string, work: (answer: (text: string) => void) => Promise<T>): Promise<T> {
    let answer: string | undefined;
    try {
      const result = await work((text) => (answer = text));
      this.steps.push({ name, ok: true, sent, answer: answer ?? String(result) });
      return result;
    } catch (error) {
      const text = error instanceof NoEntry ? 'no entry' : describeLdapError(error);
      const said = [answer, text].filter((part) => part !== undefined).join('; ');
      const exists = [NO_SUCH_OBJECT, INVALID_DN].includes(resultCode(error) ?? -1)
        ? await whatExists(this.#requireClient())
        : '';
      this.steps.push({
        name,
        ok: false,
        sent,
        answer: said,
        hint: (error instanceof NoEntry ? error.message : hintFor(name, error, this.#config)) + exists,
      });
      throw new StepFailed(name);
    }
  }
}

class StepFailed extends Error {}
/** The message is why. */
class NoEntry extends Error {}

function attributesOf(entry: Entry): string {
  const names = Object.keys(entry).filter((name) => name !== 'dn' && [entry[name] ?? []].flat().length > 0);
  return names.length === 0 ? 'none of the attributes asked for' : requestable(names).join(', ');
}
