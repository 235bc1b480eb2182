/**
 * Owns the life of the provider's process: configuration, storage, keys, listeners, periodic work, end.
 *
 *   file ──► config ──► telemetry listens ──► storage ──► keys ──► provider listens ──► (file changes: provider exchanged)
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { AppError, createBackoff, delay, describeError } from '@kfctl/core';
import type { Clock, Environment, Logger, RandomBytes, RunningProcess } from '@kfctl/core';
import type { ApiDeps } from '../api/api-method.ts';
import type { IdentityConfig } from '../config/config.ts';
import { requireConfig } from '../config/parse-config.ts';
import { watchConfig } from '../config/watch-config.ts';
import { createPasswordChecker } from '../connectors/local/password-checker.ts';
import { createStoredConnectors } from '../connectors/stored-connectors.ts';
import type { StoredConnectors } from '../connectors/stored-connectors.ts';
import { IDENTITY_ERRORS } from '../errors.ts';
import { createHealth } from '../health/health.ts';
import type { Health } from '../health/health.ts';
import { openKeyRing } from '../keys/key-ring.ts';
import type { KeyPolicy, KeyRing } from '../keys/key-ring.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { createLoginThrottle } from '../login/throttle.ts';
import { openStorage } from '../storage/open-storage.ts';
import { createLogoutDeliveries } from '../session/logout-deliveries.ts';
import type { LogoutDeliveries } from '../session/logout-deliveries.ts';
import type { Storage } from '../storage/storage.ts';
import type { ApiListener } from './listen-api.ts';
import { listenForBrowsers, listenOn } from './listeners.ts';
import type { WebListeners } from './listeners.ts';
import { createLiveProvider } from './live-provider.ts';
import type { LiveProvider } from './live-provider.ts';
import { every } from './periodic.ts';
import { createConfigState, reload } from './reload.ts';
import { createTelemetry } from './telemetry.ts';

export interface IdentityProcess {
  readonly file: string;
  readonly env: Environment;
  readonly clock: Clock;
  readonly random: RandomBytes;
  createLog(config: IdentityConfig): Logger;
  readonly signal: AbortSignal;
}

export interface RunningIdentity extends RunningProcess {
  /** The ports that are listened on; useful where the configuration says 0. */
  readonly ports: Readonly<Record<'http' | 'telemetry' | 'grpc', number | undefined>>;
}

const KEY_CHECK_MS = 30_000;
/** So long may a replica not know of a connector that another one was given. */
const CONNECTOR_CHECK_MS = 5000;
/** How late a client may be told again. */
const LOGOUT_CHECK_MS = 5000;
const CLEANUP_MS = 300_000;
const CERTIFICATE_CHECK_MS = 60_000;

export async function startIdentity(process: IdentityProcess): Promise<RunningIdentity> {
  const { file, env, clock, random } = process;
  const text = readConfigFile(file);
  const config = await requireConfig(text, env, file);
  const log = process.createLog(config);
  const abort = new AbortController();
  const signal = AbortSignal.any([process.signal, abort.signal]);
  let health: Health | undefined;
  const metrics = createMetrics();
  const state = createConfigState(metrics, clock);
  const probes = createTelemetry({ health: () => health, metrics, state });
  const telemetry = await listenOn(config.telemetry.http, { handler: probes, log });
  const open = (): Promise<Storage> => openStorage(config.storage, env);
  const isRemote = ['kubernetes', 'postgres'].includes(config.storage.type);
  const storage = isRemote ? await insist('storage', { signal, log, attempt: open }) : await open();
  let provider: LiveProvider | undefined;
  const inUse = (): IdentityConfig => provider?.config() ?? config;
  const policy = (): KeyPolicy => keyPolicy(inUse());
  const openKeys = (): Promise<KeyRing> => openKeyRing({ storage, clock, random, log, policy });
  const keys = await insist('signing keys', { signal, log, attempt: openKeys });
  health = createHealth({ storage, clock, log });
  const throttle = createLoginThrottle(clock);
  const checker = createPasswordChecker({ concurrency: Math.min(availableParallelism(), 3), maxWaiting: 100 });
  const logouts = createLogoutDeliveries({ config: inUse, storage, keys, metrics, clock, random, log });
  const shared = { storage, keys, checker, logouts, clock, random, log };
  const live = createLiveProvider(config, { ...shared, health, metrics, throttle });
  provider = live;
  const connectors = createStoredConnectors({ storage, env, log, use: (entries) => live.useStored(entries) });
  await connectors.refresh();
  const web = await listenForBrowsers(config.web, { handler: live.handler, log });
  const api = await startApi(config, { ...shared, config: inUse, connectors });
  startPeriodicWork({ api, connectors, config: inUse, logouts, storage, keys, web, clock, log, signal });
  watchConfig({ file, text, signal, onChange: (next) => reload(next, { provider: live, env, log, state }) });
  log.info('serving', { issuer: config.issuer, port: (web.https ?? web.http)?.port, storage: config.storage.type });
  return {
    ports: { http: web.http?.port, telemetry: telemetry?.port, grpc: api?.port },
    reload: () => {
      web.renewCertificate();
      api?.renewCertificate();
    },
    stop: async () => {
      abort.abort();
      await Promise.all([web.close(), api?.close(), telemetry?.server.close()]);
      await live.close();
      await storage.close();
    },
  };
}

async function startApi({ grpc }: IdentityConfig, deps: ApiDeps): Promise<ApiListener | undefined> {
  if (grpc === undefined) return undefined;
  return await (await import('./listen-api.ts')).listenForApi(grpc, deps);
}

function readConfigFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AppError(IDENTITY_ERRORS.configUnreadable, `cannot read the configuration file ${file}`, {
      hint: 'Name an existing file: identity serve CONFIG.',
      cause,
    });
  }
}

interface Insistence<T> {
  readonly signal: AbortSignal;
  readonly log: Logger;
  attempt(): Promise<T>;
}

/** Tries until it works: at the start of a cluster the API server or the database may come later than this process. */
async function insist<T>(what: string, { signal, log, attempt }: Insistence<T>): Promise<T> {
  const backoff = createBackoff({ initialMs: 200, maxMs: 5000 });
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted) throw error;
      const waitMs = backoff.next();
      log.warn(`${what} not available, trying again`, { waitMs, error: describeError(error) });
      await delay(waitMs, signal);
    }
  }
}

interface PeriodicDeps {
  readonly api: ApiListener | undefined;
  readonly connectors: StoredConnectors;
  readonly config: () => IdentityConfig;
  readonly logouts: LogoutDeliveries;
  readonly storage: Storage;
  readonly keys: KeyRing;
  readonly web: WebListeners;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

function startPeriodicWork(deps: PeriodicDeps): void {
  const { api, connectors, config, logouts, storage, keys, web, clock, log, signal } = deps;
  const renew = async (): Promise<void> => {
    web.renewCertificate();
    api?.renewCertificate();
  };
  if (web.https !== undefined || api !== undefined)
    every(CERTIFICATE_CHECK_MS, { signal, log, name: 'certificate', work: renew });
  every(CONNECTOR_CHECK_MS, { signal, log, name: 'reading stored connectors', work: () => connectors.refresh() });
  const retry = async (): Promise<void> => {
    if (config().sessions !== undefined) await logouts.retryDue();
  };
  every(LOGOUT_CHECK_MS, { signal, log, name: 'logout notices', work: retry });
  every(KEY_CHECK_MS, { signal, log, name: 'key rotation', work: () => keys.tick() });
  every(CLEANUP_MS, {
    signal,
    log,
    name: 'cleanup',
    work: async () => {
      const removed = await storage.deleteExpired(clock.now());
      if (removed > 0) log.info('expired records removed', { count: removed });
    },
  });
}

function keyPolicy({ signer, expiry }: IdentityConfig): KeyPolicy {
  return {
    algorithm: signer.algorithm,
    rotationPeriodMs: signer.keysRotationPeriodMs,
    tokenLifetimeMs: expiry.idTokens,
    requestLifetimeMs: expiry.authRequests,
  };
}
