/** Owns the gateway as a whole: watched objects -> state -> open ports that serve by it. */
import { describeError, systemClock } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import type { KubeObject } from '@kfctl/kube';
import { createCoarseClock, createHttpDate } from '@kfctl/http';
import type { Downstream } from '@kfctl/http';
import type { Config } from './config.ts';
import type { Source, Sources } from './istio/sources.ts';
import { fetchJson } from './jwt/fetch-json.ts';
import { createKeyStore } from './jwt/key-store.ts';
import { countingLog, createMetrics } from './metrics/metrics.ts';
import { createAuthorizerFinder } from './policy/authorizer-cluster.ts';
import { createAccessLog, NO_LOG } from './proxy/access-log.ts';
import type { AccessLog } from './proxy/access-log.ts';
import { EMPTY_STATE } from './proxy/gateway-state.ts';
import type { GatewayState } from './proxy/gateway-state.ts';
import { createReplayBudget } from './proxy/replay-body.ts';
import { serveRequest } from './proxy/request-flow.ts';
import type { FlowDeps } from './proxy/request-flow.ts';
import { createSessionCheck } from './session/session-check.ts';
import type { SessionCheck, SessionCheckOptions } from './session/session-check.ts';
import { createListeners } from './server/listeners.ts';
import type { Listeners } from './server/listeners.ts';
import { createStateBuilder } from './state-builder.ts';
import type { StateBuilderOptions } from './state-builder.ts';
import { createTracer } from './trace/tracer.ts';
import { createCertificateFiles } from './tls/certificate-files.ts';
import { createCredentials } from './tls/credentials.ts';
import type { Credentials } from './tls/credentials.ts';
import type { Cluster } from './upstream/cluster/cluster.ts';
import { createClusters } from './upstream/cluster/clusters.ts';
import type { Host } from './upstream/cluster/host.ts';
import { createUpstreamOpener, usualBudget } from './upstream/cluster/open-upstream.ts';
import type { ProtocolChoice } from './upstream/cluster/protocol.ts';
import { chooseUpstream } from './upstream/by-protocol.ts';
import { createHttp1Upstream } from './upstream/http1-upstream.ts';
import { createHttp2Upstream } from './upstream/http2/http2-upstream.ts';
import { createPodGate } from './upstream/cluster/pod-gate.ts';
import { createServiceDirectory } from './upstream/service-directory.ts';

export interface GatewayDeps {
  readonly config: Config;
  readonly sources: Sources;
  /** Of the gateway's namespace; absent where sessions are not decided here. */
  readonly sessions?: SessionCheckOptions['sessions'] | undefined;
  readonly log: Logger;
  /** Gets whole access log lines. */
  readonly writeAccessLog: (lines: string) => void;
  /** Tells people about an object that cannot be used (an Event). */
  readonly warnAbout: (object: KubeObject, reason: string, message: string) => void;
}

export interface Gateway {
  /** Undefined when every watched object is known and every port open; otherwise the reason. */
  notReady(): string | undefined;
  /** Prometheus text. */
  renderMetrics(): string;
  boundPort(port: number): number | undefined;
  /** Stops accepting, lets requests in flight finish, cuts the rest after the drain time. */
  stop(): Promise<void>;
}

/** Objects come in bursts; one table is built for each burst. */
const COALESCE_MS = 5;
const MAX_TICK_MS = 1_000;
/** New routes wait this long for the pods of a subset that they lead to. */
const POD_PATIENCE_MS = 5_000;
/** Clients that name no server get a certificate that was renewed in a file after this long. */
const RENEWAL_MS = 10_000;
/** Of bodies that are kept because their requests may be sent again. */
const MAX_REPLAY_BYTES = 33_554_432;

interface Flow {
  state: GatewayState;
  isDraining: boolean;
  isSynced: boolean;
}

/** Starts the gateway: it opens ports as soon as all sources have synced. */
export function startGateway(deps: GatewayDeps): Gateway {
  const { config, sources, log } = deps;
  const flow: Flow = { state: EMPTY_STATE, isDraining: false, isSynced: false };
  const forwarding = openForwarding(deps, (service) => metrics.countEjection(service));
  const sessionCheck = openSessionCheck(deps);
  const metrics = createMetrics({ gauges: () => ({ ...readGauges(listeners), sessions: sessionCheck?.size ?? 0 }) });
  const accessLog = countingLog(openAccessLog(deps), metrics);
  const warn = createWarner(deps);
  const clock = createCoarseClock(Math.min(MAX_TICK_MS, config.idleTimeoutMs / 8));
  const serving: FlowDeps = {
    state: () => flow.state,
    ...forwarding,
    accessLog,
    log,
    namespace: config.namespace,
    principal: config.principal,
    keyStore: createKeyStore({ fetchJson, log }),
    sessionCheck,
    idleTimeoutMs: config.idleTimeoutMs,
    clock,
    httpDate: createHttpDate(),
    tracer: createTracer({ fillRandom: randomFillSync, random: Math.random }),
  };
  const credentials = openCredentials(deps, warn);
  const handler = (downstream: Downstream): void => serveRequest(downstream, serving);
  const listeners = createListeners({ ...config, credentials, log, handler });
  const build = createStateBuilder({ sources, config, warn });
  const putInForce = (state: GatewayState): void => {
    flow.state = state;
    flow.isSynced = true;
    forwarding.clusters.useRules(state.destinations);
    listeners.update(state.table);
  };
  const renewal = setInterval(() => listeners.update(flow.state.table), RENEWAL_MS).unref();
  followSources(sources, createApplier({ flow, build: () => attempt(build, flow.state, log), sources, putInForce }));
  return {
    notReady: () => whyNotReady(flow, listeners),
    renderMetrics: () => metrics.render(),
    boundPort: (port) => listeners.boundPort(port),
    async stop() {
      flow.isDraining = true;
      clearInterval(renewal);
      await listeners.drain(config.drainMs);
      forwarding.clusters.close();
      clock.stop();
      accessLog.flush();
    },
  };
}

function openCredentials({ config, sources, log }: GatewayDeps, warn: StateBuilderOptions['warn']): Credentials {
  return createCredentials({
    ...config,
    secrets: sources.secrets,
    report: (secret, problem) => warn(secret, 'InvalidCertificate', problem),
    files: createCertificateFiles({
      now,
      report: (certificate, problem) => log.warn('certificate file cannot be used', { certificate, problem }),
    }),
  });
}

interface Applying {
  readonly flow: Pick<Flow, 'isDraining'>;
  readonly build: () => GatewayState;
  readonly sources: Pick<Sources, 'pods'>;
  readonly putInForce: (state: GatewayState) => void;
}

/** What was built stands back while pods of a subset are not known: its requests would get 503. */
function createApplier({ flow, build, sources, putInForce }: Applying): () => void {
  const pods = createPodGate(sources.pods, POD_PATIENCE_MS);
  const apply = (): void => {
    if (flow.isDraining) return;
    const state = build();
    const listed = pods.wait(state.subsetNamespaces);
    if (listed === undefined) putInForce(state);
    else void listed.then(apply);
  };
  return apply;
}

// Not `import`: see proxy/request-flow.ts.
const { randomFillSync } = process.getBuiltinModule('node:crypto');

const now = (): number => performance.now();

function rememberEach<K, V>(make: (key: K) => V): (key: K) => V {
  const made = new Map<K, V>();
  return (key) => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
}

/** What carries requests to endpoints. */
function openForwarding(
  { config, sources, log }: GatewayDeps,
  countEjection: (service: string) => void,
): Pick<FlowDeps, 'clusters' | 'findAuthorizer' | 'replayBudget' | 'mirrorLoad'> {
  const { pods, secrets } = sources;
  const http1 = createHttp1Upstream();
  const http2 = createHttp2Upstream({ openBudget: usualBudget });
  const plain = rememberEach((protocol: ProtocolChoice) => chooseUpstream(protocol, { http1, http2 }));
  const directory = createServiceDirectory(sources.services, sources.endpointSlices);
  const openUpstream = createUpstreamOpener({ secrets, namespace: config.namespace, now });
  const onEject = ({ endpoints }: Cluster, { address }: Host): void => {
    const service = `${endpoints.service.namespace}/${endpoints.service.name}`;
    log.warn('endpoint ejected', { service, endpoint: `${address.host}:${address.port}` });
    countEjection(service);
  };
  const clusters = createClusters({ directory, pods, plain, openUpstream, now, random: Math.random, onEject });
  return {
    clusters,
    findAuthorizer: createAuthorizerFinder(clusters, config.namespace),
    replayBudget: createReplayBudget(MAX_REPLAY_BYTES),
    mirrorLoad: { active: 0 },
  };
}

function openAccessLog({ config, writeAccessLog }: GatewayDeps): AccessLog {
  return config.accessLog ? createAccessLog(writeAccessLog, { withTraceId: config.accessLogTraceId }) : NO_LOG;
}

function openSessionCheck({ config, sources, sessions, log }: GatewayDeps): SessionCheck | undefined {
  if (config.sessionCheck === undefined || sessions === undefined) return undefined;
  const { namespace, sessionCheck } = config;
  const elapsed = (): number => performance.now();
  const { secrets } = sources;
  return createSessionCheck({ ...sessionCheck, sessions, secrets, namespace, clock: systemClock, elapsed, log });
}

function readGauges(listeners: Listeners): Record<string, number> {
  const { user, system } = process.cpuUsage();
  return {
    open_connections: listeners.connections,
    resident_bytes: process.memoryUsage.rss(),
    cpu_seconds: (user + system) / 1e6,
  };
}

function whyNotReady(flow: Flow, listeners: Listeners): string | undefined {
  if (flow.isDraining) return 'draining';
  if (!flow.isSynced) return 'not synced';
  return listeners.areReady ? undefined : 'no certificate or port';
}

function createWarner({ log, warnAbout }: GatewayDeps): StateBuilderOptions['warn'] {
  return (object, reason, message) => {
    const { namespace, name } = object.metadata;
    log.warn('object is not in force as it stands', { kind: object.kind, namespace, name, reason, message });
    warnAbout(object, reason, message);
  };
}

/** A fault of ours in building must not take the routes away. */
function attempt(build: () => GatewayState, current: GatewayState, log: Logger): GatewayState {
  try {
    return build();
  } catch (error) {
    log.error('cannot build routes; the last ones stay', { error: describeError(error) });
    return current;
  }
}

/** Applies once everything has been listed, then after each burst of changes. */
function followSources(sources: Sources, apply: () => void): void {
  let timer: NodeJS.Timeout | undefined;
  const { services, endpointSlices, pods: _pods, ...configuration } = sources;
  const watched = Object.values(configuration) as Pick<Source<KubeObject>, 'onChange' | 'synced'>[];
  const soon = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      apply();
    }, COALESCE_MS);
  };
  const synced = Promise.all([...watched, services, endpointSlices].map((source) => source.synced));
  synced.then(
    () => {
      apply();
      // Services and endpoints are looked up by the directory when they are needed; routes do not depend on them.
      for (const source of watched) source.onChange(soon);
    },
    () => undefined,
  );
}
