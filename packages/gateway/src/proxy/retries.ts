/** Owns the decision whether a request is sent again, by the conditions that its rule names (Envoy's router filter). */
import { findField } from '@kfctl/http';
import type { RetryCondition, RetryPolicy } from '../istio/retry-policy.ts';
import { isReplayable } from '../upstream/upstream.ts';
import type { UpstreamFailure, UpstreamHead, UpstreamRequest } from '../upstream/upstream.ts';

/** What an endpoint says of a gRPC call in a head that is all of its answer. */
const GRPC_CONDITIONS: Readonly<Record<string, RetryCondition>> = {
  1: 'cancelled',
  4: 'deadline-exceeded',
  8: 'resource-exhausted',
  13: 'internal',
  14: 'unavailable',
};

const ANY_FAILURE: readonly RetryCondition[] = ['reset', '5xx', 'gateway-error'];
/** Conditions that only an answer over HTTP/1.1, or the lack of one, can meet. */
const AFTER_SENDING: readonly RetryCondition[] = [
  ...ANY_FAILURE,
  'retriable-4xx',
  'retriable-status-codes',
  'envoy-ratelimited',
];
const MAX_BACKOFF_FACTOR = 10;

/** The request may have to be sent again after its body has begun to leave. */
export function needsBodyAgain({ attempts, conditions }: RetryPolicy, overHttp2: boolean): boolean {
  return attempts > 0 && (overHttp2 || AFTER_SENDING.some((condition) => conditions.has(condition)));
}

/** No answer came. A connection that died idle is no failure of the request: one that can do nothing twice always gets another. */
export function isRetriedFailure(policy: RetryPolicy, failure: UpstreamFailure, request: UpstreamRequest): boolean {
  const { kind, sent } = failure;
  const { conditions } = policy;
  if (kind === 'overflow') return false;
  if (isDeadIdle(failure, request) || meetsAny(conditions, ANY_FAILURE)) return true;
  if (sent) return false;
  if (kind === 'connect') return conditions.has('connect-failure') || conditions.has('reset-before-request');
  return conditions.has('refused-stream') || conditions.has('reset-before-request');
}

/** Nobody has looked at the request, so nobody needs time to recover from it. */
export function isPromptlyRetried(failure: UpstreamFailure, request: UpstreamRequest): boolean {
  return !failure.sent || isDeadIdle(failure, request);
}

export function isRetriedTimeout({ conditions }: RetryPolicy): boolean {
  return meetsAny(conditions, ANY_FAILURE);
}

export function isRetriedAnswer(policy: RetryPolicy, { status, fields }: UpstreamHead, isGrpc: boolean): boolean {
  const { conditions, statuses } = policy;
  if (statuses.has(status)) return true;
  if (status < 400) return isGrpc && isRetriedGrpc(conditions, findField(fields, 'grpc-status'));
  if (findField(fields, 'x-envoy-ratelimited') !== undefined) return conditions.has('envoy-ratelimited');
  if (status >= 500 && conditions.has('5xx')) return true;
  if (status >= 502 && status <= 504 && conditions.has('gateway-error')) return true;
  return status === 409 && conditions.has('retriable-4xx');
}

/** Envoy's jittered exponential back-off; `retry` counts from 0, `random` is at least 0 and below 1. */
export function backoffMs(policy: RetryPolicy, retry: number, random: number): number {
  return random * policy.backoffMs * Math.min(2 ** retry, MAX_BACKOFF_FACTOR);
}

function isDeadIdle({ reused, kind }: UpstreamFailure, request: UpstreamRequest): boolean {
  return reused && kind === 'reset' && isReplayable(request);
}

function isRetriedGrpc(conditions: ReadonlySet<RetryCondition>, status: string | undefined): boolean {
  const condition = GRPC_CONDITIONS[status ?? ''];
  return condition !== undefined && conditions.has(condition);
}

function meetsAny(conditions: ReadonlySet<RetryCondition>, wanted: readonly RetryCondition[]): boolean {
  return wanted.some((condition) => conditions.has(condition));
}
