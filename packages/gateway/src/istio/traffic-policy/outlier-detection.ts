/** Owns reading of `trafficPolicy.outlierDetection`: when an endpoint that fails is left out for a while. */
import type { Fields } from '../fields.ts';

export interface OutlierDetection {
  /** Answers 5xx and failures in a row; 0: these are not counted. */
  readonly consecutive5xxErrors: number;
  /** 502, 503, 504 and failures in a row; 0: these are not counted. */
  readonly consecutiveGatewayErrors: number;
  /** Failures to connect, timeouts and resets in a row, when they are counted apart; 0: they are not. */
  readonly consecutiveLocalErrors: number;
  readonly intervalMs: number;
  readonly baseEjectionMs: number;
  readonly maxEjectionPercent: number;
  readonly minHealthPercent: number;
}

const COUNT = { min: 0, max: 4_294_967_295 };
const PERCENT = { min: 0, max: 100 };

/** Defaults are Istio's. */
export function parseOutlierDetection(fields: Fields | undefined): OutlierDetection | undefined {
  if (fields === undefined) return undefined;
  const isSplit = fields.boolean('splitExternalLocalOriginErrors') ?? false;
  const local = fields.integer('consecutiveLocalOriginFailures', COUNT) ?? 5;
  const outliers: OutlierDetection = {
    consecutive5xxErrors: fields.integer('consecutive5xxErrors', COUNT) ?? 5,
    consecutiveGatewayErrors:
      fields.integer('consecutiveGatewayErrors', COUNT) ?? fields.integer('consecutiveErrors', COUNT) ?? 0,
    consecutiveLocalErrors: isSplit ? local : 0,
    intervalMs: fields.durationMs('interval') || 10_000,
    baseEjectionMs: fields.durationMs('baseEjectionTime') || 30_000,
    maxEjectionPercent: fields.integer('maxEjectionPercent', PERCENT) ?? 10,
    minHealthPercent: fields.integer('minHealthPercent', PERCENT) ?? 0,
  };
  fields.ignore('consecutiveErrors');
  fields.done();
  return outliers;
}
