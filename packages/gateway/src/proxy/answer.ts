/** Owns the answer to one request: exactly one, counted, logged once, whoever gives it. */
import { describeError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import type { Duplex } from 'node:stream';
import type { Downstream, DownstreamListener, FieldList } from '@kfctl/http';
import { grpcAnswer, grpcStatusFor } from '../grpc/grpc-answer.ts';
import { isGrpcContent } from '../grpc/grpc-request.ts';
import type { RequestHead } from '../request/request-head.ts';
import type { AccessLog } from './access-log.ts';

export interface AnswerDeps {
  readonly accessLog: AccessLog;
  readonly log: Logger;
  /** Now, as a Date header has it. */
  readonly httpDate: () => string;
}

export interface LocalAnswer {
  readonly fields?: FieldList;
  readonly body?: Buffer;
  readonly flags?: string;
  /** For gRPC clients, where the HTTP status does not say it. */
  readonly grpcStatus?: number | undefined;
  /** End the connection: the rest of what it carries cannot be trusted. */
  readonly close?: boolean;
}

export const SERVER_NAME = 'kfctl-gateway';
const EMPTY = Buffer.alloc(0);
const NONE: FieldList = [];

export class Answer implements DownstreamListener {
  upstreamMs: number | undefined;
  upstreamHost: string | undefined;
  traceId: string | undefined;
  bytesReceived = 0;
  readonly requestId: string;
  readonly startedMs: number = performance.now();
  readonly #downstream: Downstream;
  readonly #deps: AnswerDeps;
  #head: RequestHead | undefined;
  #forwardedFor = '';
  #extra: FieldList = NONE;
  #status = 0;
  #flags = '';
  #bytesSent = 0;
  #isLogged = false;

  constructor(downstream: Downstream, deps: AnswerDeps, requestId: string) {
    this.#downstream = downstream;
    this.#deps = deps;
    this.requestId = requestId;
    downstream.listener = this;
  }

  get hasBegun(): boolean {
    return this.#status !== 0;
  }

  /** Answered, or the client is gone. */
  get hasEnded(): boolean {
    return this.#isLogged;
  }

  identify(head: RequestHead, forwardedFor: string): void {
    this.#head = head;
    this.#forwardedFor = forwardedFor;
  }

  /** Fields that an authorizer wants the client to get. */
  addFields(fields: FieldList): void {
    if (fields.length > 0) this.#extra = [...this.#extra, ...fields];
  }

  /** Answers without an upstream. */
  local(status: number, answer: LocalAnswer = {}): void {
    const { fields = [], body = EMPTY, flags = '', close = false } = answer;
    if (this.hasBegun) return;
    if (this.#isGrpc()) return this.#localGrpc(status, answer);
    const hasNoLength = status === 204 || status === 304;
    const framing = hasNoLength ? [] : ['content-length', String(body.length)];
    const isHead = this.#downstream.raw.method === 'HEAD';
    const sent = isHead || hasNoLength ? EMPTY : body;
    this.#flags = flags;
    if (close) this.#downstream.retire();
    this.begin(status, [...fields, ...framing], sent.length > 0);
    if (sent.length > 0) this.write(sent);
    this.end([]);
  }

  /** gRPC clients read a status of their own; what the gateway says is all in the head. */
  #localGrpc(status: number, { fields = [], body = EMPTY, flags = '', grpcStatus }: LocalAnswer): void {
    this.#flags = flags;
    this.begin(200, grpcAnswer(grpcStatus ?? grpcStatusFor(status), fields, body), false);
    this.end([]);
  }

  #isGrpc(): boolean {
    return (
      this.#downstream.raw.protocol === 'HTTP/2' && this.#head?.method === 'POST' && isGrpcContent(this.#head.fields)
    );
  }

  /** A refusal in a word, as Envoy words it. */
  refuse(status: number, { flags = '', close = false }: { flags?: string; close?: boolean } = {}): void {
    const text = REFUSALS[status] ?? '';
    this.local(status, {
      body: Buffer.from(text),
      fields: text === '' ? [] : ['content-type', 'text/plain'],
      flags,
      close,
    });
  }

  flag(flags: string): void {
    this.#flags = flags;
  }

  /** Takes the list over: what the gateway states itself is added to it. RFC 9110 section 6.6.1: no answer goes out without a date. */
  begin(status: number, fields: string[], hasBody: boolean): void {
    this.#status = status;
    if (!hasDate(fields)) fields.push('date', this.#deps.httpDate());
    if (this.#extra.length > 0) fields.push(...this.#extra);
    fields.push('server', SERVER_NAME);
    this.#downstream.sendHead(status, fields, hasBody);
  }

  write(chunk: Buffer): boolean {
    this.#bytesSent += chunk.length;
    return this.#downstream.write(chunk);
  }

  end(trailers: FieldList): void {
    this.#downstream.end(trailers);
    this.#log();
  }

  /** A fault of ours: the client gets 500 where it still can, the operator the reason. */
  fail(error: unknown): void {
    this.#deps.log.error('request failed', { request: this.requestId, error: describeError(error) });
    if (this.hasBegun) this.abort('IH');
    else this.refuse(500, { close: true });
  }

  /** Breaks an answer off that has begun. */
  abort(flags: string): void {
    this.#flags ||= flags;
    this.#downstream.abort();
    this.#log();
  }

  onDrain(): void {
    // What the gateway says itself is short.
  }

  /** The client went away first. */
  onGone(): void {
    this.#flags ||= 'DC';
    this.#log();
  }

  acceptWebSocket(fields: FieldList): Duplex {
    this.#status = this.#downstream.raw.protocol === 'HTTP/2' ? 200 : 101;
    return this.#downstream.acceptWebSocket([...fields, ...this.#extra, 'server', SERVER_NAME]);
  }

  /** The end of a WebSocket. */
  finishUpgrade(bytes: { readonly received: number; readonly sent: number }): void {
    this.bytesReceived = bytes.received;
    this.#bytesSent = bytes.sent;
    this.#log();
  }

  #log(): void {
    if (this.#isLogged) return;
    this.#isLogged = true;
    const { raw } = this.#downstream;
    this.#deps.accessLog.write({
      startedAtMs: performance.timeOrigin + this.startedMs,
      method: raw.method,
      target: raw.target,
      protocol: raw.protocol,
      status: this.#status,
      flags: this.#flags,
      bytesReceived: this.bytesReceived,
      bytesSent: this.#bytesSent,
      durationMs: performance.now() - this.startedMs,
      upstreamMs: this.upstreamMs,
      forwardedFor: this.#forwardedFor,
      requestId: this.requestId,
      upstreamHost: this.upstreamHost,
      traceId: this.traceId,
      head: this.#head,
    });
  }
}

function hasDate(fields: FieldList): boolean {
  for (let index = 0; index < fields.length; index += 2) if (fields[index] === 'date') return true;
  return false;
}

const REFUSALS: Readonly<Record<number, string>> = {
  400: 'bad request',
  405: 'method not allowed',
  408: 'request timeout',
  417: 'expectation failed',
  500: 'internal error',
  431: 'request header fields too large',
  502: 'upstream connect error or disconnect/reset before headers',
  503: 'service unavailable',
  504: 'upstream request timeout',
};
