/** Owns reading of container logs as a byte stream. */
import { requireSuccess } from './answer.ts';
import type { LogOptions } from './kube-client.ts';
import { pods } from '../resources/core.ts';
import { renderQuery, requireNamespace, resourcePath } from './resource-path.ts';
import type { Transport } from './transport.ts';

const DAY_MS = 24 * 3_600_000;

export async function* streamLogs(transport: Transport, podName: string, options: LogOptions): AsyncGenerator<Buffer> {
  const namespace = requireNamespace(pods, options.namespace);
  const query = renderQuery({
    container: options.container,
    follow: options.follow,
    tailLines: options.tailLines,
    previous: options.previous,
  });
  const answer = await transport.send({
    method: 'GET',
    path: resourcePath(pods, { namespace, name: podName, subresource: 'log' }) + query,
    headers: { accept: '*/*' },
    signal: options.signal,
    // A program that says nothing for hours is no broken connection.
    ...(options.follow === true ? { idleTimeoutMs: DAY_MS } : {}),
  });
  await requireSuccess(answer, `logs of pod ${podName}`);
  try {
    yield* answer.stream as AsyncIterable<Buffer>;
  } catch (error) {
    if (options.signal?.aborted !== true) throw error;
  } finally {
    answer.stream.destroy();
  }
}
