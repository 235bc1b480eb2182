/** Owns carrying one request to an endpoint and its answer back, both as streams with back-pressure. */
import type { Duplex, Readable } from 'node:stream';
import { NO_LISTENER, NOT_WATCHED, removeField } from '@kfctl/http';
import type { DownstreamListener, FieldList, Watched } from '@kfctl/http';
import { readGrpcTimeout } from '../grpc/grpc-request.ts';
import type { Destination, ForwardAction } from '../istio/route-action.ts';
import type { Cluster } from '../upstream/cluster/cluster.ts';
import { isReplayable } from '../upstream/upstream.ts';
import type {
  UpstreamAddress,
  UpstreamExchange,
  UpstreamFailure,
  UpstreamHandler,
  UpstreamHead,
  UpstreamRequest,
} from '../upstream/upstream.ts';
import { applyHeaderChanges } from './header-changes.ts';
import type { RoutedFlow } from './request-flow.ts';
import { spliceStreams } from './splice-streams.ts';

const LONGEST_TIMER_MS = 2_147_483_647;
/** Envoy's response flags; `URX` is added when the last attempt failed. */
const FLAGS = { connect: 'UF', reset: 'UC', 'remote-reset': 'UR', protocol: 'UPE', overflow: 'UO' } as const;

export function noUpstream(flow: RoutedFlow): void {
  flow.answer.local(503, {
    body: Buffer.from('no healthy upstream'),
    fields: ['content-type', 'text/plain'],
    flags: 'UH',
  });
}

export interface ForwardingInput {
  readonly flow: RoutedFlow;
  readonly action: ForwardAction;
  readonly destination: Destination;
  readonly cluster: Cluster;
  readonly request: UpstreamRequest;
}

export class Forwarding implements UpstreamHandler, DownstreamListener, Watched {
  slot: number = NOT_WATCHED;
  readonly #input: ForwardingInput;
  readonly #startedMs = performance.now();
  /** Endpoints that failed. */
  readonly #tried: UpstreamAddress[] = [];
  #exchange: UpstreamExchange | undefined;
  #attemptsLeft: number;
  #routeTimer: NodeJS.Timeout | undefined;
  /** By the clock of the flow. */
  #idleUntil = 0;
  #isDone = false;

  constructor(input: ForwardingInput) {
    this.#input = input;
    this.#attemptsLeft = input.action.retries.attempts;
  }

  start(): void {
    const { flow, action, request } = this.#input;
    const { downstream, deps, head } = flow;
    downstream.listener = this;
    const timeoutMs = timeoutOf(action, request);
    if (timeoutMs > 0) this.#routeTimer = setTimeout(() => this.#timeout(504, 'UT'), timeoutMs);
    this.#touch();
    deps.clock.watch(this);
    if (head.expectsContinue) downstream.sendContinue();
    if (request.body.kind !== 'none') this.#watchBody(request.body.source);
    this.#attempt();
  }

  /** Whoever sends the body sets it going: nothing of it may be read while its request waits for a connection. */
  #watchBody(source: Readable): void {
    source.on('data', (chunk: Buffer) => {
      this.#input.flow.answer.bytesReceived += chunk.length;
      this.#touch();
    });
    source.pause();
  }

  onGone(): void {
    this.#stop();
    this.#input.flow.answer.onGone();
  }

  onDrain(): void {
    this.#touch();
    this.#exchange?.resume();
  }

  check(now: number): void {
    if (now < this.#idleUntil) return;
    const { body } = this.#input.request;
    this.#timeout(body.kind === 'none' || body.source.readableEnded ? 504 : 408, 'SI');
  }

  #touch(): void {
    const { clock, idleTimeoutMs } = this.#input.flow.deps;
    this.#idleUntil = clock.now + idleTimeoutMs;
  }

  onHead(head: UpstreamHead): void {
    this.#touch();
    this.#input.flow.answer.begin(head.status, this.#responseFields(head), head.hasBody);
  }

  onData(chunk: Buffer): boolean {
    this.#touch();
    return this.#input.flow.answer.write(chunk);
  }

  onEnd(trailers: FieldList): void {
    this.#clear();
    this.#input.flow.answer.end(trailers);
  }

  onUpgrade(head: UpstreamHead, stream: Duplex): void {
    this.#clear();
    const { flow } = this.#input;
    const client = flow.answer.acceptWebSocket(webSocketFields(head.fields, flow.downstream.raw.protocol));
    flow.downstream.listener = NO_LISTENER;
    spliceStreams(client, stream, (bytes) => flow.answer.finishUpgrade(bytes));
  }

  onFailure(failure: UpstreamFailure): void {
    const { flow } = this.#input;
    if (this.#isDone) return;
    if (flow.answer.hasBegun) {
      this.#clear();
      return flow.answer.abort(FLAGS[failure.kind]);
    }
    const canRetry = this.#isSafeAgain(failure);
    if (canRetry && this.#attemptsLeft > 0) {
      this.#attemptsLeft -= 1;
      this.#attempt();
      return;
    }
    this.#clear();
    flow.deps.log.debug('upstream failed', { kind: failure.kind, detail: failure.detail, request: flow.requestId });
    const wasLast = canRetry && this.#input.action.retries.attempts > 0;
    const flags = wasLast ? `${FLAGS[failure.kind]},URX` : FLAGS[failure.kind];
    flow.answer.refuse(failure.kind === 'protocol' ? 502 : 503, { flags });
  }

  /** What was read of a body went with the connection that failed. */
  #isSafeAgain(failure: UpstreamFailure): boolean {
    const { flow, request } = this.#input;
    const wasDeadIdle = failure.reused && failure.kind === 'reset' && isReplayable(request);
    return flow.answer.bytesReceived === 0 && failure.kind !== 'overflow' && (!failure.sent || wasDeadIdle);
  }

  #attempt(): void {
    const { flow, cluster, request } = this.#input;
    const isRetry = this.#tried.length > 0;
    const address = cluster.pick(flow, this.#tried);
    if (address === undefined) {
      this.#clear();
      return noUpstream(flow);
    }
    this.#tried.push(address);
    flow.answer.upstreamHost = renderAddress(address);
    this.#exchange = cluster.send({ address, isRetry }, request, this);
  }

  #responseFields(head: UpstreamHead): string[] {
    const { flow, action, destination } = this.#input;
    const elapsed = performance.now() - this.#startedMs;
    flow.answer.upstreamMs = elapsed;
    const fields = action.cors === undefined ? withoutOwn(head.fields) : withoutCors(withoutOwn(head.fields));
    applyHeaderChanges(fields, action.headers.response);
    applyHeaderChanges(fields, destination.headers.response);
    fields.push('x-envoy-upstream-service-time', String(Math.round(elapsed)));
    return fields;
  }

  #timeout(status: 408 | 504, flags: string): void {
    const { answer } = this.#input.flow;
    this.#clear();
    this.#exchange?.abort('timeout');
    if (answer.hasBegun) answer.abort(flags);
    else answer.refuse(status, { flags, close: true });
  }

  #stop(): void {
    this.#clear();
    this.#exchange?.abort();
  }

  #clear(): void {
    this.#isDone = true;
    if (this.#routeTimer !== undefined) clearTimeout(this.#routeTimer);
    this.#input.flow.deps.clock.forget(this);
  }
}

/** The route's timeout or the gRPC client's own, whichever is shorter; 0 means none. */
function timeoutOf({ timeoutMs }: ForwardAction, { isGrpc, fields }: UpstreamRequest): number {
  const deadlineMs = isGrpc ? readGrpcTimeout(fields) : undefined;
  if (deadlineMs === undefined) return timeoutMs;
  return Math.min(timeoutMs > 0 ? timeoutMs : Infinity, deadlineMs, LONGEST_TIMER_MS);
}

/** The gateway names itself; what an upstream says about the way is not passed on. */
function withoutOwn(fields: FieldList): string[] {
  const kept: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? '';
    if (name !== 'server' && name !== 'x-envoy-upstream-service-time') kept.push(name, fields[index + 1] ?? '');
  }
  return kept;
}

/** Where the route states who may read its answers, its upstream does not. */
function withoutCors(fields: FieldList): string[] {
  return fields.filter((_, index) => fields[index - (index % 2)]?.startsWith('access-control-') !== true);
}

/** The handshake's answer for the client: RFC 8441 has no accept key, and neither has a length. */
function webSocketFields(fields: FieldList, protocol: string): string[] {
  const kept = withoutOwn(fields);
  removeField(kept, 'content-length');
  if (protocol === 'HTTP/2') removeField(kept, 'sec-websocket-accept');
  return kept;
}

function renderAddress({ host, port }: UpstreamAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
