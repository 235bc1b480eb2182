/** Owns putting a request before a set of policies: authorizers are asked in turn, then DENY and ALLOW judge what came of it. */
import { askAuthorizer } from '../policy/ext-authz.ts';
import type { CheckResult } from '../policy/ext-authz.ts';
import type { PolicyRequest } from '../policy/match-rule.ts';
import { findRefusal, NO_POLICIES, requiredChecks } from '../policy/policy-table.ts';
import type { CustomPolicy, PolicySet } from '../policy/policy-table.ts';
import { removeField, setField } from '../request/fields.ts';
import { forwardedFields } from './forwarded.ts';
import type { RoutedFlow } from './request-flow.ts';

export interface Hurdle {
  readonly set: PolicySet;
  /** The request as these policies see it; asked again after the authorizers have changed it. */
  readonly request: () => PolicyRequest;
}

/** Calls `next` when the request may pass; otherwise it is answered here. */
export function passPolicies(flow: RoutedFlow, hurdle: Hurdle, next: () => void): void {
  const { set } = hurdle;
  if (set === NO_POLICIES) return next();
  if (set.broken !== undefined) return deny(flow, set.broken);
  const checks = requiredChecks(set, hurdle.request());
  askAll(flow, checks, () => {
    const refusal = findRefusal(set, hurdle.request());
    if (refusal !== undefined) return deny(flow, refusal);
    next();
  });
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
  const onResult = (result: CheckResult): void => applyResult(flow, result, () => askAll(flow, rest, next));
  const giveUp = askAuthorizer(authorizer, { head: flow.head, forwarded: forwardedFields(flow), onResult }, flow.deps);
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

function deny(flow: RoutedFlow, policy: string): void {
  flow.deps.log.debug('request denied', { policy, request: flow.requestId });
  flow.answer.local(403, { body: Buffer.from('RBAC: access denied'), fields: ['content-type', 'text/plain'] });
}
