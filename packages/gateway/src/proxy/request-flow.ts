/**
 * Owns the way of one request through the gateway.
 *
 *   head -> https redirect -> route -> authorizers -> token -> policies -> action: redirect | direct
 *     400         301          404    302/401/503     401       403           : forward -> policies of the destination -> upstream
 */
import type { CoarseClock, Downstream } from '@kfctl/http';
import type { ForwardAction } from '../istio/route-action.ts';
import type { Route } from '../istio/virtual-service.ts';
import type { KeyStore } from '../jwt/key-store.ts';
import type { FindAuthorizer } from '../policy/authorizer-cluster.ts';
import type { PolicyRequest, VerifiedToken } from '../policy/match-rule.ts';
import { NO_POLICIES } from '../policy/policy-table.ts';
import { parseRequestHead } from '../request/request-head.ts';
import type { RequestHead } from '../request/request-head.ts';
import type { SessionCheck } from '../session/session-check.ts';
import type { ServerTable } from '../routes/route-table.ts';
import type { Tracer } from '../trace/tracer.ts';
import type { Clusters } from '../upstream/cluster/clusters.ts';
import { Answer } from './answer.ts';
import type { AnswerDeps } from './answer.ts';
import { judgeCors } from './cors.ts';
import { forwardRequest } from './forward-request.ts';
import { readClient } from './forwarded.ts';
import type { ClientFacts } from './forwarded.ts';
import { applyHeaderChanges } from './header-changes.ts';
import type { GatewayState } from './gateway-state.ts';
import type { MirrorLoad } from './mirror-request.ts';
import { passPolicies } from './pass-policies.ts';
import type { ReplayBudget } from './replay-body.ts';
import { httpsLocation, redirectLocation } from './rewrite-target.ts';

// Not `import`: that reads every export, which loads Web Cryptography too.
const { randomUUID } = process.getBuiltinModule('node:crypto');

export interface FlowDeps extends AnswerDeps {
  /** The state in force now; a request keeps the one it began with. */
  readonly state: () => GatewayState;
  readonly clusters: Clusters;
  readonly findAuthorizer: FindAuthorizer;
  /** The gateway's own. */
  readonly namespace: string;
  /** The gateway's own identity (`cluster.local/ns/…/sa/…`), by which policies of destinations know it. */
  readonly principal: string;
  readonly keyStore: KeyStore;
  /** Answers in our AuthService's place for live sessions; undefined: it is always asked. */
  readonly sessionCheck: SessionCheck | undefined;
  readonly idleTimeoutMs: number;
  /** For bodies of requests that may be sent again, and copies for mirrors. */
  readonly replayBudget: ReplayBudget;
  readonly mirrorLoad: MirrorLoad;
  /** Ticks several times within the idle timeout. */
  readonly clock: CoarseClock;
  readonly tracer: Tracer;
}

/** A request after its head was found good and a route was found. */
export interface RoutedFlow {
  readonly downstream: Downstream;
  readonly state: GatewayState;
  readonly answer: Answer;
  readonly head: RequestHead;
  readonly client: ClientFacts;
  readonly requestId: string;
  readonly route: Route;
  readonly deps: FlowDeps;
  /** Of the token that the request carried, once it is verified. */
  token: VerifiedToken | undefined;
  /** Authorizers that were asked about this request: each is asked once, at the first policy that wants it. */
  readonly asked: string[];
}

/** Serves one request from head to access log line. */
export function serveRequest(downstream: Downstream, deps: FlowDeps): void {
  const answer = new Answer(downstream, deps, randomUUID());
  try {
    begin(downstream, answer, deps);
  } catch (error) {
    // A fault of ours ends the request, not the process.
    answer.fail(error);
  }
}

function begin(downstream: Downstream, answer: Answer, deps: FlowDeps): void {
  const state = deps.state();
  const head = parseRequestHead(downstream.raw, state.headRules);
  if ('status' in head) return answer.refuse(head.status, { flags: 'DPE', close: true });
  downstream.accept(head);
  const client = readClient(downstream, head, state.mesh.trustedProxies);
  answer.identify(head, client.forwardedFor);
  const server = findServer(downstream, head, state);
  if (server?.httpsRedirect === true && client.proto === 'http') {
    return answer.local(301, { fields: ['location', httpsLocation({ ...head, proto: client.proto })] });
  }
  const route = findRoute(server, head, client);
  if (route === undefined) return answer.local(404, { flags: 'NR' });
  const { requestId } = answer;
  const flow: RoutedFlow = {
    downstream,
    state,
    answer,
    head,
    client,
    requestId,
    route,
    deps,
    token: undefined,
    asked: [],
  };
  if (state.policies === NO_POLICIES && state.tokenRules.length === 0) return act(flow);
  const hurdle = { set: state.policies, request: () => gatewayRequest(flow), tokenRules: state.tokenRules };
  passPolicies(flow, hurdle, () => act(flow));
}

function findRoute(server: ServerTable | undefined, head: RequestHead, client: ClientFacts): Route | undefined {
  const { method, path, query, authority, fields } = head;
  return server?.hosts.find(head.host)?.find({ method, path, query, authority, fields, scheme: client.proto });
}

function findServer(downstream: Downstream, head: RequestHead, state: GatewayState): ServerTable | undefined {
  const listener = state.table.listeners.get(downstream.port);
  if (listener === undefined || listener.isTls !== downstream.isTls) return undefined;
  return listener.servers.find(downstream.isTls && downstream.sni !== '' ? downstream.sni : head.host);
}

function act(flow: RoutedFlow): void {
  const { route, answer, head, client } = flow;
  const { action } = route;
  switch (action.kind) {
    case 'forward':
      return beforeForwarding(flow, action);
    case 'redirect':
      return answer.local(action.status, {
        fields: ['location', redirectLocation(action, { ...head, proto: client.proto }, flow.downstream.port)],
      });
    case 'direct': {
      const fields: string[] = [];
      applyHeaderChanges(fields, action.headers.response);
      return answer.local(action.status, { fields, body: action.body });
    }
  }
}

/** CORS and faults come after policies: neither a preflight nor a test tells strangers anything. */
function beforeForwarding(flow: RoutedFlow, action: ForwardAction): void {
  const { answer, head } = flow;
  const cors = judgeCors(action.cors, head);
  if (cors.kind === 'preflight') return answer.local(200, { fields: cors.fields });
  if (cors.kind === 'allowed') answer.addFields(cors.fields);
  const { delay, abort } = action.fault ?? {};
  const proceed = (): void => {
    if (answer.hasEnded) return;
    if (abort !== undefined && isHit(abort.percent)) {
      return answer.local(abort.status, { flags: 'FI', grpcStatus: abort.grpcStatus });
    }
    forwardRequest(flow, action);
  };
  if (delay === undefined || !isHit(delay.percent)) return proceed();
  setTimeout(() => {
    try {
      proceed();
    } catch (error) {
      answer.fail(error);
    }
  }, delay.ms);
}

function isHit(percent: number): boolean {
  return Math.random() * 100 < percent;
}

/** The request as policies of the gateway see it. */
function gatewayRequest({ head, client, downstream, token }: RoutedFlow): PolicyRequest {
  return {
    method: head.method,
    path: head.path,
    host: head.host,
    authority: head.authority,
    port: downstream.port,
    fields: head.fields,
    sourceIp: downstream.remoteAddress,
    remoteIp: client.remoteIp,
    sni: downstream.sni,
    principal: '',
    namespace: '',
    jwt: token,
  };
}
