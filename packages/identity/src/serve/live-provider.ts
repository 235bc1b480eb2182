/** Owns the provider in service and its exchange for one with a newer configuration while requests go on. */
import { delay } from '@kfctl/core';
import type { Clock, Logger, RandomBytes } from '@kfctl/core';
import type { HttpHandler } from '@kfctl/http';
import { createClientFinder } from '../clients/find-client.ts';
import type { IdentityConfig } from '../config/config.ts';
import { createConnectorSet } from '../connectors/connector-set.ts';
import type { ConnectorSet } from '../connectors/connector-set.ts';
import type { ConnectorEntry } from '../connectors/connector.ts';
import { localConnectorEntry } from '../connectors/local/local-connector.ts';
import type { PasswordChecker } from '../connectors/local/password-checker.ts';
import type { Health } from '../health/health.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { LoginThrottle } from '../login/throttle.ts';
import { createTurns } from '../login/turns.ts';
import type { ProviderDeps } from '../provider.ts';
import { createPageRenderer } from '../pages/page.ts';
import { createLoginSessions } from '../session/login-sessions.ts';
import type { LogoutDeliveries } from '../session/logout-deliveries.ts';
import { loadTemplatePages, tellOfTemplates } from '../pages/template-pages.ts';
import { loadTheme } from '../pages/theme.ts';
import type { Storage } from '../storage/storage.ts';
import { createProvider } from './create-provider.ts';

/** What outlives a change of the configuration. */
export interface LiveDeps {
  readonly storage: Storage;
  readonly keys: KeyRing;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly logouts: LogoutDeliveries;
  readonly throttle: LoginThrottle;
  readonly checker: PasswordChecker;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Logger;
}

export interface LiveProvider {
  readonly handler: HttpHandler;
  config(): IdentityConfig;
  /** Takes effect for requests that arrive from now on. */
  use(config: IdentityConfig): void;
  /** The connectors of the storage, all of them; those of the file win. */
  useStored(entries: readonly ConnectorEntry[]): void;
  close(): Promise<void>;
}

/** Requests that still use the connectors of the configuration before may finish. */
const GRACE_MS = 30_000;

/** Uses of one refresh token that may wait for the first. */
const MAX_WAITING_REFRESHES = 1000;

export function createLiveProvider(first: IdentityConfig, given: LiveDeps): LiveProvider {
  const deps = { ...given, refreshTurns: createTurns({ atOnce: 1, maxWaiting: MAX_WAITING_REFRESHES }) };
  const decoyKey = deps.random(32);
  let current = build(first, deps, decoyKey);
  let stored: readonly ConnectorEntry[] = [];
  const closing = new AbortController();
  return {
    handler: (request) => current.handler(request),
    config: () => current.config,
    use: (config) => {
      const before = current;
      current = build(config, deps, decoyKey);
      current.connectors.useStored(stored);
      void delay(GRACE_MS, closing.signal).then(() => before.connectors.close());
    },
    useStored: (entries) => {
      stored = entries;
      current.connectors.useStored(entries);
    },
    close: async () => {
      closing.abort();
      await current.connectors.close();
    },
  };
}

type BuildDeps = LiveDeps & Pick<ProviderDeps, 'refreshTurns'>;

interface Built {
  readonly config: IdentityConfig;
  readonly handler: HttpHandler;
  readonly connectors: ConnectorSet;
}

function build(config: IdentityConfig, deps: BuildDeps, decoyKey: Buffer): Built {
  const { storage, checker, clock, log } = deps;
  const local = config.enablePasswordDB
    ? [localConnectorEntry({ users: config.staticPasswords, storage, checker, decoyKey })]
    : [];
  const connectors = createConnectorSet([...config.connectors, ...local], {
    clock,
    log,
    callbackPath: `${config.basePath}/callback`,
  });
  const findClient = createClientFinder(config.staticClients, storage);
  const sessions = config.sessions && createLoginSessions({ ...deps, config, settings: config.sessions });
  const theme = loadTheme(config.frontend, log);
  const templates = loadTemplatePages(config.frontend, { basePath: config.basePath, log });
  tellOfTemplates(templates, log);
  const render = createPageRenderer(config.frontend, { theme, templates, random: deps.random });
  return {
    config,
    connectors,
    handler: createProvider({ ...deps, config, connectors, findClient, render, sessions }, deps),
  };
}
