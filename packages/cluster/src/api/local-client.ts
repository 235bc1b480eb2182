/** Owns the in-process client: the contract of `@kfctl/kube` over the API handler, without sockets. Controllers use it. */
import { isKubeError, KubeError } from '@kfctl/kube';
import type {
  DiscoveredResource,
  KubeClient,
  KubeObject,
  PageOptions,
  ListResult,
  ObjectPlace,
  RawRequest,
  RawResponse,
  ResourceType,
  WatchEvent,
  WatchOptions,
} from '@kfctl/kube';
import { applyRequest, createRequest, deleteRequest, patchRequest, replaceRequest } from './local-requests.ts';
import { StatusError } from '../registry/status-error.ts';
import type { Registry } from '../registry/registry.ts';
import { readObject } from '../registry/registry-deps.ts';
import type { CollectionTarget } from '../registry/registry-deps.ts';
import { systemContext } from '../registry/request-context.ts';
import type { UserInfo } from '../registry/request-context.ts';
import type { WatchNotice } from '../registry/watch-objects.ts';
import { asObject } from '../schema/json.ts';
import type { AnswerSink, ApiAnswer, ApiHandler } from './api-request.ts';
import { createQueue } from './queue.ts';

export interface LocalClientOptions {
  readonly registry: Registry;
  readonly handler: ApiHandler;
  /** Names the field manager and the user `system:<component>`; the user is a member of system:masters. */
  readonly component: string;
}

const NEVER = new AbortController().signal;

/** Creates a client with all rights. Objects it gives carry no managedFields. */
export function createLocalClient(options: LocalClientOptions): KubeClient {
  const call = createCall(options);
  const write = async <T>(request: RawRequest): Promise<T> => {
    const answer = await call(request);
    return lean(answer) as T;
  };
  return {
    async get<T extends KubeObject>(
      type: ResourceType<T>,
      name: string,
      place: ObjectPlace = {},
    ): Promise<T | undefined> {
      const target = targetOf(options, type, place.namespace);
      const stored = options.registry.deps.store.get(target.served.definition.table, target.namespace, name);
      return stored === undefined ? undefined : (lean(readObject(stored, target.served)) as unknown as T);
    },
    async list<T extends KubeObject>(type: ResourceType<T>, wanted: PageOptions = {}): Promise<ListResult<T>> {
      const target = targetOf(options, type, wanted.namespace);
      const page = guard(() => options.registry.list(target, wanted));
      const items = page.items.map((stored) => lean(readObject(stored, target.served)) as unknown as T);
      const next = page.continue === undefined ? {} : { continue: page.continue };
      return { items, resourceVersion: String(page.revision), ...next };
    },
    watch: (type, wanted) => watch(options, type, wanted ?? {}),
    create: (type, object, wanted = {}) => write(createRequest(type, object, wanted)),
    replace: (type, object, wanted = {}) => write(replaceRequest(type, object, wanted)),
    patch: (type, name, change) => write(patchRequest(type, name, change)),
    apply: (type, object, wanted) => write(applyRequest(type, object, wanted)),
    delete: (type, name, wanted = {}) => remove(call, deleteRequest(type, name, wanted)),
    logs: (podName, wanted = {}) => logs(options, podName, wanted),
    discover: () => Promise.resolve(discover(options.registry)),
    request: (request) => rawCall(options, request),
    close: () => undefined,
  };
}

function guard<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toKubeError(error);
  }
}

function toKubeError(error: unknown): unknown {
  if (!(error instanceof StatusError)) return error;
  return kubeErrorOf(error.code, error.status);
}

function kubeErrorOf(code: number, body: unknown): KubeError {
  const status = asObject(body);
  const { message, reason, details } = status;
  return new KubeError({
    status: code,
    reason: String(reason ?? 'Unknown'),
    message: String(message ?? `HTTP ${code}`),
    details,
  });
}

function lean<T>(object: T): T {
  const metadata = asObject(asObject(object)['metadata']);
  delete metadata['managedFields'];
  return object;
}

function targetOf(
  { registry }: LocalClientOptions,
  type: ResourceType<KubeObject>,
  namespace: string | undefined,
): CollectionTarget {
  const served = registry.resolve(type.group, type.version, type.plural);
  if (served === undefined) {
    throw new KubeError({
      status: 404,
      reason: 'NotFound',
      message: 'the server could not find the requested resource',
    });
  }
  return { served, namespace: served.definition.namespaced ? (namespace ?? '') : '' };
}

type Call = (request: RawRequest) => Promise<unknown>;

function userOf(component: string): UserInfo {
  return systemContext(component).user;
}

async function answerOf({ handler, component }: LocalClientOptions, request: RawRequest): Promise<ApiAnswer> {
  const mark = request.path.indexOf('?');
  const path = mark < 0 ? request.path : request.path.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? '' : request.path.slice(mark + 1));
  const body = request.body;
  return handler({
    method: request.method,
    path,
    query,
    headers: { 'user-agent': component, ...lowerCase(request.headers ?? {}) },
    user: userOf(component),
    signal: request.signal ?? NEVER,
    body: () => Promise.resolve(body),
  });
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

async function rawCall(options: LocalClientOptions, request: RawRequest): Promise<RawResponse> {
  const answer = await answerOf(options, request);
  if (answer.text === undefined) return { status: answer.status, body: answer.body };
  const isJson = answer.headers?.['content-type'] === 'application/json';
  return { status: answer.status, body: isJson ? (JSON.parse(answer.text) as unknown) : answer.text };
}

function createCall(options: LocalClientOptions): Call {
  return async (request) => {
    const { status, body } = await rawCall(options, request);
    if (status >= 200 && status < 300) return body;
    throw kubeErrorOf(status, body);
  };
}

async function remove(call: Call, request: RawRequest): Promise<boolean> {
  try {
    await call(request);
    return true;
  } catch (error) {
    if (isKubeError(error) && error.status === 404) return false;
    throw error;
  }
}

async function* watch<T extends KubeObject>(
  options: LocalClientOptions,
  type: ResourceType<T>,
  wanted: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const target = targetOf(options, type, wanted.namespace);
  const queue = createQueue<WatchNotice>();
  const stop = guard(() => options.registry.watch(target, wanted, queue.push));
  wanted.signal?.addEventListener('abort', queue.end, { once: true });
  if (wanted.signal?.aborted === true) queue.end();
  try {
    for await (const notice of queue) {
      if (notice.kind === 'bookmark') yield { kind: 'bookmark', resourceVersion: String(notice.revision) };
      else yield { kind: notice.kind, object: lean(readObject(notice.stored, target.served)) as unknown as T };
    }
  } finally {
    stop();
    wanted.signal?.removeEventListener('abort', queue.end);
  }
}

async function* logs(
  options: LocalClientOptions,
  podName: string,
  wanted: Parameters<KubeClient['logs']>[1] & object,
): AsyncGenerator<Buffer> {
  const { signal, namespace, ...rest } = wanted;
  const query = new URLSearchParams(Object.entries(rest).map(([key, value]) => [key, String(value)])).toString();
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace ?? 'default')}/pods/${encodeURIComponent(podName)}/log?${query}`;
  const answer = await answerOf(options, { method: 'GET', path, ...(signal ? { signal } : {}) });
  if (answer.status >= 300) throw kubeErrorOf(answer.status, answer.body);
  if (answer.text !== undefined) yield Buffer.from(answer.text);
  if (answer.stream === undefined) return;
  const queue = createQueue<Buffer>();
  const sink: AnswerSink = { write: (chunk) => queue.push(Buffer.from(chunk as string)), end: queue.end };
  answer.stream(sink);
  signal?.addEventListener('abort', queue.end, { once: true });
  yield* queue;
}

function discover(registry: Registry): readonly DiscoveredResource[] {
  return registry.definitions
    .all()
    .flatMap(({ group, plural, kind, namespaced, singular, shortNames, verbs, versions }) =>
      versions.map(({ version, subresources }) => ({
        group,
        version,
        plural,
        kind,
        namespaced,
        singular,
        shortNames,
        verbs,
        subresources: [...subresources],
      })),
    );
}
