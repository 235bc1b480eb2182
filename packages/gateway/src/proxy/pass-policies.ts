/** Owns putting a request before a set of policies: authorizers are asked in turn, then DENY and ALLOW judge what came of it. */
import { removeField, setField } from '@kfctl/http';
import type { ExternalAuthorizer } from '../istio/mesh-config.ts';
import type { JwtRule } from '../istio/request-authentication.ts';
import { applyToken, checkToken } from '../jwt/check-token.ts';
import type { TokenVerdict } from '../jwt/check-token.ts';
import { askAuthorizer } from '../policy/ext-authz.ts';
import type { CheckResult } from '../policy/ext-authz.ts';
import type { PolicyRequest } from '../policy/match-rule.ts';
import { findRefusal, isIndifferent, requiredChecks } from '../policy/policy-table.ts';
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
  const { broken } = hurdle.set;
  if (broken !== undefined) return deny(flow, broken);
  new Passage(flow, hurdle, next).begin();
}

/** One request on its way past one set of policies. */
class Passage {
  readonly #flow: RoutedFlow;
  readonly #hurdle: Hurdle;
  readonly #next: () => void;
  /** What the policies see; undefined after the request was changed. */
  #seen: PolicyRequest | undefined;

  constructor(flow: RoutedFlow, hurdle: Hurdle, next: () => void) {
    this.#flow = flow;
    this.#hurdle = hurdle;
    this.#next = next;
  }

  begin(): void {
    const { set } = this.#hurdle;
    const { asked } = this.#flow;
    if (set.custom.every(({ policy }) => asked.includes(policy.provider))) this.#verifyToken();
    else this.#ask(requiredChecks(set, this.#look()), 0);
  }

  #look(): PolicyRequest {
    this.#seen ??= this.#hurdle.request();
    return this.#seen;
  }

  /** Each authorizer's headers are set before the next one is asked. */
  #ask(checks: readonly CustomPolicy[], first: number): void {
    const { asked, deps, head } = this.#flow;
    for (const [index, { authorizer, policy }] of checks.entries()) {
      // It said yes before; what it set and removed is in force, and would look to it like another request.
      if (index < first || asked.includes(policy.provider)) continue;
      if (authorizer === undefined) return this.#failOn(policy);
      asked.push(policy.provider);
      const decided = deps.sessionCheck?.decide(policy.provider, authorizer, head);
      if (decided === undefined) return this.#askOutside(authorizer, () => this.#ask(checks, index + 1));
      if (!this.#apply(decided)) return;
    }
    this.#verifyToken();
  }

  #failOn({ key, provider }: CustomPolicy['policy']): void {
    this.#flow.deps.log.warn('policy names an unknown provider', { policy: key, provider });
    this.#flow.answer.refuse(503, { flags: 'UAEX' });
  }

  #askOutside(authorizer: ExternalAuthorizer, goOn: () => void): void {
    const flow = this.#flow;
    const onResult = (result: CheckResult): void => {
      if (this.#apply(result)) goOn();
    };
    const forwarded: string[] = [];
    pushForwarded(forwarded, flow);
    const { head, client, deps } = flow;
    const giveUp = askAuthorizer(authorizer, { head, client, forwarded, onResult }, deps.findAuthorizer);
    const onGone = (): void => {
      giveUp();
      flow.answer.onGone();
    };
    flow.downstream.listener = { onDrain: () => undefined, onGone };
  }

  /** True: the request goes on, with the headers that the authorizer set. */
  #apply(result: CheckResult): boolean {
    const { answer, deps, head, requestId } = this.#flow;
    switch (result.kind) {
      case 'denied':
        answer.local(result.status, { fields: result.fields, body: result.body, flags: 'UAEX' });
        return false;
      case 'failed':
        deps.log.warn('authorizer failed', { detail: result.detail, request: requestId });
        answer.refuse(result.status, { flags: 'UAEX' });
        return false;
      case 'allowed':
        for (let index = 0; index < result.set.length; index += 2) {
          setField(head.fields, result.set[index] ?? '', result.set[index + 1] ?? '');
        }
        for (const name of result.remove) if (name !== '') removeField(head.fields, name);
        answer.addFields(result.respond);
        this.#seen = undefined;
        return true;
    }
  }

  /** Istio's order: an authorizer may have put the token there; policies look at what the token says. */
  #verifyToken(): void {
    const { tokenRules } = this.#hurdle;
    if (tokenRules.length === 0) return this.#judge();
    const { head, deps, answer } = this.#flow;
    checkToken(head, tokenRules, deps.keyStore)
      .then((verdict) => this.#settleToken(verdict))
      .catch((error: unknown) => answer.fail(error));
  }

  #settleToken(verdict: TokenVerdict): void {
    const flow = this.#flow;
    if (flow.answer.hasEnded) return;
    if (verdict.kind === 'invalid') {
      const fields = ['www-authenticate', 'Bearer error="invalid_token"', 'content-type', 'text/plain'];
      return flow.answer.local(401, { body: Buffer.from('Jwt verification fails'), fields, flags: 'UAEX' });
    }
    if (verdict.kind === 'valid') {
      flow.token = verdict.token;
      applyToken(flow.head, verdict);
      this.#seen = undefined;
    }
    this.#judge();
  }

  #judge(): void {
    const { set } = this.#hurdle;
    const refusal = isIndifferent(set) ? undefined : findRefusal(set, this.#look());
    if (refusal === undefined) this.#next();
    else deny(this.#flow, refusal);
  }
}

function deny(flow: RoutedFlow, policy: string): void {
  flow.deps.log.debug('request denied', { policy, request: flow.requestId });
  flow.answer.local(403, { body: Buffer.from('RBAC: access denied'), fields: ['content-type', 'text/plain'] });
}
