/** Owns the service proxy: every Service address of the cluster is a listener whose connections go to ready endpoints. */
import { describeError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import { recordEvent, resources, runReconciler } from '@kfctl/kube';
import type { KubeClient, ObjectKey, ReconcileResult, Service } from '@kfctl/kube';
import type { InformerSet } from '../controllers/informer-set.ts';
import { openPortListener } from './port-listener.ts';
import type { PortListener } from './port-listener.ts';
import { listenerKey, readyTargets, wantedListeners } from './service-listeners.ts';
import type { WantedListener } from './service-listeners.ts';

export interface ServiceProxyOptions {
  readonly client: KubeClient;
  readonly informers: InformerSet;
  /** Node ports are bound here. */
  readonly nodeAddress: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Called once, when every Service that there was at the start has its addresses, or the reason why not. */
  onSettled?(): void;
}

/** Where the ports of a balanced Service are reached: `{"80":80,"443":8443}`; of others, those alone that differ. */
export const BOUND_PORTS = 'kfctl.kubeflow.org/bound-ports';
/** Which ports of the Service lead nowhere, and why: `{"443":"listen EADDRINUSE: …"}`. */
export const UNBOUND_PORTS = 'kfctl.kubeflow.org/unbound-ports';
const COMPONENT = 'service-proxy';
const RETRY_MS = 5_000;

/** Runs until the signal aborts; then every listener is closed. */
export async function runServiceProxy(options: ServiceProxyOptions): Promise<void> {
  const { informers, log, signal } = options;
  const services = informers.of(resources.services);
  const endpoints = informers.of(resources.endpoints);
  const open = new Map<string, Map<string, PortListener>>();
  await Promise.all([endpoints.synced, services.synced]);
  const settle = createSettling(services.list(), options.onSettled);
  try {
    await runReconciler({
      name: COMPONENT,
      log,
      signal,
      concurrency: 8,
      sources: [{ informer: services as never }],
      reconcile: (key) => reconcile(options, open, key).finally(() => settle(key)),
    });
  } finally {
    for (const listeners of open.values()) for (const listener of listeners.values()) listener.close();
  }
}

/** Strikes out one Service after the other; tells when none is left. */
function createSettling(services: readonly Service[], onSettled: (() => void) | undefined): (key: ObjectKey) => void {
  const left = new Set(services.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
  if (left.size === 0) onSettled?.();
  return ({ namespace, name }) => {
    if (left.delete(`${namespace}/${name}`) && left.size === 0) onSettled?.();
  };
}

async function reconcile(
  options: ServiceProxyOptions,
  open: Map<string, Map<string, PortListener>>,
  key: ObjectKey,
): Promise<ReconcileResult | undefined> {
  const name = `${key.namespace}/${key.name}`;
  const service = options.informers.of(resources.services).get(key.name, key.namespace);
  const wanted = new Map(
    (service === undefined ? [] : wantedListeners(service, options.nodeAddress)).map((listener) => [
      listenerKey(listener),
      listener,
    ]),
  );
  const present = open.get(name) ?? new Map<string, PortListener>();
  for (const [place, listener] of present) {
    if (wanted.has(place)) continue;
    listener.close();
    present.delete(place);
  }
  const failures = new Map<string, string>();
  for (const [place, listener] of wanted) {
    if (present.has(place)) continue;
    const opened = await openOne(options, key, listener).catch(
      (error: unknown) => void failures.set(place, describeError(error)),
    );
    if (opened !== undefined) present.set(place, opened);
  }
  if (present.size > 0) open.set(name, present);
  else open.delete(name);
  if (service !== undefined) await tellPorts(options, service, { wanted, present, failures });
  return failures.size > 0 ? { requeueAfterMs: RETRY_MS } : undefined;
}

function openOne(
  { informers }: ServiceProxyOptions,
  { name, namespace }: ObjectKey,
  { address, port, portName }: WantedListener,
): Promise<PortListener> {
  const endpoints = informers.of(resources.endpoints);
  return openPortListener({ address, port, targets: () => readyTargets(endpoints.get(name, namespace), portName) });
}

interface PortsView {
  readonly wanted: ReadonlyMap<string, WantedListener>;
  readonly present: ReadonlyMap<string, PortListener>;
  /** Why a place could not be bound. */
  readonly failures: ReadonlyMap<string, string>;
}

/** Ports that differ from what the Service says are written down where people and programs find them. */
async function tellPorts(
  options: ServiceProxyOptions,
  service: Service,
  { wanted, present, failures }: PortsView,
): Promise<void> {
  const { name = '', namespace = '', annotations } = service.metadata;
  for (const [place, why] of failures)
    tell(options, service, { reason: 'AddressNotBound', message: `cannot listen on ${place}: ${why}` });
  const { moved, told, unbound } = summarize(service, { wanted, present, failures });
  const wishes = { [BOUND_PORTS]: textOf(told), [UNBOUND_PORTS]: textOf(unbound) };
  const isKnown = Object.entries(wishes).every(([key, text]) => (annotations?.[key] ?? null) === text);
  if (isKnown) return;
  const body = { metadata: { annotations: wishes } };
  await options.client.patch(resources.services, name, { namespace, patch: { kind: 'merge', body } });
  if (Object.keys(moved).length === 0 || wishes[BOUND_PORTS] === annotations?.[BOUND_PORTS]) return;
  const pairs = Object.entries(moved).map(([port, bound]) => `${port} is reached on ${bound}`);
  tell(options, service, { reason: 'PortMoved', message: `a port below 1024 could not be bound: ${pairs.join(', ')}` });
}

interface PortSummary {
  readonly moved: Readonly<Record<string, number>>;
  readonly told: Readonly<Record<string, number>>;
  readonly unbound: Readonly<Record<string, string>>;
}

/** A balanced Service tells all of its ports: whoever waits for its address must see that they are bound, not guess it. */
function summarize({ status }: Service, { wanted, present, failures }: PortsView): PortSummary {
  const isBalanced = (status?.loadBalancer?.ingress ?? []).length > 0;
  const moved: Record<string, number> = {};
  const kept: Record<string, number> = {};
  const unbound: Record<string, string> = {};
  for (const [place, { port, servicePort }] of wanted) {
    const bound = present.get(place)?.boundPort;
    const why = failures.get(place);
    if (bound !== undefined && bound !== port) moved[port] = bound;
    if (bound === port && port === servicePort) kept[port] = port;
    if (why !== undefined) unbound[port] = why;
  }
  const all = Object.fromEntries(Object.entries({ ...kept, ...moved }).filter(([port]) => !(port in unbound)));
  return { moved, told: isBalanced ? all : moved, unbound };
}

function textOf(entries: Readonly<Record<string, unknown>>): string | null {
  return Object.keys(entries).length === 0 ? null : JSON.stringify(entries);
}

function tell(
  { client, log }: ServiceProxyOptions,
  service: Service,
  event: { readonly reason: string; readonly message: string },
): void {
  const object = { ...service, apiVersion: 'v1', kind: 'Service' };
  void recordEvent({ client, log, component: COMPONENT, object, type: 'Warning', ...event });
}
