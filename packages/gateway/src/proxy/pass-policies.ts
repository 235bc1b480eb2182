/** Owns putting a request before a set of policies: authorizers are asked in turn, then DENY and ALLOW judge what came of it. */
import { removeField, setField } from '@kfctl/http';
import type { JwtRule } from '../istio/request-authentication.ts';
import { applyToken, checkToken } from '../jwt/check-token.ts';
import type { TokenVerdict } from '../jwt/check-token.ts';
import { askAuthorizer } from '../policy/ext-authz.ts';
import type { CheckResult } from '../policy/ext-authz.ts';
import type { PolicyRequest } from '../policy/match-rule.ts';
import { findRefusal, NO_POLICIES, requiredChecks } from '../policy/policy-table.ts';
import type { CustomPolicy, PolicySet } from '../policy/policy-table.ts';
import { pushForwarded } from './forwarded.ts';
import type { RoutedFlow } from './request-flow.ts';

export interface Hurdle {
  readonly set: PolicySet;
  /** The request as these policies see it; asked again after the authorizers have changed it. */
  readonly request: () => PolicyRequest;
  readonly tokenRules: readonly JwtRule[];
}

/** Calls `next` when the request may pass; otherwise it is answered here. */
export function passPolicies(flow: RoutedFlow, hurdle: Hurdle, next: () => void): void {
  const { set } = hurdle;
  if (set === NO_POLICIES) return verifyToken(flow, hurdle.tokenRules, next);
  if (set.broken !== undefined) return deny(flow, set.broken);
  const checks = requiredChecks(set, hurdle.request());
  askAll(flow, checks, () =>
    verifyToken(flow, hurdle.tokenRules, () => {
      const refusal = findRefusal(set, hurdle.request());
      if (refusal !== undefined) return deny(flow, refusal);
      next();
    }),
  );
}

/** Istio's order: an authorizer may have put the token there; policies look at what the token says. */
function verifyToken(flow: RoutedFlow, rules: readonly JwtRule[], next: () => void): void {
  if (rules.length === 0) return next();
  checkToken(flow.head, rules, flow.deps.keyStore)
    .then((verdict) => settleToken(flow, verdict, next))
    .catch((error: unknown) => flow.answer.fail(error));
}

function settleToken(flow: RoutedFlow, verdict: TokenVerdict, next: () => void): void {
  const { answer, head } = flow;
  if (answer.hasEnded) return;
  if (verdict.kind === 'invalid') {
    const fields = ['www-authenticate', 'Bearer error="invalid_token"', 'content-type', 'text/plain'];
    return answer.local(401, { body: Buffer.from('Jwt verification fails'), fields, flags: 'UAEX' });
  }
  if (verdict.kind === 'valid') {
    flow.token = verdict.token;
    applyToken(head.fields, verdict);
  }
  next();
}

/** Each authorizer's headers are set before the next one is asked. */
function askAll(flow: RoutedFlow, checks: readonly CustomPolicy[], next: () => void): void {
  const [check, ...rest] = checks;
  if (check === undefined) return next();
  const { authorizer, policy } = check;
  if (authorizer === undefined) {
    flow.deps.log.warn('policy names an unknown provider', { policy: policy.key, provider: policy.provider });
    return flow.answer.refuse(503, { flags: 'UAEX' });
  }
  // It said yes before; what it set and removed is in force, and would look to it like another request.
  if (flow.asked.includes(policy.provider)) return askAll(flow, rest, next);
  flow.asked.push(policy.provider);
  const decided = flow.deps.sessionCheck?.decide(policy.provider, authorizer, flow.head);
  if (decided !== undefined) return applyResult(flow, decided, () => askAll(flow, rest, next));
  const onResult = (result: CheckResult): void => applyResult(flow, result, () => askAll(flow, rest, next));
  const forwarded: string[] = [];
  pushForwarded(forwarded, flow);
  const giveUp = askAuthorizer(authorizer, { head: flow.head, forwarded, onResult }, flow.deps);
  const onGone = (): void => {
    giveUp();
    flow.answer.onGone();
  };
  flow.downstream.listener = { onDrain: () => undefined, onGone };
}

function applyResult(flow: RoutedFlow, result: CheckResult, next: () => void): void {
  switch (result.kind) {
    case 'denied':
      return flow.answer.local(result.status, { fields: result.fields, body: result.body, flags: 'UAEX' });
    case 'failed':
      flow.deps.log.warn('authorizer failed', { detail: result.detail, request: flow.requestId });
      return flow.answer.refuse(result.status, { flags: 'UAEX' });
    case 'allowed':
      for (let index = 0; index < result.set.length; index += 2) {
        setField(flow.head.fields, result.set[index] ?? '', result.set[index + 1] ?? '');
      }
      for (const name of result.remove) if (name !== '') removeField(flow.head.fields, name);
      flow.answer.addFields(result.respond);
      return next();
  }
}

function deny(flow: RoutedFlow, policy: string): void {
  flow.deps.log.debug('request denied', { policy, request: flow.requestId });
  flow.answer.local(403, { body: Buffer.from('RBAC: access denied'), fields: ['content-type', 'text/plain'] });
}
