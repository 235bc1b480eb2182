/**
 * Owns the way of one request through the gateway.
 *
 *   head -> route -> https redirect -> authorizers -> policies -> action (forward | redirect | direct)
 *     400     404          301        302/401/503       403
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from '@kfctl/core';
import type { Route } from '../istio/virtual-service.ts';
import { askAuthorizer } from '../policy/ext-authz.ts';
import type { CheckResult } from '../policy/ext-authz.ts';
import type { PolicyRequest } from '../policy/match-rule.ts';
import { findRefusal, requiredChecks } from '../policy/policy-table.ts';
import type { CustomPolicy } from '../policy/policy-table.ts';
import { removeField, setField } from '../request/fields.ts';
import type { FieldList } from '../request/fields.ts';
import { parseRequestHead } from '../request/request-head.ts';
import type { RequestHead } from '../request/request-head.ts';
import type { Downstream } from '../server/downstream.ts';
import type { ServerTable } from '../routes/route-table.ts';
import type { ServiceDirectory } from '../upstream/service-directory.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { AccessLog } from './access-log.ts';
import { Answer } from './answer.ts';
import { forwardRequest } from './forward-request.ts';
import { readClient } from './forwarded.ts';
import type { ClientFacts } from './forwarded.ts';
import { applyHeaderChanges } from './header-changes.ts';
import type { GatewayState } from './gateway-state.ts';
import { httpsLocation, redirectLocation } from './rewrite-target.ts';

export interface FlowDeps {
  /** The state in force now; a request keeps the one it began with. */
  readonly state: () => GatewayState;
  readonly directory: ServiceDirectory;
  readonly upstream: Upstream;
  readonly accessLog: AccessLog;
  readonly log: Logger;
  /** The gateway's own namespace, where authorizers' short names are looked up. */
  readonly namespace: string;
  readonly idleTimeoutMs: number;
  /** True while the process is ending: clients are told to connect anew. */
  readonly isDraining: () => boolean;
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
}

/** Serves one request from head to access log line. */
export function serveRequest(downstream: Downstream, deps: FlowDeps): void {
  const state = deps.state();
  const requestId = randomUUID();
  const answer = new Answer(downstream, { requestId, accessLog: deps.accessLog, isDraining: deps.isDraining });
  const head = parseRequestHead(downstream.raw, {
    fields: state.fieldRules,
    escapedSlashes: state.mesh.escapedSlashes,
  });
  if ('status' in head) return answer.refuse(head.status, { flags: 'DPE', close: true });
  const client = readClient(downstream, head, state.mesh.trustedProxies);
  answer.identify(head, client.forwardedFor);
  const server = findServer(downstream, head, state);
  if (server?.httpsRedirect === true && client.proto === 'http') {
    return answer.local(301, { fields: ['location', httpsLocation({ ...head, proto: client.proto })] });
  }
  const route = server?.hosts.find(head.host)?.find({ ...head, scheme: client.proto });
  if (route === undefined) return answer.local(404, { flags: 'NR' });
  authorize({ downstream, state, answer, head, client, requestId, route, deps });
}

function findServer(downstream: Downstream, head: RequestHead, state: GatewayState): ServerTable | undefined {
  const listener = state.table.listeners.get(downstream.port);
  if (listener === undefined || listener.isTls !== downstream.isTls) return undefined;
  return listener.servers.find(downstream.isTls && downstream.sni !== '' ? downstream.sni : head.host);
}

function authorize(flow: RoutedFlow): void {
  const { policies } = flow.state;
  if (policies.broken !== undefined) return deny(flow, policies.broken);
  const checks = requiredChecks(policies, policyRequest(flow));
  if (checks.length === 0) return judge(flow);
  askAll(flow, checks, 0);
}

/** Asks the authorizers in turn; each one's headers are set before the next is asked. */
function askAll(flow: RoutedFlow, checks: readonly CustomPolicy[], index: number): void {
  const check = checks[index];
  if (check === undefined) return judge(flow);
  const { authorizer, policy } = check;
  if (authorizer === undefined) {
    flow.deps.log.warn('policy names an unknown provider', { policy: policy.key, provider: policy.provider });
    return flow.answer.refuse(503, { flags: 'UAEX' });
  }
  const giveUp = askAuthorizer(
    authorizer,
    {
      head: flow.head,
      forwarded: forwardedFields(flow),
      onResult: (result) => applyResult(flow, result, () => askAll(flow, checks, index + 1)),
    },
    flow.deps,
  );
  flow.downstream.onGone = () => {
    giveUp();
    flow.answer.gone();
  };
}

function applyResult(flow: RoutedFlow, result: CheckResult, next: () => void): void {
  switch (result.kind) {
    case 'denied':
      return flow.answer.local(result.status, { fields: result.fields, body: result.body, flags: 'UAEX' });
    case 'failed':
      flow.deps.log.warn('authorizer failed', { detail: result.detail, request: flow.requestId });
      return flow.answer.refuse(result.status, { flags: 'UAEX' });
    case 'allowed':
      for (const name of result.remove) if (name !== '') removeField(flow.head.fields, name);
      for (let index = 0; index < result.set.length; index += 2) {
        setField(flow.head.fields, result.set[index] ?? '', result.set[index + 1] ?? '');
      }
      flow.answer.addFields(result.respond);
      return next();
  }
}

/** DENY and ALLOW policies, on what the authorizers made of the request. */
function judge(flow: RoutedFlow): void {
  const refusal = findRefusal(flow.state.policies, policyRequest(flow));
  if (refusal !== undefined) return deny(flow, refusal);
  act(flow);
}

function deny(flow: RoutedFlow, policy: string): void {
  flow.deps.log.debug('request denied', { policy, request: flow.requestId });
  flow.answer.local(403, { body: Buffer.from('RBAC: access denied'), fields: ['content-type', 'text/plain'] });
}

function act(flow: RoutedFlow): void {
  const { route, answer, head, client } = flow;
  const { action } = route;
  switch (action.kind) {
    case 'forward':
      return forwardRequest(flow, action, forwardedFields(flow));
    case 'redirect':
      return answer.local(action.status, {
        fields: ['location', redirectLocation(action, { ...head, proto: client.proto })],
      });
    case 'direct': {
      const fields: string[] = [];
      applyHeaderChanges(fields, action.headers.response);
      return answer.local(action.status, { fields, body: action.body });
    }
  }
}

function forwardedFields({ client, head, requestId }: RoutedFlow): FieldList {
  return [
    'x-forwarded-for',
    client.forwardedFor,
    'x-forwarded-proto',
    client.proto,
    'x-forwarded-host',
    head.authority,
    'x-request-id',
    requestId,
  ];
}

function policyRequest({ head, client, downstream }: RoutedFlow): PolicyRequest {
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
    jwt: undefined,
  };
}
