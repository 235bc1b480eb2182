/** Owns the stream of watch events: rendering, bookmarks, its end. */
import type { Registry } from '../registry/registry.ts';
import { readObject, renderStored } from '../registry/registry-deps.ts';
import type { CollectionTarget } from '../registry/registry-deps.ts';
import type { WatchNotice } from '../registry/watch-objects.ts';
import { servedApiVersion } from '../resources/definition.ts';
import type { AnswerSink, ApiAnswer, ApiRequest } from './api-request.ts';
import { parseListRequest } from './query-options.ts';
import { isTrue } from './request-info.ts';
import { renderObject } from './render-objects.ts';
import type { RenderOptions } from './render-objects.ts';

const BOOKMARK_MS = 60_000;
const MIN_TIMEOUT_SECONDS = 1800;
const MAX_TIMEOUT_SECONDS = 86_400;
const TYPES = { added: 'ADDED', modified: 'MODIFIED', deleted: 'DELETED' } as const;

export interface WatchCall {
  readonly target: CollectionTarget;
  readonly options: RenderOptions;
  readonly request: ApiRequest;
}

/** Starts the watch at once (so that a 410 is an answer, not an event) and streams from the moment there is a sink. */
export function watchAnswer(registry: Registry, { target, options, request }: WatchCall): ApiAnswer {
  const { query } = request;
  const sendInitialEvents = query.has('sendInitialEvents') ? isTrue(query.get('sendInitialEvents')) : undefined;
  const render = createEventRenderer(options);
  const pending: string[] = [];
  let emit = (line: string): void => void pending.push(line);
  const wants = {
    ...parseListRequest(query),
    ...(sendInitialEvents === undefined ? {} : { sendInitialEvents }),
  };
  const stop = registry.watch(target, wants, (notice) => emit(render(notice)));
  request.signal.addEventListener('abort', () => stop(), { once: true });
  if (request.signal.aborted) stop();
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    stream: (sink) => {
      const timers = startTimers({ registry, render, query, sink, stop });
      const finish = (): void => {
        timers.stop();
        stop();
      };
      request.signal.addEventListener('abort', finish, { once: true });
      emit = (line) => {
        if (sink.write(line)) return;
        finish();
        sink.end();
      };
      for (const line of pending.splice(0)) emit(line);
    },
  };
}

function createEventRenderer(options: RenderOptions): (notice: WatchNotice) => string {
  const { served, wanted } = options;
  let first = true;
  return (notice) => {
    if (notice.kind === 'bookmark')
      return `{"type":"BOOKMARK","object":${JSON.stringify(bookmark(notice, options))}}\n`;
    const type = TYPES[notice.kind];
    if (wanted.as === '') return `{"type":"${type}","object":${renderStored(notice.stored, served)}}\n`;
    const object = renderObject(readObject(notice.stored, served), { ...options, nowMs: Date.now() }, first);
    first = false;
    return `{"type":"${type}","object":${JSON.stringify(object)}}\n`;
  };
}

function bookmark(notice: Extract<WatchNotice, { kind: 'bookmark' }>, { served, wanted }: RenderOptions): unknown {
  const annotations = notice.isInitialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
  const metadata = { resourceVersion: String(notice.revision), ...annotations };
  if (wanted.as === 'Table')
    return { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions: null, rows: [] };
  if (wanted.as !== '') return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
  return {
    kind: served.definition.kind,
    apiVersion: servedApiVersion(served),
    metadata: { ...metadata, creationTimestamp: null },
  };
}

interface TimerParts {
  readonly registry: Registry;
  readonly render: (notice: WatchNotice) => string;
  readonly query: URLSearchParams;
  readonly sink: AnswerSink;
  readonly stop: () => void;
}

function startTimers({ registry, render, query, sink, stop }: TimerParts): { stop(): void } {
  const asked = Number(query.get('timeoutSeconds') ?? 0);
  const seconds = asked > 0 ? Math.min(asked, MAX_TIMEOUT_SECONDS) : MIN_TIMEOUT_SECONDS * (1 + Math.random());
  const end = setTimeout(() => {
    stop();
    clearInterval(bookmarks);
    sink.end();
  }, seconds * 1000).unref();
  const wanted = isTrue(query.get('allowWatchBookmarks')) && query.has('allowWatchBookmarks');
  const tell = (): void =>
    void sink.write(render({ kind: 'bookmark', revision: registry.deps.store.committedRevision, isInitialEnd: false }));
  const bookmarks = wanted ? setInterval(tell, BOOKMARK_MS).unref() : undefined;
  return {
    stop: () => {
      clearTimeout(end);
      clearInterval(bookmarks);
    },
  };
}
