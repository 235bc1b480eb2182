/** Owns the listener for Envoy's ext_authz over gRPC (v3): one method, over HTTP/2 without TLS, as gateways ask inside a cluster. */
import type { Server } from 'node:http';
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { listen } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import { answerError } from '../server/answer-error.ts';
import type { Endpoint } from '../server/answer.ts';
import { readCheckRequest, writeCheckResponse } from './check-messages.ts';

export interface GrpcServer {
  listen(port: number, host?: string): Promise<number>;
  close(): Promise<void>;
}

const METHOD = '/envoy.service.auth.v3.Authorization/Check';
const MAX_MESSAGE_BYTES = 256 * 1024;
const PREFIX_BYTES = 5;
/** gRPC status codes. */
const INVALID_ARGUMENT = 3;
const UNIMPLEMENTED = 12;

export async function createGrpcServer({
  endpoint,
  log,
}: {
  readonly endpoint: Endpoint;
  readonly log: Logger;
}): Promise<GrpcServer> {
  const { createServer } = await import('node:http2');
  const server = createServer({ settings: { maxConcurrentStreams: 1_000, maxHeaderListSize: 16_384 } });
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => session.destroy());
  });
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => stream.destroy());
    if (headers[':path'] !== METHOD || headers[':method'] !== 'POST') return refuse(stream, UNIMPLEMENTED);
    readMessage(stream)
      .then(async (message) => {
        const request = message === undefined ? undefined : readCheckRequest(message);
        if (request === undefined) return refuse(stream, INVALID_ARGUMENT);
        const answer = await Promise.resolve(request)
          .then(endpoint)
          .catch((error: unknown) => answerError(error, request, log));
        respond(stream, writeCheckResponse(answer));
      })
      .catch(() => stream.destroy());
  });
  return {
    // The two servers listen alike; their types differ in the events they tell of.
    listen: (port, host) => listen(server as unknown as Server, port, host),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const session of sessions) session.close();
      const impatient = setTimeout(() => sessions.forEach((session) => session.destroy()), 5_000);
      await closed;
      clearTimeout(impatient);
    },
  };
}

/** The one message of a unary call, uncompressed; undefined when it is not that or too large. */
async function readMessage(stream: ServerHttp2Stream): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_MESSAGE_BYTES) return undefined;
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (bytes.length < PREFIX_BYTES || bytes[0] !== 0 || bytes.readUInt32BE(1) !== bytes.length - PREFIX_BYTES)
    return undefined;
  return bytes.subarray(PREFIX_BYTES);
}

function respond(stream: ServerHttp2Stream, message: Buffer): void {
  if (stream.destroyed) return;
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.concat([prefix, message]));
}

function refuse(stream: ServerHttp2Stream, code: number): void {
  if (stream.destroyed) return;
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': String(code) },
    { endStream: true },
  );
}
