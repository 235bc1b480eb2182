/** Owns the plumbing of ordinary HTTP servers: ids, limits, timeouts, error mapping, orderly close. Not for proxying. */
import { describeError, isAppError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import { createHttpDate } from '../message/http-date.ts';
import type { ConnectionLimits, ConnectionServer, ServerTls } from './connection-server.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from './message.ts';
import { renderHeaders } from './render-headers.ts';
import { createRequestServer } from './request-server.ts';
import type { ServedRequest } from './served-request.ts';

export interface HttpServerOptions {
  readonly handler: HttpHandler;
  readonly log: Logger;
  /** Largest accepted request body in bytes; 1 MiB when absent. */
  readonly maxBodyBytes?: number;
  /** Turns an error into a response; the default answers the error's status with its public text only. */
  readonly renderError?: (error: unknown, request: HttpRequest) => HttpResponse;
  /** Serves HTTPS with this certificate; plain HTTP when absent. */
  readonly tls?: ServerTls;
}

export type HttpServer = ConnectionServer;

/** A gateway takes 100 fields of a client and adds its own; twice the bytes of a head that node:http takes. */
const LIMITS: ConnectionLimits = {
  head: { maxBytes: 32_768, maxFields: 200 },
  headTimeoutMs: 20_000,
  keepAliveMs: 65_000,
  keepAliveFields: 'connection: keep-alive\r\nkeep-alive: timeout=65\r\n',
  exchangeTimeoutMs: 60_000,
};
const MAX_BODY_BYTES = 1_048_576;

/** Of what never became a request. */
const REFUSALS: Readonly<Record<number, string>> = {
  400: 'no HTTP that every server reads alike',
  405: 'method not served at all',
  408: 'the head was not complete in time',
  417: 'unknown expectation',
  431: 'the head is too large',
};

/** Creates an HTTP/1.1 server around one handler. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const serving: Serving = { ...options, date: createHttpDate() };
  return createRequestServer({
    limits: LIMITS,
    tls: options.tls,
    maxBodyBytes: options.maxBodyBytes ?? MAX_BODY_BYTES,
    serve: (request) => serve(serving, request),
    onRefused: (status, from) =>
      options.log.info('request refused', { status, from, reason: REFUSALS[status] ?? REFUSALS[400] }),
  });
}

interface Serving extends HttpServerOptions {
  /** Now, as a Date header has it. */
  readonly date: () => string;
}

function serve(serving: Serving, request: ServedRequest): void {
  try {
    const response = serving.handler(request);
    if (response instanceof Promise) {
      const failed = (error: unknown): void => fail(serving, request, error);
      response.then((value) => sendSafely(serving, request, value), failed);
    } else sendSafely(serving, request, response);
  } catch (error) {
    fail(serving, request, error);
  }
}

function sendSafely(serving: Serving, request: ServedRequest, response: HttpResponse): void {
  try {
    send(serving, request, response);
  } catch (error) {
    fail(serving, request, error);
  }
}

function send({ date }: Serving, request: ServedRequest, { status, headers, body = '' }: HttpResponse): void {
  request.answer(status, `${headers === undefined ? '' : renderHeaders(headers)}date: ${date()}\r\n`, body);
}

/** What goes wrong after an answer has begun can only be told by breaking off. */
function fail(serving: Serving, request: ServedRequest, error: unknown): void {
  if (request.isGone) return;
  if (request.hasBegun) return request.abort();
  try {
    const response = (serving.renderError ?? renderError)(error, request);
    if (response.status >= 500) logFailure(serving.log, request, error);
    send(serving, request, response);
  } catch (failure) {
    logFailure(serving.log, request, failure);
    request.abort();
  }
}

function logFailure(log: Logger, { id, method, path }: HttpRequest, error: unknown): void {
  log.warn('request failed', { id, method, path, error: describeError(error) });
}

function renderError(error: unknown): HttpResponse {
  const status = isAppError(error) ? error.status : 500;
  const text = (isAppError(error) ? error.public : undefined) ?? (status >= 500 ? 'internal error' : 'bad request');
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: `${text}\n` };
}
