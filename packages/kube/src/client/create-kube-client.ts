/** Owns the HTTP implementation of KubeClient: each method is one request, described as data. */
import type { KubeConfig } from '../config/kube-config.ts';
import { errorOf, readBytes, readObject, requireSuccess } from './answer.ts';
import { createDiscovery } from './discovery.ts';
import type { DeleteOptions, KubeClient, PatchBody, RawRequest, RawResponse, WriteOptions } from './kube-client.ts';
import { listResource } from './list.ts';
import { apiVersionOf } from './object.ts';
import type { KubeObject, ResourceType } from './object.ts';
import { streamLogs } from './logs.ts';
import { renderJson } from './render-json.ts';
import { renderQuery, requireNamespace, resourcePath } from './resource-path.ts';
import { createTransport } from './transport.ts';
import type { Transport } from './transport.ts';
import { watchResource } from './watch.ts';

/** Creates a client of one API server. Nothing is sent before the first call. */
export function createKubeClient(config: KubeConfig): KubeClient {
  const transport = createTransport(config);
  const request = (raw: RawRequest): Promise<RawResponse> => sendRaw(transport, raw);
  const discovery = createDiscovery(request);
  return {
    get: (type, name, place) => getObject(transport, { type, name, namespace: place?.namespace }),
    list: (type, options = {}) => listResource(transport, type, options),
    watch: (type, options = {}) => watchResource(transport, type, options),
    create: (type, object, options = {}) => write(transport, { verb: 'create', method: 'POST', type, object, options }),
    replace: (type, object, options = {}) =>
      write(transport, { verb: 'replace', method: 'PUT', type, object, options }),
    patch: (type, name, { patch, ...options }) => {
      const [contentType, body] = patchContent(patch);
      return write(transport, { verb: 'patch', method: 'PATCH', type, name, options, contentType, body });
    },
    apply: (type, object, { force, ...options }) =>
      write(transport, {
        verb: 'apply',
        method: 'PATCH',
        type,
        object: { ...object, apiVersion: apiVersionOf(type), kind: type.kind },
        options,
        contentType: 'application/apply-patch+yaml',
        query: { force },
      }),
    delete: (type, name, options = {}) => deleteObject(transport, { type, name, options }),
    logs: (podName, options = {}) => streamLogs(transport, podName, options),
    discover: (options) => discovery(options?.refresh === true),
    request,
    close: () => transport.close(),
  };
}

interface Named {
  readonly type: ResourceType<KubeObject>;
  readonly name: string;
  readonly namespace?: string | undefined;
}

async function getObject<T extends KubeObject>(
  transport: Transport,
  { type, name, namespace }: Named & { readonly type: ResourceType<T> },
): Promise<T | undefined> {
  const path = resourcePath(type, { namespace: requireNamespace(type, namespace), name });
  const answer = await transport.send({ method: 'GET', path });
  if (answer.status === 404) {
    answer.stream.resume();
    return undefined;
  }
  return (await readObject(answer, `get ${type.plural} ${name}`)) as T;
}

interface Write<T extends KubeObject> {
  readonly verb: 'create' | 'replace' | 'patch' | 'apply';
  readonly method: string;
  readonly type: ResourceType<T>;
  readonly object?: T;
  readonly name?: string;
  readonly options: WriteOptions;
  readonly contentType?: string;
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, boolean | undefined>>;
}

async function write<T extends KubeObject>(transport: Transport, deed: Write<T>): Promise<T> {
  const { type, options, object } = deed;
  const name = deed.name ?? object?.metadata.name;
  const namespace = requireNamespace(type, options.namespace ?? object?.metadata.namespace);
  // POST goes to the collection, except for subresources (token, eviction, binding), which hang below a name.
  const atName = deed.method !== 'POST' || options.subresource !== undefined;
  const path = resourcePath(type, {
    namespace,
    name: atName ? (name ?? '') : undefined,
    subresource: options.subresource,
  });
  const query = renderQuery({
    fieldManager: options.fieldManager,
    dryRun: options.dryRun === true ? 'All' : undefined,
    ...deed.query,
  });
  const answer = await transport.send({
    method: deed.method,
    path: path + query,
    headers: { 'content-type': deed.contentType ?? 'application/json' },
    body: renderJson(object ?? deed.body),
  });
  const what = [
    deed.verb,
    type.plural,
    options.subresource,
    namespace === undefined ? name : `${namespace}/${name ?? ''}`,
  ];
  return (await readObject(answer, what.filter(Boolean).join(' '))) as T;
}

function patchContent(patch: PatchBody): readonly [string, unknown] {
  switch (patch.kind) {
    case 'json':
      return ['application/json-patch+json', patch.operations];
    case 'merge':
      return ['application/merge-patch+json', patch.body];
    case 'strategic':
      return ['application/strategic-merge-patch+json', patch.body];
  }
}

interface Deletion {
  readonly type: ResourceType<KubeObject>;
  readonly name: string;
  readonly options: DeleteOptions;
}

async function deleteObject(transport: Transport, { type, name, options }: Deletion): Promise<boolean> {
  const path = resourcePath(type, { namespace: requireNamespace(type, options.namespace), name });
  const body = {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    // The server's own default for Jobs is to leave their Pods behind; kubectl never does that either.
    propagationPolicy: options.propagation ?? 'Background',
    gracePeriodSeconds: options.gracePeriodSeconds,
    preconditions: options.preconditions,
    dryRun: options.dryRun === true ? ['All'] : undefined,
  };
  const answer = await transport.send({
    method: 'DELETE',
    path,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (answer.status === 404) {
    answer.stream.resume();
    return false;
  }
  await requireSuccess(answer, `delete ${type.plural} ${name}`);
  await readBytes(answer);
  return true;
}

async function sendRaw(transport: Transport, raw: RawRequest): Promise<RawResponse> {
  const answer = await transport.send({
    method: raw.method,
    path: raw.path,
    signal: raw.signal,
    headers: { ...(raw.body === undefined ? {} : { 'content-type': 'application/json' }), ...raw.headers },
    ...(raw.body === undefined ? {} : { body: typeof raw.body === 'string' ? raw.body : renderJson(raw.body) }),
  });
  const text = (await readBytes(answer)).toString('utf8');
  const json = /^application\/(?:[\w.+-]*\+)?json\b/.test(answer.headers['content-type'] ?? '');
  return { status: answer.status, body: json && text !== '' ? parseBody(text, answer.status) : text };
}

function parseBody(text: string, status: number): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw errorOf(status, undefined, 'the answer is not JSON');
  }
}
