/** Owns writing a request's body to a stream with back-pressure, and its trailers. */
import type { ClientHttp2Stream } from 'node:http2';
import type { UpstreamBody } from '../upstream.ts';
import { groupFields } from './stream-fields.ts';

/** Sends the body as it comes; the returned function stops it. `onBroken`: it ended early or did not fit its length. */
export function sendBody(
  stream: ClientHttp2Stream,
  body: Exclude<UpstreamBody, { kind: 'none' }>,
  onBroken: (detail: string) => void,
): () => void {
  const { source } = body;
  const bytes = body.kind === 'length' ? body.bytes : undefined;
  let sent = 0;
  const onData = (chunk: Buffer): void => {
    sent += chunk.length;
    if (bytes !== undefined && sent > bytes) return fail('body longer than its length');
    if (!stream.destroyed && !stream.write(chunk)) source.pause();
  };
  const onDrain = (): void => void source.resume();
  const onEnd = (): void => {
    if (bytes !== undefined && sent !== bytes) return fail('body shorter than its length');
    detach();
    stream.end();
  };
  const onClose = (): void => fail('client went away');
  const fail = (detail: string): void => {
    detach();
    onBroken(detail);
  };
  const detach = (): void => {
    source.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
    stream.off('drain', onDrain);
  };
  stream.on('drain', onDrain);
  stream.on('wantTrailers', () => {
    const trailers = body.kind === 'chunked' ? body.trailers() : [];
    if (!stream.destroyed && !stream.closed) stream.sendTrailers(groupFields(trailers));
  });
  source.on('end', onEnd).on('close', onClose).on('error', onClose).on('data', onData).resume();
  return detach;
}
