/** Owns the running of the AuthService: what is started, in what order it ends. */
import { describeError, releaseMemory, systemClock, systemRandom } from '@kfctl/core';
import { createHttpServer, textResponse } from '@kfctl/http';
import type { Environment, Logger, RunningProcess } from '@kfctl/core';
import type { HttpResponse } from '@kfctl/http';
import { createSealer, createSessionTokens } from '@kfctl/oidc';
import { openBearer } from './bearer/open-bearer.ts';
import type { Config } from './config/config.ts';
import { createAuthService } from './create-authservice.ts';
import { createProvider } from './provider/provider.ts';
import type { Provider } from './provider/provider.ts';
import { createProviderHttp } from './provider/provider-http.ts';
import type { Endpoint } from './server/answer.ts';
import { createFrontServer } from './server/front-server.ts';
import { keepCheckLease } from './session/keep-check-lease.ts';
import { openStore } from './session/open-store.ts';
import { Sessions } from './session/sessions.ts';
import type { SessionsOptions } from './session/sessions.ts';

export interface RunningAuthService extends RunningProcess {
  readonly port: number;
  readonly readinessPort: number;
  readonly grpcPort: number | undefined;
}

const SWEEP_MS = 60_000;
const MANY_SESSIONS = 10_000;
/** Replicas tell each other of use at sweeps: often enough for the shortest of idle timeouts. */
const SWEEPS_IN_IDLE_TIME = 8;

/** Listens at once, also while neither the store nor the provider can be reached: whoever asks is told 503, never let in. */
export async function startAuthService(
  config: Config,
  { env, log, signal }: { readonly env: Environment; readonly log: Logger; readonly signal: AbortSignal },
): Promise<RunningAuthService> {
  const clock = systemClock;
  const http = createProviderHttp(config.authorities);
  const provider = createProvider({ issuer: config.issuer, http, clock, log });
  const store = await openStore(config.store, { env, clock, log });
  const sessions = createSessions(config, { store, clock, log });
  const abort = new AbortController();
  const whileRunning = AbortSignal.any([signal, abort.signal]);
  void provider.follow(whileRunning);
  follow(sessions, {
    signal: whileRunning,
    log,
    sweepMs: Math.min(SWEEP_MS, config.idleTimeoutMs / SWEEPS_IN_IDLE_TIME),
  });
  keepCheckLease(config, { store, isReady: () => sessions.isReady, clock, log, signal: whileRunning });
  const bearer = await openBearer(config, { provider, http, env, clock });
  const endpoint = createAuthService({ config, provider, http, sessions, bearer, clock, log });
  const front = createFrontServer({ endpoint, log });
  const readiness = createHttpServer({ log, handler: () => renderReadiness(sessions, provider) });
  const readinessPort = await readiness.listen(config.readinessPort, config.host);
  const port = await front.listen(config.port, config.host);
  const grpc = await startGrpc(config, endpoint, log);
  for (const setting of config.withoutEffect) log.info('setting without effect', { setting });
  log.info('listening', { port, readinessPort, grpcPort: grpc?.port });
  return {
    port,
    readinessPort,
    grpcPort: grpc?.port,
    stop: async () => {
      abort.abort();
      await Promise.all([front.close(), readiness.close(), grpc?.close()]);
      http.close();
      await store.close?.();
    },
  };
}

/** HTTP/2 is loaded where somebody asks over gRPC only. */
async function startGrpc(
  config: Config,
  endpoint: Endpoint,
  log: Logger,
): Promise<{ readonly port: number; close(): Promise<void> } | undefined> {
  if (config.grpcPort === 0) return undefined;
  const { createGrpcServer } = await import('./grpc/grpc-server.ts');
  const server = await createGrpcServer({ endpoint, log });
  return { port: await server.listen(config.grpcPort, config.host), close: () => server.close() };
}

function createSessions(config: Config, deps: Pick<SessionsOptions, 'store' | 'clock' | 'log'>): Sessions {
  return new Sessions({
    ...deps,
    sealer: createSealer({ secrets: config.encryptionKeys, purpose: 'session' }),
    tokens: createSessionTokens({ secrets: config.encryptionKeys, random: systemRandom }),
    maxAgeMs: config.maxAgeSeconds * 1000,
    idleTimeoutMs: config.idleTimeoutMs,
  });
}

interface Following {
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly sweepMs: number;
}

function follow(sessions: Sessions, { signal, log, sweepMs }: Following): void {
  sessions.open(signal).then(
    () => {
      log.info('sessions loaded', { count: sessions.size });
      // Opening each took several times what is left of it.
      if (sessions.size > MANY_SESSIONS) releaseMemory();
    },
    (error: unknown) => signal.aborted || log.error('cannot load sessions', { error: describeError(error) }),
  );
  const sweeper = setInterval(() => {
    sessions.sweep().catch((error: unknown) => log.warn('sweep failed', { error: describeError(error) }));
  }, sweepMs);
  signal.addEventListener('abort', () => clearInterval(sweeper), { once: true });
}

function renderReadiness(sessions: Pick<Sessions, 'isReady'>, provider: Pick<Provider, 'metadata'>): HttpResponse {
  const missing = [...(sessions.isReady ? [] : ['sessions']), ...(provider.metadata() ? [] : ['identity provider'])];
  return missing.length === 0 ? textResponse(200, 'ok\n') : textResponse(503, `waiting for ${missing.join(', ')}\n`);
}
