/** Owns the wiring of the speaker's process: informers, plan, ownership, announcing thread, health and metrics. */
import { createHttpServer, createRouter, textResponse } from '@kfctl/http';
import type { Logger, RunningProcess } from '@kfctl/core';
import type { HttpResponse, Route } from '@kfctl/http';
import { createInformer, endpointSliceClient, resources } from '@kfctl/kube';
import type { Informer, KubeClient, KubeObject } from '@kfctl/kube';
import { startAnnouncer } from '../announce/announcer.ts';
import type { Announcer } from '../announce/announcer.ts';
import type { Answered } from '../announce/messages.ts';
import type { SpeakerConfig } from '../config.ts';
import { LeaseOwnership } from '../ownership/lease-ownership.ts';
import type { Ownership } from '../ownership/ownership.ts';
import { LEASE_SELECTOR } from '../ownership/speaker-lease.ts';
import { StatelessOwnership } from '../ownership/stateless-ownership.ts';
import { readConfiguration } from '../pools/configuration.ts';
import type { Configuration } from '../pools/configuration.ts';
import { watchConfiguration } from '../pools/watch-configuration.ts';
import { readNetworks } from './on-network.ts';
import { planAddresses } from './plan-addresses.ts';
import { renderSpeakerMetrics } from './render-speaker-metrics.ts';
import { Speaker } from './run-speaker.ts';

export interface StartSpeakerOptions {
  readonly client: KubeClient;
  readonly config: SpeakerConfig;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface SpeakerProcess extends RunningProcess {
  readonly port: number;
}

/** Changes that come together are planned once. */
const GATHER_MS = 20;

export async function startSpeaker(options: StartSpeakerOptions): Promise<SpeakerProcess> {
  const { client, config, log, signal } = options;
  const state = { synced: false, loaded: false, stale: false, dead: false };
  const speaker: Speaker = new Speaker({
    client,
    log,
    node: config.node,
    networks: readNetworks,
    startAnnouncer: () =>
      createAnnouncer(options, speaker, () => {
        state.dead = true;
        // Another node can answer; this one is restarted for its health.
        void running.then((ownership) => ownership.stop());
      }),
  });
  const server = createHttpServer({ log, handler: createRouter(routesOf(speaker, state, config.node)) });
  const port = await server.listen(config.port, config.host);
  log.info('MetalLB speaker starting', { op: 'startup', node: config.node });
  const running = follow(options, speaker, state);
  running.catch((error: unknown) => {
    // Ended before it had begun.
    if (!signal.aborted) throw error;
  });
  const stop = async (): Promise<void> => {
    const ownership = await running.catch(() => undefined);
    // Silent first: who comes after may start the moment that we give back.
    await speaker.stop();
    await Promise.all([server.close(), ownership?.stop()]);
    client.close();
  };
  return { port, stop };
}

function routesOf(speaker: Speaker, state: State, node: string): readonly Route[] {
  const healthz = (): HttpResponse =>
    textResponse(state.dead ? 503 : 200, state.dead ? 'the announcing thread has died\n' : 'ok\n');
  const readyz = (): HttpResponse => textResponse(state.synced ? 200 : 503, state.synced ? 'ok\n' : 'not synced\n');
  const metrics = async (): Promise<HttpResponse> =>
    textResponse(200, await renderSpeakerMetrics(speaker, { node, ...state }), {
      'content-type': 'text/plain; version=0.0.4',
    });
  return [
    { method: 'GET', path: '/healthz', handler: healthz },
    { method: 'GET', path: '/readyz', handler: readyz },
    { method: 'GET', path: '/metrics', handler: metrics },
  ];
}

interface State {
  synced: boolean;
  loaded: boolean;
  stale: boolean;
  dead: boolean;
}

async function follow(options: StartSpeakerOptions, speaker: Speaker, state: State): Promise<Ownership> {
  const { client, config, log, signal } = options;
  const { namespace } = config;
  const services = createInformer({ client, type: resources.services, log });
  const slices = createInformer({ client: endpointSliceClient(client), type: resources.endpointSlices, log });
  const nodes = createInformer({ client, type: resources.nodes, log });
  const leases = createInformer({ client, type: resources.leases, namespace, labelSelector: LEASE_SELECTOR, log });
  const configs = watchConfiguration({ ...config, client, log, signal });
  const informers: readonly Informer<KubeObject>[] = [services, slices, nodes, leases];
  for (const informer of informers) informer.start(signal);
  await Promise.all([configs.synced, ...informers.map(({ synced }) => synced)]);
  let configuration: Configuration | undefined;
  const readConfig = (): void => {
    const outcome = readConfiguration(configs.current());
    state.stale = outcome.kind !== 'configuration';
    // The controller tells what is wrong; what was good before stays in force.
    if (outcome.kind === 'configuration') ({ configuration } = outcome);
    state.loaded = configuration !== undefined;
    log.info(state.stale ? 'config marked stale' : 'config (re)loaded', {
      event: state.stale ? 'configStale' : 'configLoaded',
    });
  };
  const plan = (): void => {
    if (configuration === undefined || signal.aborted) return;
    const world = { configuration, services: services.list(), slices: slices.list(), nodes: nodes.list() };
    speaker.setPlan(planAddresses({ ...world, ...config }));
  };
  let timer: NodeJS.Timeout | undefined;
  const planSoon = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      plan();
    }, GATHER_MS);
  };
  const Kind = config.election === 'stateless' ? StatelessOwnership : LeaseOwnership;
  const ownership = new Kind({ client, leases, namespace, node: config.node, log, listener: speaker });
  speaker.useOwnership(ownership);
  for (const informer of [services, slices, nodes]) informer.onChange(planSoon);
  configs.onChange(() => {
    readConfig();
    planSoon();
  });
  readConfig();
  plan();
  state.synced = true;
  log.info('speaker synced', { event: 'stateSynced', election: config.election });
  return ownership;
}

function createAnnouncer(
  { config, log }: StartSpeakerOptions,
  speaker: Speaker,
  onDeath: () => void,
): Promise<Announcer> {
  return startAnnouncer({
    excluded: config.excludedInterfaces,
    refreshMs: config.refreshSeconds * 1000,
    listener: {
      onLinks: (names) => {
        log.info('interfaces that announce', { event: 'interfacesChanged', interfaces: names });
        speaker.setLinks(names);
      },
      onAnswered: (answered) => tellAnswer(log, answered),
      onConflict: (ip, claimant) => speaker.onConflict(ip, claimant),
      onYielded: (ip, claimant) => speaker.onYielded(ip, claimant),
      onDeath: (error) => {
        log.error('announcing has ended', { error: error.message, hint: 'The speaker needs the capability NET_RAW.' });
        onDeath();
      },
    },
  });
}

function tellAnswer(log: Logger, { protocol, address, untold, ...answered }: Answered): void {
  log.info(`got ${protocol} request for service IP, sending response`, {
    interface: answered.interface,
    ip: address,
    responseMAC: answered.responseMac,
    senderIP: answered.senderIp,
    senderMAC: answered.senderMac,
    ...(untold === 0 ? {} : { untold }),
  });
}
