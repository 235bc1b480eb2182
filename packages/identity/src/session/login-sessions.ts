/**
 * Owns login sessions: the browser holds a random token, the storage a record under its hash. A session is made only for the
 * browser that began the login, gets a new token as it ages, and never says more than the login it came from.
 *
 *   login begins: binding cookie ──► login ends in the same browser: record + cookie ──► used: touched, renewed ──► logout, end of life
 */
import { describeError, randomToken } from '@kfctl/core';
import type { Clock, Logger, RandomBytes } from '@kfctl/core';
import type { HttpRequest } from '@kfctl/http';
import type { IdentityConfig, SessionsConfig, WebConfig } from '../config/config.ts';
import type { Authenticated } from '../connectors/connector.ts';
import { clientAddress } from '../login/client-address.ts';
import type { LoginSession } from '../storage/records.ts';
import type { Storage } from '../storage/storage.ts';
import { bindBrowser, hashToken, isSameBrowser, isToken } from './browser-binding.ts';
import { isSecure, readCookie, renderCookie } from './session-cookie.ts';

export interface FoundSession {
  readonly id: string;
  readonly record: LoginSession;
}

export interface SessionStart {
  readonly clientId: string;
  readonly connectorId: string;
  /** What `bind` gave when the login began. */
  readonly browser: string | undefined;
  readonly who: Authenticated;
  /** What the connector was asked for. */
  readonly groups: boolean;
  readonly offline: boolean;
  /** The cookie outlives the browser. */
  readonly persistent: boolean;
}

/** All methods that set cookies give the values of Set-Cookie. */
export interface LoginSessions {
  readonly settings: SessionsConfig;
  /** Ties a login that begins to its browser; `browser` travels in the pending request. */
  bind(request: HttpRequest): { readonly browser: string; readonly cookies: readonly string[] };
  find(request: HttpRequest): Promise<FoundSession | undefined>;
  /** Never throws: a login without a session is a login all the same. */
  start(request: HttpRequest, login: SessionStart): Promise<StartedSession>;
  /** Notes the use; `change` is what the use teaches. The token is exchanged when it is old. */
  touch(request: HttpRequest, found: FoundSession, change: Partial<LoginSession>): Promise<readonly string[]>;
  /** Gives the session to the one caller that ended it. */
  end(request: HttpRequest): Promise<EndedSession>;
}

export interface StartedSession {
  /** Empty when none was started. */
  readonly sid: string;
  readonly cookies: readonly string[];
  /** The session of somebody else that was in this browser before. */
  readonly replaced?: LoginSession;
}

export interface EndedSession {
  readonly cookies: readonly string[];
  readonly session: LoginSession | undefined;
}

export interface LoginSessionDeps {
  readonly settings: SessionsConfig;
  readonly config: Pick<IdentityConfig, 'issuer' | 'basePath' | 'expiry' | 'web'>;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Logger;
}

const RENEW_AFTER_MS = 600_000;
/** Requests under way in other tabs may still come with the token before. */
const RENEWAL_GRACE_MS = 30_000;
/** Writing down each use of a busy session would be a write a click. */
const TOUCH_EVERY_MS = 60_000;
const MAX_CLIENTS = 100;
const MAX_USER_AGENT = 200;

export function createLoginSessions(deps: LoginSessionDeps): LoginSessions {
  const { settings, config, storage, clock, random } = deps;
  const cookie = (request: HttpRequest, value: string, persistent: boolean): string =>
    renderCookie(settings.cookieName, value, {
      path: config.basePath,
      secure: isSecure(request, config.issuer),
      ...(persistent ? { maxAgeSeconds: Math.floor(settings.absoluteLifetime / 1000) } : {}),
    });
  const create: Create = async (request, record, token = randomToken(32, random)) => {
    await storage.create('loginSession', hashToken(token), record);
    return [cookie(request, token, record.persistent)];
  };
  const find: LoginSessions['find'] = async (request) => {
    const token = readCookie(request, settings.cookieName);
    if (token === undefined || !isToken(token)) return undefined;
    const id = hashToken(token);
    const record = await storage.get('loginSession', id);
    return record === undefined || record.expiresAt <= clock.now() ? undefined : { id, record };
  };
  return {
    settings,
    find,
    bind: (request) => bindBrowser(deps, request),
    start: (request, login) => start({ ...deps, create, find }, request, login),
    touch: (request, found, change) => touch({ ...deps, create }, request, { found, change }),
    end: async (request) => {
      const found = await find(request);
      const session = await takeWithTwin(storage, found);
      if (readCookie(request, settings.cookieName) === undefined) return { cookies: [], session };
      const gone = { path: config.basePath, secure: isSecure(request, config.issuer), maxAgeSeconds: 0 };
      return { cookies: [renderCookie(settings.cookieName, '', gone)], session };
    },
  };
}

const NO_SESSION: StartedSession = { sid: '', cookies: [] };

type Create = (request: HttpRequest, record: LoginSession, token?: string) => Promise<readonly string[]>;

/**
 * The token before the last exchange lives a little longer than that, and never longer than the session. What is taken has the clients
 * of both.
 */
async function takeWithTwin(storage: Storage, found: FoundSession | undefined): Promise<LoginSession | undefined> {
  const session = found === undefined ? undefined : await storage.take('loginSession', found.id);
  const { twin = '' } = session ?? {};
  const other = twin === '' ? undefined : await storage.take('loginSession', twin);
  return session && { ...session, clients: together(session.clients, other?.clients ?? []) };
}

function together(some: readonly string[], others: readonly string[]): readonly string[] {
  return [...new Set([...some, ...others])].slice(-MAX_CLIENTS);
}

async function addClients(storage: Storage, id: string, clients: readonly string[]): Promise<void> {
  await storage.update('loginSession', id, (current) =>
    clients.every((client) => current.clients.includes(client))
      ? undefined
      : { ...current, clients: together(current.clients, clients) },
  );
}

/** For whoever comes while the token is exchanged: it goes on with the other one. In this order, so that whoever exchanges it sees one. */
async function addClientsToBoth(storage: Storage, id: string, clients: readonly string[]): Promise<void> {
  if (clients.length === 0) return;
  await addClients(storage, id, clients);
  const { twin = '' } = (await storage.get('loginSession', id)) ?? {};
  if (twin !== '') await addClients(storage, twin, clients);
}

type StartDeps = LoginSessionDeps & Pick<LoginSessions, 'find'> & { readonly create: Create };

async function start(deps: StartDeps, request: HttpRequest, login: SessionStart): Promise<StartedSession> {
  const { settings, storage, clock, random, log, find, create } = deps;
  try {
    if (!isSameBrowser(deps, request, login.browser)) return NO_SESSION;
    // A new login never goes on under the token of before (session fixation).
    const found = await find(request);
    const before = await takeWithTwin(storage, found);
    const same = isSamePerson(before, login) ? before : undefined;
    const sid = same?.sid || randomToken(16, random);
    const origin = originOf(request, deps.config.web);
    const cookies = await create(request, toRecord(login, { before: same, sid, origin, nowMs: clock.now(), settings }));
    return { sid, cookies, ...(before === undefined || same !== undefined ? {} : { replaced: before }) };
  } catch (error) {
    log.warn('login session cannot be kept', { error: describeError(error) });
    return NO_SESSION;
  }
}

function isSamePerson(before: LoginSession | undefined, { connectorId, who }: SessionStart): boolean {
  return before?.connectorId === connectorId && before.claims.userId === who.identity.userId;
}

interface Touch {
  readonly found: FoundSession;
  readonly change: Partial<LoginSession>;
}

type TouchDeps = Pick<LoginSessionDeps, 'settings' | 'storage' | 'clock' | 'random'> & { readonly create: Create };

async function touch(
  { settings, storage, clock, random, create }: TouchDeps,
  request: HttpRequest,
  { found: { id, record }, change }: Touch,
): Promise<readonly string[]> {
  const nowMs = clock.now();
  const { clients = [] } = change;
  const next = withExpiry({ ...record, ...change, lastUsedAt: nowMs }, settings);
  if (record.renewed || nowMs - record.issuedAt < RENEW_AFTER_MS) {
    const due = nowMs - record.lastUsedAt >= TOUCH_EVERY_MS || Object.keys(change).length > 0;
    const write = (current: LoginSession): LoginSession => ({
      ...next,
      // Others may have let in other clients meanwhile.
      clients: together(current.clients, clients),
      renewed: current.renewed,
      ...(current.twin === undefined ? {} : { twin: current.twin }),
      expiresAt: current.renewed ? current.expiresAt : next.expiresAt,
    });
    const written = due ? await storage.update('loginSession', id, write) : undefined;
    if (written?.renewed === true) await addClientsToBoth(storage, id, clients);
    return [];
  }
  // Of several requests at once one gets the new token.
  const token = randomToken(32, random);
  const mark = { renewed: true, expiresAt: nowMs + RENEWAL_GRACE_MS, twin: hashToken(token) };
  const marked = await storage.update('loginSession', id, (current) =>
    current.renewed ? undefined : { ...current, ...mark },
  );
  if (marked === undefined) {
    await addClientsToBoth(storage, id, clients);
    return [];
  }
  const all = together(marked.clients, clients);
  const cookies = await create(request, { ...next, clients: all, issuedAt: nowMs, twin: id }, token);
  // Whoever ended the session meanwhile found the token before alone.
  const before = await storage.get('loginSession', id);
  if (before === undefined) {
    await storage.take('loginSession', hashToken(token));
    return [];
  }
  await addClients(storage, hashToken(token), before.clients);
  return cookies;
}

function withExpiry(record: LoginSession, settings: SessionsConfig): LoginSession {
  const idle = settings.validIfNotUsedFor === 0 ? Infinity : record.lastUsedAt + settings.validIfNotUsedFor;
  return { ...record, expiresAt: Math.min(record.authTimeMs + settings.absoluteLifetime, idle) };
}

interface RecordContext {
  /** Of the same person. */
  readonly before: LoginSession | undefined;
  readonly sid: string;
  readonly nowMs: number;
  readonly settings: SessionsConfig;
  readonly origin: Pick<LoginSession, 'address' | 'userAgent'>;
}

/** For whoever looks through sessions; nothing is decided by it. */
function originOf(request: HttpRequest, web: WebConfig): RecordContext['origin'] {
  const userAgent = (request.headers['user-agent'] ?? '').slice(0, MAX_USER_AGENT);
  return { address: clientAddress(request, web.clientRemoteIP) ?? request.remoteAddress, userAgent };
}

function toRecord(login: SessionStart, { before, sid, nowMs, settings, origin }: RecordContext): LoginSession {
  const { connectorId, clientId, who, groups, offline, persistent } = login;
  // The same person again: applications that were let in stay in.
  const clients = together(before?.clients ?? [], [clientId]);
  return withExpiry(
    {
      sid,
      logoutHint: who.logoutHint ?? '',
      ...origin,
      claims: who.identity,
      connectorId,
      connectorData: who.connectorData?.toString('base64') ?? '',
      groups,
      offline,
      persistent,
      clients,
      authTimeMs: nowMs,
      issuedAt: nowMs,
      lastUsedAt: nowMs,
      renewed: false,
      expiresAt: 0,
    },
    settings,
  );
}
