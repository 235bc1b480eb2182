/** Owns carrying one request to an endpoint and its answer back, both as streams with back-pressure. */
import type { Duplex } from 'node:stream';
import { findField, NO_LISTENER, NOT_WATCHED, removeField } from '@kfctl/http';
import type { DownstreamListener, FieldList, Watched } from '@kfctl/http';
import type { Destination, ForwardAction } from '../istio/route-action.ts';
import type { PolicyRequest } from '../policy/match-rule.ts';
import { NO_POLICIES } from '../policy/policy-table.ts';
import { pickEndpoint } from '../upstream/service-directory.ts';
import type { EndpointSet } from '../upstream/service-directory.ts';
import { isReplayable } from '../upstream/upstream.ts';
import type {
  UpstreamAddress,
  UpstreamBody,
  UpstreamExchange,
  UpstreamFailure,
  UpstreamHandler,
  UpstreamHead,
  UpstreamRequest,
} from '../upstream/upstream.ts';
import { pushForwarded } from './forwarded.ts';
import { applyHeaderChanges, hostFrom } from './header-changes.ts';
import { passPolicies } from './pass-policies.ts';
import type { RoutedFlow } from './request-flow.ts';
import { rewriteTarget } from './rewrite-target.ts';
import { spliceStreams } from './splice-streams.ts';

// Not `import`: see request-flow.ts.
const { randomBytes } = process.getBuiltinModule('node:crypto');

/** Picks a destination, passes its policies and forwards; answers 503 where there is nobody to forward to. */
export function forwardRequest(flow: RoutedFlow, action: ForwardAction): void {
  const destination = pickDestination(action);
  const endpoints = destination && flow.deps.directory.find(destination);
  const target = rewriteTarget(flow.route, action, flow.head);
  if (target === undefined) return flow.answer.refuse(400, { flags: 'DPE' });
  if (destination === undefined || endpoints === undefined || endpoints.addresses.length === 0) return noUpstream(flow);
  const build = (): UpstreamRequest => buildRequest({ flow, action, destination, target });
  const forward = (): void => new Forwarding({ flow, action, destination, endpoints, request: build() }).start();
  const set = flow.state.destinationPolicies(endpoints);
  if (set === NO_POLICIES) return forward();
  passPolicies(flow, { set, request: () => destinationRequest(flow, endpoints, build()), tokenRules: [] }, forward);
}

/** The request as the workload would see it, coming from the gateway: what a sidecar's policies judge. */
function destinationRequest(flow: RoutedFlow, endpoints: EndpointSet, request: UpstreamRequest): PolicyRequest {
  const { client, deps } = flow;
  const mark = request.target.indexOf('?');
  return {
    method: request.method,
    path: mark < 0 ? request.target : request.target.slice(0, mark),
    host: request.authority.replace(/:\d+$/, ''),
    authority: request.authority,
    port: endpoints.addresses[0]?.port ?? endpoints.port,
    fields: request.fields,
    sourceIp: '',
    remoteIp: client.remoteIp,
    sni: '',
    principal: deps.principal,
    namespace: deps.namespace,
    jwt: flow.token,
  };
}

function noUpstream(flow: RoutedFlow): void {
  flow.answer.local(503, {
    body: Buffer.from('no healthy upstream'),
    fields: ['content-type', 'text/plain'],
    flags: 'UH',
  });
}

function pickDestination({ destinations, totalWeight }: ForwardAction): Destination | undefined {
  if (destinations.length === 1) return destinations[0];
  let ticket = Math.random() * totalWeight;
  for (const destination of destinations) {
    ticket -= destination.weight;
    if (ticket < 0) return destination;
  }
  return destinations.at(-1);
}

interface BuildInput {
  readonly flow: RoutedFlow;
  readonly action: ForwardAction;
  readonly destination: Destination;
  readonly target: string;
}

function buildRequest({ flow, action, destination, target }: BuildInput): UpstreamRequest {
  const { head, state } = flow;
  const fields = head.fields.slice();
  pushForwarded(fields, flow);
  applyHeaderChanges(fields, action.headers.request, state.headRules.fields);
  applyHeaderChanges(fields, destination.headers.request, state.headRules.fields);
  // RFC 8441 section 5: over HTTP/2 there is no key; the upstream's HTTP/1.1 handshake wants one.
  if (head.webSocket && findField(fields, 'sec-websocket-key') === undefined) {
    fields.push('sec-websocket-key', randomBytes(16).toString('base64'));
  }
  const host = hostFrom(destination.headers.request) ?? hostFrom(action.headers.request) ?? action.rewrite.authority;
  return {
    method: head.method,
    target,
    authority: host ?? head.authority,
    fields,
    body: bodyOf(flow),
    webSocket: head.webSocket,
  };
}

function bodyOf({ head, downstream }: RoutedFlow): UpstreamBody {
  switch (head.body.kind) {
    case 'none':
      return head.body;
    case 'length':
      return head.body.bytes === 0 ? { kind: 'none' } : { ...head.body, source: downstream.body };
    case 'chunked':
      return { kind: 'chunked', source: downstream.body };
  }
}

interface ForwardingInput {
  readonly flow: RoutedFlow;
  readonly action: ForwardAction;
  readonly destination: Destination;
  readonly endpoints: EndpointSet;
  readonly request: UpstreamRequest;
}

class Forwarding implements UpstreamHandler, DownstreamListener, Watched {
  slot: number = NOT_WATCHED;
  readonly #input: ForwardingInput;
  readonly #startedMs = performance.now();
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
    const { downstream, answer, deps, head } = flow;
    downstream.listener = this;
    if (action.timeoutMs > 0) this.#routeTimer = setTimeout(() => this.#timeout(504, 'UT'), action.timeoutMs);
    this.#touch();
    deps.clock.watch(this);
    if (head.expectsContinue) downstream.sendContinue();
    if (!this.#attempt() || request.body.kind === 'none') return;
    request.body.source.on('data', (chunk: Buffer) => {
      answer.bytesReceived += chunk.length;
      this.#touch();
    });
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
    const { flow, request } = this.#input;
    if (this.#isDone) return;
    if (flow.answer.hasBegun) {
      this.#clear();
      return flow.answer.abort('UPE');
    }
    const wasDeadIdle = failure.reused && failure.kind === 'reset' && isReplayable(request);
    // What was read of a body went with the connection that failed.
    const canRetry = flow.answer.bytesReceived === 0 && (!failure.sent || wasDeadIdle);
    if (canRetry && failure.kind !== 'overflow' && this.#attemptsLeft > 0) {
      this.#attemptsLeft -= 1;
      this.#attempt();
      return;
    }
    this.#clear();
    flow.deps.log.debug('upstream failed', { kind: failure.kind, detail: failure.detail, request: flow.requestId });
    const flags = { connect: 'UF', reset: 'UC', protocol: 'UPE', overflow: 'UO' }[failure.kind];
    flow.answer.refuse(failure.kind === 'protocol' ? 502 : 503, { flags });
  }

  #attempt(): boolean {
    const { flow, endpoints, request } = this.#input;
    const address = pickEndpoint(endpoints);
    if (address === undefined) {
      this.#clear();
      noUpstream(flow);
      return false;
    }
    flow.answer.upstreamHost = renderAddress(address);
    this.#exchange = flow.deps.upstream.send(address, request, this);
    return true;
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
    this.#stop();
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
