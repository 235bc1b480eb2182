/** Owns the listener that gateways ask: a check is made for every request to the platform. Knows no routes. */
import type { Logger } from '@kfctl/core';
import { createHttpDate, createRequestServer } from '@kfctl/http';
import type { ConnectionLimits, ServedRequest } from '@kfctl/http';
import { answerError } from './answer-error.ts';
import { renderFields } from './answer.ts';
import type { Answer, Endpoint } from './answer.ts';

export interface FrontServer {
  listen(port: number, host?: string): Promise<number>;
  /** Stops accepting, lets requests in flight finish within `graceMs`, then ends what is left. */
  close(graceMs?: number): Promise<void>;
}

export interface FrontServerOptions {
  readonly endpoint: Endpoint;
  readonly log: Logger;
}

const LIMITS: ConnectionLimits = {
  // Larger than any gateway's own limit: what the gateway took, the check must be able to judge.
  head: { maxBytes: 98_304, maxFields: 2_000 },
  headTimeoutMs: 20_000,
  // Gateways keep connections; ours must not be the side that closes first: nothing may come for 20 minutes.
  keepAliveMs: 1_201_000,
  keepAliveFields: '',
  exchangeTimeoutMs: 30_000,
};
/** Bodies of checks mean nothing, and those of our own API are small. */
const MAX_BODY_BYTES = 65_536;
const GRACE_MS = 5_000;

export function createFrontServer({ endpoint, log }: FrontServerOptions): FrontServer {
  const serving: Serving = { endpoint, log, date: createHttpDate() };
  const server = createRequestServer({
    limits: LIMITS,
    maxBodyBytes: MAX_BODY_BYTES,
    refusesAbsolute: true,
    serve: (request) => serve(serving, request),
  });
  return { listen: server.listen, close: (graceMs = GRACE_MS) => server.close(graceMs) };
}

interface Serving extends FrontServerOptions {
  /** Now, as a Date header has it. */
  readonly date: () => string;
}

/** A check answers in the same turn of the event loop; only logins, logouts and look-ups wait. */
function serve(serving: Serving, request: ServedRequest): void {
  try {
    const answer = serving.endpoint(request);
    if (answer instanceof Promise)
      answer.then((value) => send(serving, request, value)).catch((error: unknown) => fail(serving, request, error));
    else send(serving, request, answer);
  } catch (error) {
    fail(serving, request, error);
  }
}

function send({ date }: Serving, request: ServedRequest, { status, headers, fields, body = '' }: Answer): void {
  request.answer(status, `date: ${date()}\r\n${fields ?? renderFields(headers)}`, body);
}

function fail(serving: Serving, request: ServedRequest, error: unknown): void {
  if (request.isGone) return;
  if (request.hasBegun) return request.abort();
  send(serving, request, answerError(error, request, serving.log));
}
