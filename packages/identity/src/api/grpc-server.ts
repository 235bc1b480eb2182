/**
 * Owns the listener of the API: gRPC over HTTP/2, unary but for reflection. Whoever has no certificate of the configured authority does not get past
 * the TLS handshake; on loopback alone the settings may do without.
 */
import type { Server } from 'node:http';
import type {
  Http2SecureServer,
  SecureServerOptions,
  Http2Server,
  IncomingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { describeError, listen } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import type { ServerTls } from '@kfctl/http';
import { ApiRefusal, GRPC } from './api-method.ts';
import type { ApiMethod } from './api-method.ts';
import { frame, serveStream } from './serve-stream.ts';
import type { ApiStream } from './serve-stream.ts';

export interface GrpcTls extends ServerTls {
  /** PEM: who may vouch for callers; empty asks for no certificate. */
  readonly ca: string;
}

export interface GrpcServer {
  listen(port: number, host: string): Promise<number>;
  setCertificate(tls: GrpcTls): void;
  close(): Promise<void>;
}

export interface GrpcServerOptions {
  readonly methods: ReadonlyMap<string, ApiMethod>;
  /** Calls that go on, by their paths; for reflection. */
  readonly streams?: ReadonlyMap<string, ApiStream>;
  /** Undefined serves without TLS. */
  readonly tls: GrpcTls | undefined;
  readonly log: Logger;
}

const MAX_MESSAGE_BYTES = 256 * 1024;
const MAX_REASON = 2000;
const PREFIX_BYTES = 5;
const CLOSE_PATIENCE_MS = 5000;
const CALL_TIMEOUT_MS = 60_000;

export async function createGrpcServer({ methods, streams, tls, log }: GrpcServerOptions): Promise<GrpcServer> {
  const { createSecureServer, createServer } = await import('node:http2');
  const settings = { maxConcurrentStreams: 100, maxHeaderListSize: 16_384 };
  const secure = tls === undefined ? undefined : createSecureServer({ ...mutualTls(tls), settings });
  const server: Http2Server | Http2SecureServer = secure ?? createServer({ settings });
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session: ServerHttp2Session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => session.destroy());
  });
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => stream.destroy());
    stream.setTimeout(CALL_TIMEOUT_MS, () => stream.destroy());
    const goesOn =
      headers[':method'] === 'POST' && isGrpc(headers) ? streams?.get(String(headers[':path'])) : undefined;
    if (goesOn !== undefined) return serveStream(stream, goesOn);
    void answer(stream, headers, { methods, log });
  });
  return {
    // The two servers listen alike; their types differ in the events they tell of.
    listen: (port, host) => listen(server as unknown as Server, port, host),
    setCertificate: (next) => secure?.setSecureContext(mutualTls(next)),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const session of sessions) session.close();
      const impatient = setTimeout(() => sessions.forEach((session) => session.destroy()), CLOSE_PATIENCE_MS);
      await closed;
      clearTimeout(impatient);
    },
  };
}

function mutualTls({ ca, ...tls }: GrpcTls): SecureServerOptions {
  return ca === '' ? tls : { ...tls, ca, requestCert: true, rejectUnauthorized: true };
}

interface AnswerDeps {
  readonly methods: ReadonlyMap<string, ApiMethod>;
  readonly log: Logger;
}

async function answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, deps: AnswerDeps): Promise<void> {
  const path = String(headers[':path']);
  const logged = { method: deps.methods.has(path) ? path : 'unknown', caller: callerOf(stream) };
  try {
    const method = deps.methods.get(path);
    if (method === undefined || headers[':method'] !== 'POST' || !isGrpc(headers))
      throw new ApiRefusal(GRPC.unimplemented, 'no such method');
    const message = await readMessage(stream);
    if (message === undefined) throw new ApiRefusal(GRPC.invalidArgument, 'the message cannot be read');
    const response = await method(message);
    deps.log.debug('api call', logged);
    respond(stream, response);
  } catch (error) {
    if (error instanceof ApiRefusal) {
      deps.log.info('api call refused', { ...logged, reason: error.message });
      return refuse(stream, error.code, error.message);
    }
    deps.log.error('api call failed', { ...logged, error: describeError(error) });
    refuse(stream, GRPC.internal, 'internal error');
  }
}

function isGrpc(headers: IncomingHttpHeaders): boolean {
  return /^application\/grpc(?:$|[+;])/.test(headers['content-type'] ?? '');
}

/** The name in the caller's certificate, for the log. */
function callerOf({ session }: ServerHttp2Stream): string {
  const socket = session?.socket as Partial<TLSSocket> | undefined;
  const name = socket?.getPeerCertificate?.().subject?.CN;
  return typeof name === 'string' ? name : '';
}

/** The one message of a unary call, uncompressed; undefined when it is not that or too large. The stream stays open for the answer. */
function readMessage(stream: ServerHttp2Stream): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_MESSAGE_BYTES) resolve(undefined);
      else chunks.push(chunk);
    });
    stream.on('end', () => resolve(unframe(Buffer.concat(chunks))));
    stream.on('close', () => resolve(undefined));
  });
}

/** gRPC's frame: a byte for compression, four for the length. */
function unframe(bytes: Buffer): Buffer | undefined {
  const whole = bytes.length >= PREFIX_BYTES && bytes[0] === 0 && bytes.readUInt32BE(1) === bytes.length - PREFIX_BYTES;
  return whole ? bytes.subarray(PREFIX_BYTES) : undefined;
}

function respond(stream: ServerHttp2Stream, message: Buffer): void {
  if (stream.destroyed) return;
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(frame(message));
}

function refuse(stream: ServerHttp2Stream, code: number, message: string): void {
  if (stream.destroyed || stream.headersSent) return;
  stream.respond(
    {
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': String(code),
      // Callers bound what they take in headers.
      'grpc-message': encodeReason(message.slice(0, MAX_REASON)),
    },
    { endStream: true },
  );
}

/** gRPC over HTTP/2, Status-Message: percent-encoded UTF-8 of what is not printable ASCII, and of the percent sign; no more is decoded. */
function encodeReason(text: string): string {
  return text.toWellFormed().replaceAll(/[^ -$&-~]+/g, encodeURIComponent);
}
