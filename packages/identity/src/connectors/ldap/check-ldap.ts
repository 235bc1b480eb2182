/** Owns the walk through a directory step by step, saying at each what was sent, what came back and what to change. */
import { describeError, isAppError } from '@kfctl/core';
import type { Client, Entry } from 'ldapts';
import { findGroups } from './find-groups.ts';
import { findUser, isDisabled, readIdentity } from './find-user.ts';
import type { LdapConfig, LdapHost } from './ldap-config.ts';
import { createClient, discard, loadTls, resultCode, secure } from './ldap-connection.ts';
import { requestable } from './ldap-entry.ts';
import { searchFilter } from './ldap-filter.ts';

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
      if (password !== undefined) await this.#bindUser(entry, password);
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
      const entry = await findUser(this.#requireClient(), this.#config, username);
      if (entry === undefined) throw new NoEntry('no entry');
      answer(`${entry.dn} with ${attributesOf(entry)}${isDisabled(entry) ? ' (the account is DISABLED)' : ''}`);
      readIdentity(entry, this.#config);
      return entry;
    });
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
    await this.#step('groups', sent, async () => {
      const groups = await findGroups(this.#requireClient(), this.#config, entry);
      return groups.length === 0 ? 'no groups' : groups.join(', ');
    });
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
      const said = [answer, describeError(error)].filter((text) => text !== undefined).join('; ');
      this.steps.push({ name, ok: false, sent, answer: said, hint: hintFor(name, error, this.#config) });
      throw new StepFailed(name);
    }
  }
}

class StepFailed extends Error {}
class NoEntry extends Error {}

function attributesOf(entry: Entry): string {
  const names = Object.keys(entry).filter((name) => name !== 'dn' && [entry[name] ?? []].flat().length > 0);
  return names.length === 0 ? 'none of the attributes asked for' : requestable(names).join(', ');
}

function hintFor(step: string, error: unknown, { security }: LdapConfig): string {
  if (isAppError(error) && error.hint !== undefined) return error.hint;
  const text = describeError(error);
  if (/certificate|self.signed|altname/i.test(text))
    return 'Set rootCA to the authority of the server, and host to a name in its certificate.';
  if (/wrong version number|packet length|EPROTO/i.test(text))
    return 'The port speaks another protocol: try startTLS: true, or port 636.';
  if (step === 'connect' && security === 'ldaps') return 'Check host and port; for port 389 set startTLS: true.';
  if (step === 'connect') return 'Check host and port, and whether a firewall is in between.';
  if (step === 'bind') return 'Check bindDN and bindPW; a $ in bindPW must come through an environment variable.';
  if (error instanceof NoEntry)
    return 'Check userSearch: baseDN, filter (with parentheses) and username, and what the service account may read.';
  if (step === 'user search') return 'Check userSearch.baseDN and filter.';
  if (step === 'user bind') return 'The directory refuses this password for this entry.';
  return 'Check groupSearch.';
}
