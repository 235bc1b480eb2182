/** Owns reading of a VirtualService rule's fault: delays and refusals that tests put on a share of requests. */
import { grpcStatusByName, httpStatusOf } from '../grpc/grpc-answer.ts';
import type { Fields } from './fields.ts';

export interface Fault {
  readonly delay: { readonly percent: number; readonly ms: number } | undefined;
  /** `grpcStatus`: what gRPC clients are told; otherwise what the HTTP status means to them. */
  readonly abort:
    | { readonly percent: number; readonly status: number; readonly grpcStatus: number | undefined }
    | undefined;
}

const MAX_DELAY_MS = 600_000;

export function parseFault(fields: Fields | undefined): Fault | undefined {
  if (fields === undefined) return undefined;
  const fault = { delay: parseDelay(fields.child('delay')), abort: parseAbort(fields.child('abort')) };
  fields.done();
  return fault;
}

function parseDelay(fields: Fields | undefined): Fault['delay'] {
  if (fields === undefined) return undefined;
  const ms = fields.durationMs('fixedDelay');
  if (ms === undefined || ms > MAX_DELAY_MS) fields.problem('fixedDelay', 'is required, and at most 10m');
  const delay = { percent: parsePercent(fields), ms: ms ?? 0 };
  fields.done();
  return delay;
}

function parseAbort(fields: Fields | undefined): Fault['abort'] {
  if (fields === undefined) return undefined;
  const httpStatus = fields.integer('httpStatus', { min: 200, max: 599 });
  const name = fields.string('grpcStatus');
  const grpcStatus = name === undefined ? undefined : grpcStatusByName(name);
  if (name !== undefined && grpcStatus === undefined) fields.problem('grpcStatus', `"${name}" is not known`);
  if ((httpStatus === undefined) === (name === undefined)) fields.problem('httpStatus', 'or grpcStatus is required');
  const status = httpStatus ?? httpStatusOf(grpcStatus ?? 0);
  const abort = { percent: parsePercent(fields), status, grpcStatus };
  fields.done();
  return abort;
}

/** `percentage: { value }`, or the older whole number `percent`; all requests when absent. */
function parsePercent(fields: Fields): number {
  const percentage = fields.child('percentage');
  const percent = fields.integer('percent', { min: 0, max: 100 });
  const value = percentage?.number('value');
  percentage?.done();
  return value ?? percent ?? 100;
}
