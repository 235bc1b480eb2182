/** Owns carrying one request to an endpoint and its answer back, both as streams with back-pressure. */
import type { Duplex, Readable } from 'node:stream';
import { NO_LISTENER, NOT_WATCHED } from '@kfctl/http';
import type { DownstreamListener, FieldList, Watched } from '@kfctl/http';
import { readGrpcTimeout } from '../grpc/grpc-request.ts';
import type { WebAnswer } from '../grpc/web-answer.ts';
import type { RetryPolicy } from '../istio/retry-policy.ts';
import type { Destination, ForwardAction } from '../istio/route-action.ts';
import type { Cluster } from '../upstream/cluster/cluster.ts';
import { wantsHttp2 } from '../upstream/by-protocol.ts';
import type {
  AbortReason,
  UpstreamAddress,
  UpstreamExchange,
  UpstreamFailure,
  UpstreamHandler,
  UpstreamHead,
  UpstreamRequest,
} from '../upstream/upstream.ts';
import { webSocketFields, withoutCors, withoutOwn } from './answer-fields.ts';
import { applyHeaderChanges, operationsInOrder } from './header-changes.ts';
import { ReplayBody } from './replay-body.ts';
import type { RoutedFlow } from './request-flow.ts';
import {
  backoffMs,
  isPromptlyRetried,
  isRetriedAnswer,
  isRetriedFailure,
  isRetriedTimeout,
  needsBodyAgain,
} from './retries.ts';
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
  readonly retries: RetryPolicy;
  /** For a client that speaks grpc-web while the endpoint speaks gRPC. */
  readonly web: WebAnswer | undefined;
}

export class Forwarding implements UpstreamHandler, DownstreamListener, Watched {
  slot: number = NOT_WATCHED;
  readonly #input: ForwardingInput;
  readonly #startedMs = performance.now();
  /** Endpoints that failed. */
  readonly #tried: UpstreamAddress[] = [];
  #exchange: UpstreamExchange | undefined;
  #replay: ReplayBody | undefined;
  #routeTimer: NodeJS.Timeout | undefined;
  /** Of this try, or of the pause before the next. */
  #tryTimer: NodeJS.Timeout | undefined;
  /** By the clock of the flow. */
  #idleUntil = 0;
  #isDone = false;

  constructor(input: ForwardingInput) {
    this.#input = input;
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
    const { retries, cluster, request, flow } = this.#input;
    if (needsBodyAgain(retries, wantsHttp2(cluster.protocol, request))) {
      this.#replay = new ReplayBody(source, flow.deps.replayBudget);
    }
    // A try is as long as the endpoint takes, not as long as the client does (Envoy).
    if (retries.perTryTimeoutMs > 0) source.once('end', () => this.#limitTry());
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
    if (this.#tryTimer !== undefined) clearTimeout(this.#tryTimer);
    const { retries, request, flow } = this.#input;
    if (isRetriedAnswer(retries, head, request.isGrpc) && this.#repeatAnswered()) return;
    this.#replay?.release();
    flow.answer.begin(head.status, this.#responseFields(head), head.hasBody);
  }

  onData(chunk: Buffer): boolean {
    this.#touch();
    const { flow, web } = this.#input;
    return flow.answer.write(web === undefined ? chunk : web.data(chunk));
  }

  onEnd(trailers: FieldList): void {
    this.#clear();
    const { flow, web } = this.#input;
    const lastFrame = web?.trailers(trailers);
    if (lastFrame !== undefined) flow.answer.write(lastFrame);
    flow.answer.end(web === undefined ? trailers : []);
  }

  /** The body is not what its type says. */
  refuseBody(): void {
    if (!this.#isDone) this.#giveUp(400, 'DPE');
  }

  onUpgrade(head: UpstreamHead, stream: Duplex): void {
    this.#clear();
    const { flow } = this.#input;
    const client = flow.answer.acceptWebSocket(webSocketFields(head.fields, flow.downstream.raw.protocol));
    flow.downstream.listener = NO_LISTENER;
    spliceStreams(client, stream, (bytes) => flow.answer.finishUpgrade(bytes));
  }

  onFailure(failure: UpstreamFailure): void {
    const { flow, retries, request } = this.#input;
    if (this.#isDone) return;
    if (flow.answer.hasBegun) {
      this.#clear();
      return flow.answer.abort(FLAGS[failure.kind]);
    }
    const isRetried = this.#canRepeat() && isRetriedFailure(retries, failure, request);
    if (isRetried && this.#hasTriesLeft()) return this.#repeat(isPromptlyRetried(failure, request));
    this.#clear();
    flow.deps.log.debug('upstream failed', { kind: failure.kind, detail: failure.detail, request: flow.requestId });
    const wasLast = isRetried && retries.attempts > 0;
    const flags = wasLast ? `${FLAGS[failure.kind]},URX` : FLAGS[failure.kind];
    flow.answer.refuse(failure.kind === 'protocol' ? 502 : 503, { flags });
  }

  /** Nothing of the request is lost: what was read of a body went with the connection, unless it was kept. */
  #canRepeat(): boolean {
    const { flow, request } = this.#input;
    if (request.body.kind === 'none') return true;
    return this.#replay === undefined ? flow.answer.bytesReceived === 0 : this.#replay.isWhole;
  }

  #hasTriesLeft(): boolean {
    return this.#tried.length <= this.#input.retries.attempts;
  }

  /** False: the answer is the client's. */
  #repeatAnswered(): boolean {
    const { flow, retries, cluster } = this.#input;
    if (!this.#canRepeat() || !cluster.hasRoomForRetry) return false;
    if (!this.#hasTriesLeft()) {
      if (retries.attempts > 0) flow.answer.flag('URX');
      return false;
    }
    this.#exchange?.abort('answered');
    this.#repeat(false);
    return true;
  }

  #repeat(promptly: boolean): void {
    if (this.#tryTimer !== undefined) clearTimeout(this.#tryTimer);
    if (promptly) return this.#attempt();
    this.#replay?.hold();
    const pause = backoffMs(this.#input.retries, this.#tried.length - 1, Math.random());
    this.#tryTimer = setTimeout(() => this.#attemptLater(), pause);
  }

  #attemptLater(): void {
    try {
      this.#attempt();
    } catch (error) {
      this.#clear();
      this.#input.flow.answer.fail(error);
    }
  }

  #attempt(): void {
    const { flow, cluster, request, retries } = this.#input;
    const isRetry = this.#tried.length > 0;
    const address = cluster.pick(flow, { addresses: this.#tried, areAvoided: retries.avoidsTried });
    if (address === undefined) {
      this.#clear();
      return noUpstream(flow);
    }
    this.#tried.push(address);
    flow.answer.upstreamHost = renderAddress(address);
    if (request.body.kind === 'none' || request.body.source.readableEnded) this.#limitTry();
    this.#exchange = cluster.send({ address, isRetry }, this.#requestForTry(), this);
  }

  #requestForTry(): UpstreamRequest {
    const { request } = this.#input;
    if (request.body.kind === 'none' || this.#replay === undefined) return request;
    return { ...request, body: { ...request.body, source: this.#replay.open() } };
  }

  #limitTry(): void {
    const { perTryTimeoutMs } = this.#input.retries;
    if (perTryTimeoutMs === 0 || this.#isDone || this.#input.flow.answer.hasBegun) return;
    clearTimeout(this.#tryTimer);
    this.#tryTimer = setTimeout(() => this.#onTryTimeout(), perTryTimeoutMs);
  }

  #onTryTimeout(): void {
    const { retries } = this.#input;
    const isRetried = this.#canRepeat() && isRetriedTimeout(retries);
    if (!isRetried || !this.#hasTriesLeft()) return this.#timeout(504, isRetried ? 'UT,URX' : 'UT');
    this.#exchange?.abort('timeout');
    this.#repeat(false);
  }

  #responseFields(head: UpstreamHead): string[] {
    const { flow, action, destination } = this.#input;
    const elapsed = performance.now() - this.#startedMs;
    flow.answer.upstreamMs = elapsed;
    const fields = action.cors === undefined ? withoutOwn(head.fields) : withoutCors(withoutOwn(head.fields));
    this.#input.web?.begin(head, fields);
    for (const { response } of operationsInOrder(action, destination)) applyHeaderChanges(fields, response);
    fields.push('x-envoy-upstream-service-time', String(Math.round(elapsed)));
    return fields;
  }

  #timeout(status: 408 | 504, flags: string): void {
    this.#giveUp(status, flags, 'timeout');
  }

  #giveUp(status: 400 | 408 | 504, flags: string, reason?: AbortReason): void {
    const { answer } = this.#input.flow;
    this.#clear();
    this.#exchange?.abort(reason);
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
    if (this.#tryTimer !== undefined) clearTimeout(this.#tryTimer);
    this.#replay?.stop();
    this.#input.flow.deps.clock.forget(this);
  }
}

/** The route's timeout or the gRPC client's own, whichever is shorter; 0 means none. */
function timeoutOf({ timeoutMs }: ForwardAction, { isGrpc, fields }: UpstreamRequest): number {
  const deadlineMs = isGrpc ? readGrpcTimeout(fields) : undefined;
  if (deadlineMs === undefined) return timeoutMs;
  return Math.min(timeoutMs > 0 ? timeoutMs : Infinity, deadlineMs, LONGEST_TIMER_MS);
}

function renderAddress({ host, port }: UpstreamAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
