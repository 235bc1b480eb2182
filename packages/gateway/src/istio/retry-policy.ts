/** Owns reading of a VirtualService rule's retries: after what, how often and how fast a request is sent again. */
import type { Fields } from './fields.ts';

/** Envoy's conditions (router filter, x-envoy-retry-on and x-envoy-retry-grpc-on). */
export type RetryCondition = (typeof CONDITIONS)[number];

export interface RetryPolicy {
  /** Beyond the first; 0: never. */
  readonly attempts: number;
  readonly conditions: ReadonlySet<RetryCondition>;
  /** Of `retriable-status-codes`. */
  readonly statuses: ReadonlySet<number>;
  /** 0 means none. */
  readonly perTryTimeoutMs: number;
  /** Before the second try; it doubles, up to ten times this. */
  readonly backoffMs: number;
  /** Endpoints that failed are passed over while there are others. */
  readonly avoidsTried: boolean;
}

const CONDITIONS = [
  '5xx',
  'gateway-error',
  'reset',
  'reset-before-request',
  'connect-failure',
  'refused-stream',
  'retriable-4xx',
  'retriable-status-codes',
  'envoy-ratelimited',
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
] as const;

/** Known to Istio. The headers of the one cannot be named in a VirtualService, and the gateway speaks no HTTP/3. */
const WITHOUT_EFFECT = new Set(['retriable-headers', 'http3-post-connect-failure']);

const MAX_ATTEMPTS = 20;
const STATUS = { min: 100, max: 599 };
const DEFAULT_BACKOFF_MS = 25;

/** Istio's default since 1.24. Before, 503 was in it too, whoever gave that answer: a request that was done could be done again. */
export const DEFAULT_RETRIES: RetryPolicy = {
  attempts: 2,
  conditions: new Set(['connect-failure', 'refused-stream', 'unavailable', 'cancelled']),
  statuses: new Set(),
  perTryTimeoutMs: 0,
  backoffMs: DEFAULT_BACKOFF_MS,
  avoidsTried: true,
};

/** The policy, as Istio's pilot reads it: without `attempts` there are no retries, and then nothing else may be said about them. */
export function parseRetryPolicy(fields: Fields | undefined): RetryPolicy {
  if (fields === undefined) return DEFAULT_RETRIES;
  const attempts = fields.integer('attempts', { min: 0, max: MAX_ATTEMPTS }) ?? 0;
  const isIdle =
    attempts === 0 && ['perTryTimeout', 'retryOn', 'retryRemoteLocalities'].some((name) => fields.has(name));
  if (isIdle) fields.problem('attempts', 'is needed: without it nothing is retried');
  const stated = fields.string('retryOn') ?? '';
  const policy: RetryPolicy = {
    ...DEFAULT_RETRIES,
    attempts,
    perTryTimeoutMs: fields.durationMs('perTryTimeout') ?? 0,
    backoffMs: fields.durationMs('backoff') || DEFAULT_BACKOFF_MS,
    avoidsTried: fields.boolean('retryIgnorePreviousHosts') ?? true,
  };
  fields.withoutEffect('retryRemoteLocalities', 'no effect: endpoints of every zone are taken alike');
  fields.done();
  return stated === '' ? policy : { ...policy, ...parseRetryOn(fields, stated) };
}

/** Names and status codes, mixed, as Istio takes them. */
function parseRetryOn(fields: Fields, text: string): Pick<RetryPolicy, 'conditions' | 'statuses'> {
  const conditions = new Set<RetryCondition>();
  const statuses = new Set<number>();
  for (const item of text.split(',').map((part) => part.trim())) {
    const condition = CONDITIONS.find((known) => known === item);
    const status = /^\d{3}$/.test(item) ? Number(item) : 0;
    if (condition !== undefined) conditions.add(condition);
    else if (status >= STATUS.min && status <= STATUS.max) statuses.add(status);
    else if (WITHOUT_EFFECT.has(item)) fields.note('retryOn', `"${item}" has no effect`);
    else fields.problem('retryOn', `"${item}" is not known`);
  }
  if (statuses.size > 0) conditions.add('retriable-status-codes');
  return { conditions, statuses };
}
