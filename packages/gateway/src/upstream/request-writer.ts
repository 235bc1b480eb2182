/** Owns the writing of one HTTP/1.1 request: head, then body with back-pressure in the framing that the head announced. */
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Outgoing } from '@kfctl/http';
import type { UpstreamRequest } from './upstream.ts';

/** Writes the head, and the body as it comes. `onBroken` tells that the body ended early or did not fit: the connection is lost. */
export function writeRequest(way: Way, request: UpstreamRequest, onBroken: (detail: string) => void): BodyWriter {
  way.out.text(renderHead(request));
  const { body } = request;
  if (body.kind === 'none') return FINISHED;
  return pumpBody(way, { source: body.source, bytes: body.kind === 'length' ? body.bytes : undefined, onBroken });
}

/** A connection, and what is held for it. */
export interface Way {
  readonly socket: Socket;
  readonly out: Outgoing;
}

export interface BodyWriter {
  readonly isFinished: () => boolean;
  /** Stops reading the source. */
  detach(): void;
}

const FINISHED: BodyWriter = { isFinished: () => true, detach: () => undefined };

function renderHead(request: UpstreamRequest): string {
  const { method, target, authority, fields, body, webSocket } = request;
  let head = `${method} ${target} HTTP/1.1\r\nhost: ${authority}\r\n`;
  for (let index = 0; index < fields.length; index += 2) head += `${fields[index]}: ${fields[index + 1]}\r\n`;
  if (webSocket) return `${head}connection: Upgrade\r\nupgrade: websocket\r\n\r\n`;
  if (body.kind === 'length') return `${head}content-length: ${body.bytes}\r\n\r\n`;
  if (body.kind === 'chunked') return `${head}transfer-encoding: chunked\r\n\r\n`;
  const announcesNone = method === 'POST' || method === 'PUT' || method === 'PATCH';
  return announcesNone ? `${head}content-length: 0\r\n\r\n` : `${head}\r\n`;
}

interface Pump {
  readonly source: Readable;
  /** Undefined: chunked. */
  readonly bytes: number | undefined;
  readonly onBroken: (detail: string) => void;
}

function pumpBody({ socket, out }: Way, { source, bytes, onBroken }: Pump): BodyWriter {
  let sent = 0;
  let finished = false;
  const onData = (chunk: Buffer): void => {
    sent += chunk.length;
    if (bytes !== undefined && sent > bytes) return fail('body longer than its length');
    if (!writeChunk(out, chunk, bytes === undefined)) source.pause();
  };
  const onDrain = (): void => void source.resume();
  const onEnd = (): void => {
    if (bytes !== undefined && sent !== bytes) return fail('body shorter than its length');
    if (bytes === undefined) out.text('0\r\n\r\n');
    finished = true;
    detach();
  };
  const onClose = (): void => {
    if (!finished) fail('client went away');
  };
  const fail = (detail: string): void => {
    detach();
    onBroken(detail);
  };
  const detach = (): void => {
    source.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
    socket.off('drain', onDrain);
  };
  socket.on('drain', onDrain);
  source.on('end', onEnd).on('close', onClose).on('error', onClose).on('data', onData).resume();
  return { isFinished: () => finished, detach };
}

function writeChunk(out: Outgoing, chunk: Buffer, chunked: boolean): boolean {
  if (!chunked) return out.bytes('', chunk, '');
  if (chunk.length === 0) return true;
  return out.bytes(`${chunk.length.toString(16)}\r\n`, chunk, '\r\n');
}
