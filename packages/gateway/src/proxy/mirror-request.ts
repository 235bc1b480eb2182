/** Owns copies of requests for other destinations (Envoy's request mirroring): sent, and their answers thrown away. */
import type { Mirror } from '../istio/mirror.ts';
import type { Cluster } from '../upstream/cluster/cluster.ts';
import type { UpstreamHandler, UpstreamRequest } from '../upstream/upstream.ts';
import { copyBody } from './mirror-body.ts';
import type { RoutedFlow } from './request-flow.ts';

/** Copies that are on their way at a time: a mirror that does not answer costs no more. */
export interface MirrorLoad {
  active: number;
}

const MAX_ACTIVE = 512;
const LONGEST_MS = 60_000;
/** Whom a balancer would give a cookie: the client's answer is not the mirror's. */
const NOBODY = { addFields: () => undefined };
const FIRST_TRY = { addresses: [], areAvoided: true };

export interface Mirroring {
  readonly flow: RoutedFlow;
  readonly request: UpstreamRequest;
  /** Policies of the workload behind the mirror let the request in. */
  readonly mayPass: (cluster: Cluster) => boolean;
}

/** Sends a copy; where it cannot be sent, nothing happens. */
export function mirrorRequest({ target, percent }: Mirror, { flow, request, mayPass }: Mirroring): void {
  const { deps, head, client } = flow;
  const { clusters, mirrorLoad } = deps;
  if (request.webSocket || mirrorLoad.active >= MAX_ACTIVE || Math.random() * 100 >= percent) return;
  const cluster = clusters.find(target);
  if (cluster === undefined || cluster === 'no-subset' || !mayPass(cluster)) return;
  const address = cluster.pick({ head, client, answer: NOBODY }, FIRST_TRY);
  if (address === undefined) return;
  mirrorLoad.active += 1;
  const giveUp = (): void => {
    exchange.abort();
    finish();
  };
  let isOver = false;
  const finish = (): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    mirrorLoad.active -= 1;
    // What nobody has read of it is kept for nobody.
    if (copy.body.kind !== 'none') copy.body.source.destroy();
  };
  const timer = setTimeout(giveUp, LONGEST_MS).unref();
  const copy = copyOf(request, () => giveUp(), flow);
  const exchange = cluster.send({ address, isRetry: false }, copy, throwAway(finish));
}

function copyOf(request: UpstreamRequest, onBehind: () => void, { deps }: RoutedFlow): UpstreamRequest {
  const { body } = request;
  const authority = request.authority.replace(/(?=:\d+$|$)/, '-shadow');
  if (body.kind === 'none') return { ...request, authority };
  return { ...request, authority, body: { ...body, source: copyBody(body.source, deps.replayBudget, onBehind) } };
}

function throwAway(finish: () => void): UpstreamHandler {
  return {
    onHead: () => undefined,
    onData: () => true,
    onEnd: finish,
    onFailure: finish,
    onUpgrade(_head, stream) {
      stream.destroy();
      finish();
    },
  };
}
