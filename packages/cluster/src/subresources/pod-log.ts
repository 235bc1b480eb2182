/** Owns `pods/log`: options, the choice of the container, and the stream from the node. */
import type { LogRequest, NodeGateway, PodPlace } from '../api/node-gateway.ts';
import type { AnswerSink, ApiAnswer, ApiRequest } from '../api/api-request.ts';
import type { SubresourceHandler } from '../api/resource-handler.ts';
import { isTrue } from '../api/request-info.ts';
import type { Registry } from '../registry/registry.ts';
import { readObject, subjectOf } from '../registry/registry-deps.ts';
import { badRequest, methodNotAllowed, StatusError } from '../registry/status-error.ts';
import { asArray, asString, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';

export type NodeSource = () => NodeGateway | undefined;

export function createPodLog(registry: Registry, node: NodeSource): SubresourceHandler {
  return async (call): Promise<ApiAnswer> => {
    if (call.info.verb !== 'get') throw methodNotAllowed(subjectOf(call.target), call.info.verb);
    const stored = registry.get(call.target);
    const pod = readObject(stored, call.served);
    const container = chooseContainer(pod, call.request.query.get('container') ?? '');
    const place = { namespace: stored.namespace, name: stored.name, uid: stored.uid };
    const request = readLogRequest(call.request.query, container);
    const chunks = openLog(requireNode(node), { place, request }, call.request.signal);
    return startStream(chunks[Symbol.asyncIterator](), call.request);
  };
}

export function requireNode(node: NodeSource): NodeGateway {
  const gateway = node();
  if (gateway !== undefined) return gateway;
  throw new StatusError(503, 'ServiceUnavailable', { message: 'no node is connected to this cluster' });
}

interface LogCall {
  readonly place: PodPlace;
  readonly request: LogRequest;
}

/** What the node has to say about a container that has no log is for the user to read. */
function openLog(gateway: NodeGateway, { place, request }: LogCall, signal: AbortSignal): AsyncIterable<Buffer> {
  try {
    return gateway.logs(place, request, signal);
  } catch (error) {
    throw badRequest((error as Error).message);
  }
}

/** Waits for the first bytes, so that a failure is an answer and not a broken stream. */
async function startStream(chunks: AsyncIterator<Buffer>, request: ApiRequest): Promise<ApiAnswer> {
  const headers = { 'content-type': 'text/plain' };
  const follows = isTrue(request.query.get('follow')) && request.query.has('follow');
  const first = follows ? undefined : await firstChunk(chunks);
  if (first?.done === true) return { status: 200, headers, text: '' };
  return { status: 200, headers, stream: (sink) => void pump(chunks, { sink, first: first?.value }) };
}

async function firstChunk(chunks: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer>> {
  try {
    return await chunks.next();
  } catch (error) {
    throw badRequest((error as Error).message);
  }
}

async function pump(
  chunks: AsyncIterator<Buffer>,
  { sink, first }: { readonly sink: AnswerSink; readonly first: Buffer | undefined },
): Promise<void> {
  try {
    if (first !== undefined && !sink.write(first)) return;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
      if (!sink.write(next.value)) break;
    }
  } catch {
    // The container or the reader went away: what was sent is what there is.
  } finally {
    await chunks.return?.();
    sink.end();
  }
}

function readLogRequest(query: URLSearchParams, container: string): LogRequest {
  const flag = (name: string): boolean => query.has(name) && isTrue(query.get(name));
  const numbers = Object.fromEntries(
    ['tailLines', 'sinceSeconds', 'limitBytes'].flatMap((name) => {
      const text = query.get(name);
      if (text === null || text === '') return [];
      if (!/^\d{1,12}$/.test(text))
        throw badRequest(`${name}: Invalid value: ${JSON.stringify(text)}: must be greater than or equal to 0`);
      return [[name, Number(text)]];
    }),
  );
  const sinceTime = query.get('sinceTime') ?? '';
  return {
    container,
    follow: flag('follow'),
    previous: flag('previous'),
    timestamps: flag('timestamps'),
    ...numbers,
    ...(sinceTime === '' ? {} : { sinceTime }),
  };
}

/** The named container, or the only one; 400 otherwise. */
export function chooseContainer(pod: JsonObject, wanted: string): string {
  const names = (list: string): string[] =>
    asArray(valueAt(pod, 'spec', list)).map((container) => asString(valueAt(container, 'name')));
  const [containers, initContainers] = [names('containers'), names('initContainers')];
  const pending = asString(valueAt(pod, 'metadata', 'name'));
  if (wanted !== '') {
    if ([...containers, ...initContainers, ...names('ephemeralContainers')].includes(wanted)) return wanted;
    throw badRequest(`container ${wanted} is not valid for pod ${pending}`);
  }
  const [only] = containers;
  if (containers.length === 1 && only !== undefined) return only;
  const choices = `choose one of: [${containers.join(' ')}]${initContainers.length > 0 ? ` or one of the init containers: [${initContainers.join(' ')}]` : ''}`;
  throw badRequest(`a container name must be specified for pod ${pending}, ${choices}`);
}
