/** Owns the beginning of forwarding: the destination, the request as it will see it, and its policies. */
import { findField } from '@kfctl/http';
import type { FieldList } from '@kfctl/http';
import { isGrpcContent } from '../grpc/grpc-request.ts';
import { WebAnswer } from '../grpc/web-answer.ts';
import { readWebBody } from '../grpc/web-body.ts';
import { becomeGrpc, readWebCall } from '../grpc/web-request.ts';
import type { WebCall } from '../grpc/web-request.ts';
import { DEFAULT_RETRIES } from '../istio/retry-policy.ts';
import type { Destination, ForwardAction } from '../istio/route-action.ts';
import type { PolicyRequest } from '../policy/match-rule.ts';
import { findRefusal, NO_POLICIES, requiredChecks } from '../policy/policy-table.ts';
import type { FieldRules } from '../request/field-rules.ts';
import type { Cluster } from '../upstream/cluster/cluster.ts';
import type { EndpointSet } from '../upstream/service-directory.ts';
import type { UpstreamBody, UpstreamRequest } from '../upstream/upstream.ts';
import { pushForwarded } from './forwarded.ts';
import { Forwarding, noUpstream } from './forwarding.ts';
import { applyHeaderChanges, hostFrom, operationsInOrder } from './header-changes.ts';
import { mirrorRequest } from './mirror-request.ts';
import { passPolicies } from './pass-policies.ts';
import type { RoutedFlow } from './request-flow.ts';
import { rewriteTarget } from './rewrite-target.ts';

// Not `import`: see request-flow.ts.
const { randomBytes } = process.getBuiltinModule('node:crypto');

/** Picks a destination, passes its policies and forwards; answers 503 where there is nobody to forward to. */
export function forwardRequest(flow: RoutedFlow, action: ForwardAction): void {
  const destination = pickDestination(action);
  const cluster = destination && flow.deps.clusters.find(destination);
  const target = rewriteTarget(flow.route, action, flow.head);
  if (target === undefined) return flow.answer.refuse(400, { flags: 'DPE' });
  if (cluster === 'no-subset') return flow.answer.refuse(503, { flags: 'NC' });
  if (destination === undefined || cluster === undefined) return noUpstream(flow);
  const { endpoints } = cluster;
  if (endpoints.addresses.length === 0) return noUpstream(flow);
  // A port that is not known to speak HTTP/2 may have something behind it that speaks grpc-web itself.
  const web = cluster.protocol === 'http2' ? readWebCall(flow.head.method, flow.head.fields) : undefined;
  const build = (): UpstreamRequest => buildRequest({ flow, action, destination, target, web });
  const forward = (): void => {
    const onBad = (): void => forwarding.refuseBody();
    const request = web === undefined ? build() : withWebBody(build(), web, onBad);
    for (const mirror of action.mirrors) mirrorRequest(mirror, { flow, request, mayPass: mayPass(flow, request) });
    const translation = web && new WebAnswer(web);
    const forwarding: Forwarding = new Forwarding({
      flow,
      action,
      destination,
      cluster,
      request,
      retries: action.retries === DEFAULT_RETRIES ? flow.state.mesh.retries : action.retries,
      web: translation,
    });
    forwarding.start();
  };
  const set = flow.state.destinationPolicies(endpoints);
  if (set === NO_POLICIES) return forward();
  passPolicies(flow, { set, request: () => destinationRequest(flow, endpoints, build()), tokenRules: [] }, forward);
}

/** Nobody is asked about a copy: where somebody would have to be who was not asked about the request, there is none. */
function mayPass(flow: RoutedFlow, request: UpstreamRequest): (cluster: Cluster) => boolean {
  return ({ endpoints }) => {
    const set = flow.state.destinationPolicies(endpoints);
    if (set === NO_POLICIES) return true;
    const seen = destinationRequest(flow, endpoints, request);
    const isAsked = requiredChecks(set, seen).every(({ policy }) => flow.asked.includes(policy.provider));
    return isAsked && findRefusal(set, seen) === undefined;
  };
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
  readonly web: WebCall | undefined;
}

function buildRequest({ flow, action, destination, target, web }: BuildInput): UpstreamRequest {
  const { head, state } = flow;
  const fields = head.fields.slice();
  flow.answer.traceId = flow.deps.tracer.continueTrace(fields, flow.requestId, state.mesh.samplingPercent);
  if (web !== undefined) becomeGrpc(fields, web);
  pushForwarded(fields, flow);
  for (const { request } of operationsInOrder(action, destination)) {
    applyHeaderChanges(fields, request, state.headRules.fields);
  }
  // RFC 8441 section 5: over HTTP/2 there is no key; the upstream's HTTP/1.1 handshake wants one.
  if (head.webSocket && findField(fields, 'sec-websocket-key') === undefined) {
    fields.push('sec-websocket-key', randomBytes(16).toString('base64'));
  }
  const host = hostFrom(destination.headers.request) ?? hostFrom(action.headers.request) ?? action.rewrite.authority;
  const clientIsHttp2 = flow.downstream.raw.protocol === 'HTTP/2';
  return {
    method: head.method,
    target,
    authority: host ?? head.authority,
    fields,
    body: bodyOf(flow),
    webSocket: head.webSocket,
    isGrpc: web !== undefined || (clientIsHttp2 && head.method === 'POST' && isGrpcContent(fields)),
    clientIsHttp2,
  };
}

/** The messages as gRPC has them; `onBad`: they are none. */
function withWebBody(request: UpstreamRequest, { isTextRequest }: WebCall, onBad: () => void): UpstreamRequest {
  const { body } = request;
  if (body.kind === 'none') return request;
  const trailers = body.kind === 'chunked' ? body.trailers : (): FieldList => [];
  return { ...request, body: { kind: 'chunked', source: readWebBody(body.source, isTextRequest, onBad), trailers } };
}

function bodyOf({ head, downstream, state }: RoutedFlow): UpstreamBody {
  switch (head.body.kind) {
    case 'none':
      return head.body;
    case 'length':
      return head.body.bytes === 0 ? { kind: 'none' } : { ...head.body, source: downstream.body };
    case 'chunked':
      return {
        kind: 'chunked',
        source: downstream.body,
        trailers: () => forwardableTrailers(downstream.trailers ?? [], state.headRules.fields),
      };
  }
}

/** Nobody has judged trailers: what says who the user is, or proves it, does not pass in them. */
function forwardableTrailers(trailers: FieldList, rules: FieldRules): string[] {
  const fields: string[] = [];
  for (let index = 0; index < trailers.length; index += 2) {
    const { name, action } = rules.of(trailers[index] ?? '');
    if (action === 'forward' && name !== 'authorization') fields.push(name, trailers[index + 1] ?? '');
  }
  return fields;
}
