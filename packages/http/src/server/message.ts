/** Owns the request and response values that handlers of ordinary (not hot-path) servers exchange. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { AppError } from '@kfctl/core';

export interface HttpRequest {
  readonly id: string;
  readonly method: string;
  /** The request target's path as sent, still percent-encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string;
  /** Values of `:name` segments of the matched route, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
  /** The whole body; throws AppError 413 beyond the server's limit, or beyond the one given. The first call decides. */
  body(maxBytes?: number): Promise<Buffer>;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
}

export type HttpHandler = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>;

export function jsonResponse(status: number, value: unknown, headers: OutgoingHttpHeaders = {}): HttpResponse {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}

export function textResponse(status: number, text: string, headers: OutgoingHttpHeaders = {}): HttpResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body: text };
}

export function htmlResponse(status: number, html: string, headers: OutgoingHttpHeaders = {}): HttpResponse {
  return { status, headers: { 'content-type': 'text/html; charset=utf-8', ...headers }, body: html };
}

/** The parsed JSON body; throws AppError `BODY_INVALID` (400) when it is not JSON. */
export async function readJson(request: HttpRequest): Promise<unknown> {
  const text = (await request.body()).toString('utf8');
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new AppError('BODY_INVALID', 'request body is not JSON', {
      status: 400,
      public: 'request body is not JSON',
      cause,
    });
  }
}

/** The parsed `application/x-www-form-urlencoded` body; `maxBytes` as for `body`. */
export function readForm(request: HttpRequest, maxBytes?: number): Promise<URLSearchParams> {
  return request.body(maxBytes).then(parseForm);
}

function parseForm(body: Buffer): URLSearchParams {
  return new URLSearchParams(body.toString('utf8'));
}
