/** Owns watch streams: one GET, events as values, an end on silence. Starting anew is the informer's business. */
import { apiVersionOf } from './object.ts';
import type { KubeObject, ResourceType } from './object.ts';
import type { WatchEvent, WatchOptions } from './kube-client.ts';
import { errorOf, requireSuccess } from './answer.ts';
import { parseJsonLines } from './json-lines.ts';
import { renderQuery, resourcePath } from './resource-path.ts';
import type { Transport } from './transport.ts';

/** etcd refuses objects above 1.5 MiB; JSON of the same may be several times as long. */
const MAX_EVENT_BYTES = 32 * 1024 * 1024;
const MIN_SECONDS = 240;

interface WireEvent {
  readonly type: string;
  readonly object: KubeObject;
}

export async function* watchResource<T extends KubeObject>(
  transport: Transport,
  type: ResourceType<T>,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const what = `watch ${type.plural}`;
  // The server ends the watch by itself after this time (spread, so that watches do not return all at once); a server that has
  // gone without a word is noticed soon after it.
  const timeoutSeconds = MIN_SECONDS + Math.floor(Math.random() * MIN_SECONDS);
  const query = renderQuery({
    watch: true,
    allowWatchBookmarks: true,
    timeoutSeconds,
    resourceVersion: options.resourceVersion,
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
  });
  const answer = await transport.send({
    method: 'GET',
    path: resourcePath(type, { namespace: options.namespace }) + query,
    signal: options.signal,
    idleTimeoutMs: (timeoutSeconds + 15) * 1000,
  });
  await requireSuccess(answer, what);
  try {
    for await (const value of parseJsonLines(answer.stream, MAX_EVENT_BYTES)) {
      const event = toEvent(type, value as WireEvent, what);
      if (event !== undefined) yield event;
    }
  } catch (error) {
    if (options.signal?.aborted !== true && !isCut(error)) throw error;
  } finally {
    answer.stream.destroy();
  }
}

function toEvent<T extends KubeObject>(
  type: ResourceType<T>,
  event: WireEvent,
  what: string,
): WatchEvent<T> | undefined {
  const object = event.object as T;
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      object.apiVersion ??= apiVersionOf(type);
      object.kind ??= type.kind;
      return { kind: event.type.toLowerCase() as 'added' | 'modified' | 'deleted', object };
    case 'BOOKMARK':
      return { kind: 'bookmark', resourceVersion: object.metadata.resourceVersion ?? '' };
    case 'ERROR': {
      const code = (event.object as { readonly code?: unknown }).code;
      throw errorOf(typeof code === 'number' ? code : 500, event.object, what);
    }
    default:
      return undefined;
  }
}

/** A connection that broke while the watch ran is an ordinary end of it. */
function isCut(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ECONNRESET' || code === 'ETIMEDOUT' || code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}
