/** Owns the gateway's place in traces: it goes on with a client's, begins one where the mesh wants that, and reports no spans. */
import type { FieldList } from '@kfctl/http';
import { removeField } from '@kfctl/http';
import { parseTraceParent, parseTraceState, renderTraceParent } from './trace-context.ts';
import type { TraceParent } from './trace-context.ts';

export interface Tracer {
  /**
   * Puts the context for the next one into the fields: the client's trace with a parent id of ours, or a new trace. What is malformed goes.
   * Gives the trace id; undefined when there is no trace.
   */
  continueTrace(fields: string[], requestId: string, samplingPercent: number): string | undefined;
}

export interface TracerOptions {
  /** Fills a buffer with random bytes. */
  readonly fillRandom: (bytes: Buffer) => void;
  /** At least 0 and below 1. */
  readonly random: () => number;
}

const ID_BYTES = 8;
const POOL_BYTES = ID_BYTES * 512;

export function createTracer({ fillRandom, random }: TracerOptions): Tracer {
  const nextId = createIds(fillRandom);
  return {
    continueTrace(fields, requestId, samplingPercent) {
      const given = takeContext(fields);
      if (given === undefined && samplingPercent === 0) return undefined;
      // The id of the request is the id of a trace that begins here: one finds the other in every log.
      const begun = { traceId: requestId.replaceAll('-', ''), isSampled: random() * 100 < samplingPercent };
      const parent = given?.parent ?? begun;
      if (given?.parent === undefined && samplingPercent === 0) return undefined;
      fields.push('traceparent', renderTraceParent(parent, nextId()));
      if (given?.parent !== undefined && given.state !== undefined) fields.push('tracestate', given.state);
      return parent.traceId;
    },
  };
}

interface Given {
  readonly parent: TraceParent | undefined;
  readonly state: string | undefined;
}

/** Takes the headers out; undefined when there were none, as in most requests. */
function takeContext(fields: string[]): Given | undefined {
  const parents = valuesOf(fields, 'traceparent');
  const states = valuesOf(fields, 'tracestate');
  if (parents === undefined && states === undefined) return undefined;
  removeField(fields, 'traceparent');
  removeField(fields, 'tracestate');
  const [first, second] = parents ?? [];
  const parent = first === undefined || second !== undefined ? undefined : parseTraceParent(first);
  return { parent, state: states && parseTraceState(states) };
}

function valuesOf(fields: FieldList, name: string): string[] | undefined {
  let values: string[] | undefined;
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index] === name) (values ??= []).push(fields[index + 1] ?? '');
  }
  return values;
}

/** Random ids of spans, drawn many at a time; all zeros would be no id. */
function createIds(fillRandom: (bytes: Buffer) => void): () => string {
  const pool = Buffer.alloc(POOL_BYTES);
  let used = POOL_BYTES;
  return function next(): string {
    if (used >= POOL_BYTES) {
      fillRandom(pool);
      used = 0;
    }
    used += ID_BYTES;
    const id = pool.toString('hex', used - ID_BYTES, used);
    return id === '0000000000000000' ? next() : id;
  };
}
