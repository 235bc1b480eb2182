/** Owns requests that came over HTTP/1. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Duplex, Readable } from 'node:stream';
import { AppError } from '@kfctl/core';
import type { RawHead } from '../request/request-head.ts';
import type { Downstream } from './downstream.ts';
import type { ListenerPlace } from './listener.ts';

// Not `import`: see listener.ts.
const { ServerResponse: Response } = process.getBuiltinModule('node:http');

export class Http1Downstream implements Downstream {
  readonly raw: RawHead;
  readonly port: number;
  readonly isTls: boolean;
  readonly sni: string;
  readonly remoteAddress: string;
  readonly body: Readable;
  onDrain: () => void = () => undefined;
  onGone: () => void = () => undefined;
  protected readonly request: IncomingMessage;
  protected readonly response: ServerResponse;
  #isQuiet = true;

  constructor(request: IncomingMessage, response: ServerResponse, listener: ListenerPlace) {
    this.raw = {
      protocol: request.httpVersion === '1.0' ? 'HTTP/1.0' : 'HTTP/1.1',
      method: request.method ?? '',
      target: request.url ?? '',
      authority: undefined,
      rawFields: request.rawHeaders,
      ended: false,
      extendedProtocol: undefined,
    };
    this.port = listener.port;
    this.isTls = listener.isTls;
    this.sni = serverNameOf(request.socket);
    this.remoteAddress = request.socket.remoteAddress ?? '';
    this.body = request;
    this.request = request;
    this.response = response;
    // A client that breaks off is no error of ours; `close` tells it.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    response.on('drain', () => this.onDrain());
    response.on('close', () => {
      if (!response.writableFinished) this.onGone();
    });
  }

  sendContinue(): void {
    this.response.writeContinue();
  }

  sendHead(status: number, fields: readonly string[], hasBody: boolean): void {
    this.response.writeHead(status, fields as string[]);
    // Answers whose body comes later (server-sent events) show their head at once.
    if (hasBody) queueMicrotask(() => this.#flush());
  }

  write(chunk: Buffer): boolean {
    this.#isQuiet = false;
    return this.response.write(chunk);
  }

  /** Trailers are left out: RFC 9110 section 6.5.1 allows it, and no HTTP/1.1 browser reads them. */
  end(): void {
    this.#isQuiet = false;
    this.response.end();
  }

  abort(): void {
    this.response.destroy();
  }

  acceptWebSocket(_fields: readonly string[]): Duplex {
    throw new AppError('NOT_AN_UPGRADE', 'the client did not ask for another protocol');
  }

  #flush(): void {
    if (this.#isQuiet && !this.response.destroyed) this.response.flushHeaders();
  }
}

/** A request whose client asked for WebSocket: node hands over its socket, and the answer is written by hand when it is a yes. */
export class UpgradeDownstream extends Http1Downstream {
  readonly #socket: Duplex;
  readonly #rest: Buffer;

  constructor(upgrade: { request: IncomingMessage; socket: Duplex; rest: Buffer }, listener: ListenerPlace) {
    const answer = new Response(upgrade.request);
    // Whatever was said no to: this connection has left the HTTP server.
    answer.shouldKeepAlive = false;
    answer.assignSocket(upgrade.request.socket);
    answer.on('finish', () => upgrade.socket.end());
    super(upgrade.request, answer, listener);
    this.#socket = upgrade.socket;
    this.#rest = upgrade.rest;
    upgrade.socket.on('error', () => upgrade.socket.destroy());
  }

  override acceptWebSocket(fields: readonly string[]): Duplex {
    this.response.detachSocket(this.request.socket);
    let head = 'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n';
    for (let index = 0; index < fields.length; index += 2) head += `${fields[index]}: ${fields[index + 1]}\r\n`;
    this.#socket.write(`${head}\r\n`, 'latin1');
    if (this.#rest.length > 0) this.#socket.unshift(this.#rest);
    return this.#socket;
  }
}

/** The name of the TLS handshake; empty when the client gave none. */
function serverNameOf(socket: Socket): string {
  const name = socket instanceof TLSSocket ? socket.servername : undefined;
  return typeof name === 'string' ? name.toLowerCase() : '';
}
