/** Owns joining two byte streams until both have ended: a WebSocket after its handshake. */
import type { Duplex } from 'node:stream';

/** An upgraded connection that is silent this long is given up. */
const IDLE_MS = 3_600_000;
const LINGER_MS = 5_000;

/** Passes bytes both ways with back-pressure; when one side breaks, so does the other. `onEnd` is called once. */
export function spliceStreams(
  client: Duplex,
  upstream: Duplex,
  onEnd: (bytes: { readonly received: number; readonly sent: number }) => void,
): void {
  let received = 0;
  let sent = 0;
  let open = 2;
  const timer = setTimeout(() => client.destroy(), IDLE_MS);
  timer.unref();
  const onClose = (): void => {
    finish(client);
    finish(upstream);
    open -= 1;
    if (open > 0) return;
    clearTimeout(timer);
    onEnd({ received, sent });
  };
  client.on('data', (chunk: Buffer) => {
    received += chunk.length;
    timer.refresh();
  });
  upstream.on('data', (chunk: Buffer) => {
    sent += chunk.length;
    timer.refresh();
  });
  // A peer that has ended its direction has ended: nobody waits for a half-open WebSocket.
  for (const stream of [client, upstream]) {
    stream
      .on('error', () => stream.destroy())
      .on('end', () => finish(stream))
      .on('close', onClose);
  }
  client.pipe(upstream).pipe(client);
}

/** Ends a stream once what was written to it is out, or after a while. */
function finish(stream: Duplex): void {
  if (stream.destroyed) return;
  stream.end();
  if (stream.writableFinished) stream.destroy();
  else stream.once('finish', () => stream.destroy());
  setTimeout(() => stream.destroy(), LINGER_MS).unref();
}
