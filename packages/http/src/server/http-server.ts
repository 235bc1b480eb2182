/** Owns the plumbing of ordinary HTTP servers: ids, limits, timeouts, error mapping, orderly close. Not for proxying. */
import { describeError, isAppError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import type { Http1Downstream } from '../connection/http1-downstream.ts';
import { createHeadJudge } from '../head/judge-head.ts';
import { createHttpDate } from '../message/http-date.ts';
import { createConnectionServer } from './connection-server.ts';
import type { ConnectionLimits, ConnectionServer, ServerTls } from './connection-server.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from './message.ts';
import { renderHeaders, sendAnswer } from './send-answer.ts';
import { ServedRequest } from './served-request.ts';

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

/** Creates an HTTP/1.1 server around one handler. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const judge = createHeadJudge(LIMITS.head.maxFields);
  const serving: Serving = { ...options, date: createHttpDate() };
  return createConnectionServer({
    limits: LIMITS,
    tls: options.tls,
    handler: (downstream) => {
      const head = judge(downstream.raw);
      if (typeof head === 'number') return downstream.answer(head, '', '');
      downstream.accept(head);
      serve(serving, downstream, new ServedRequest(downstream, head, options.maxBodyBytes ?? MAX_BODY_BYTES));
    },
  });
}

interface Serving extends HttpServerOptions {
  /** Now, as a Date header has it. */
  readonly date: () => string;
}

function serve(serving: Serving, downstream: Http1Downstream, request: ServedRequest): void {
  const exchange: Exchange = { serving, downstream, request };
  try {
    const response = serving.handler(request);
    if (response instanceof Promise)
      response.then((value) => send(exchange, value)).catch((error: unknown) => fail(exchange, error));
    else send(exchange, response);
  } catch (error) {
    fail(exchange, error);
  }
}

interface Exchange {
  readonly serving: Serving;
  readonly downstream: Http1Downstream;
  readonly request: ServedRequest;
}

function send({ serving, downstream, request }: Exchange, { status, headers, body = '' }: HttpResponse): void {
  const fields = `${headers === undefined ? '' : renderHeaders(headers)}date: ${serving.date()}\r\n`;
  sendAnswer(downstream, request, { status, fields, body });
}

/** What goes wrong after an answer has begun can only be told by breaking off. */
function fail(exchange: Exchange, error: unknown): void {
  const { serving, downstream, request } = exchange;
  if (request.isGone) return;
  if (downstream.hasBegun) return downstream.abort();
  try {
    const response = (serving.renderError ?? renderError)(error, request);
    if (response.status >= 500) logFailure(serving.log, request, error);
    send(exchange, response);
  } catch (failure) {
    logFailure(serving.log, request, failure);
    downstream.abort();
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
