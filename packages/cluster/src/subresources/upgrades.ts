/** Owns requests that become WebSockets: exec, attach, port-forward. Authorised like every other request. */
import type { UpgradeHandler } from '../api/https-server.ts';
import type { Authorizer } from '../api/api-handler.ts';
import type { ApiRequest } from '../api/api-request.ts';
import { headerOf } from '../api/api-request.ts';
import type { WebSocket } from 'ws';
import { isTrue, parseRequestInfo } from '../api/request-info.ts';
import type { ResourceRequestInfo } from '../api/request-info.ts';
import type { Registry } from '../registry/registry.ts';
import { readObject } from '../registry/registry-deps.ts';
import { badRequest, StatusError } from '../registry/status-error.ts';
import type { PodPlace } from '../api/node-gateway.ts';
import { chooseContainer, requireNode } from './pod-log.ts';
import type { NodeSource } from './pod-log.ts';
import type { ServedResource } from '../resources/definition.ts';
import type { JsonObject } from '../schema/json.ts';

export interface UpgradeDeps {
  readonly registry: Registry;
  readonly authorizer: Authorizer;
  readonly node: NodeSource;
}

type Raw = Parameters<UpgradeHandler['upgrade']>[1];

export const PORT_FORWARD_PROTOCOL = 'SPDY/3.1+portforward.k8s.io';
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

export function createUpgrades(deps: UpgradeDeps): UpgradeHandler {
  return {
    async upgrade(request, raw) {
      const info = parseRequestInfo(request.method, request.path, request.query);
      if (info === undefined) throw badRequest('the path is not valid');
      // A stream runs a command: it needs the right to create, whatever the method of the handshake is.
      const judged = info.kind === 'resource' ? { ...info, verb: 'create' } : info;
      deps.authorizer.requireAllowed(deps.authorizer.actingUser(request), judged);
      if (info.kind !== 'resource' || info.plural !== 'pods' || info.group !== '') throw noSuchStream();
      const pod = requirePod(deps, info);
      if (info.subresource === 'exec' || info.subresource === 'attach')
        return stream(deps, info.subresource, { request, raw, pod });
      if (info.subresource === 'portforward') return portForward(deps, { request, raw, pod });
      throw noSuchStream();
    },
  };
}

function noSuchStream(): StatusError {
  return new StatusError(404, 'NotFound', { message: 'the server could not find the requested resource', details: {} });
}

interface FoundPod {
  readonly place: PodPlace;
  readonly object: JsonObject;
}

function requirePod(deps: UpgradeDeps, info: ResourceRequestInfo): FoundPod {
  const served = deps.registry.resolve('', 'v1', 'pods') as ServedResource;
  const stored = deps.registry.get({ served, namespace: info.namespace, name: info.name, subresource: '' });
  return {
    place: { namespace: stored.namespace, name: stored.name, uid: stored.uid },
    object: readObject(stored, served),
  };
}

interface StreamCall {
  readonly request: ApiRequest;
  readonly raw: Raw;
  readonly pod: FoundPod;
}

function requireProtocol(request: ApiRequest, known: readonly string[]): string {
  const offered = headerOf(request, 'sec-websocket-protocol')
    .split(',')
    .map((name) => name.trim());
  const chosen = known.find((name) => offered.includes(name));
  if (chosen !== undefined && headerOf(request, 'upgrade').toLowerCase() === 'websocket') return chosen;
  throw badRequest(
    `unable to upgrade: only WebSocket streams are served, with one of the protocols ${known.join(', ')}`,
  );
}

/** A command of the caller's, or the container's own program: the streams are the same. */
async function stream(deps: UpgradeDeps, kind: 'exec' | 'attach', { request, raw, pod }: StreamCall): Promise<void> {
  const { STREAM_PROTOCOLS } = await import('./stream-frames.ts');
  const { serveExec } = await import('./exec-socket.ts');
  const { query } = request;
  const flag = (name: string): boolean => query.has(name) && isTrue(query.get(name));
  const gateway = requireNode(deps.node);
  const command = query.getAll('command');
  if (kind === 'exec' && command.length === 0)
    throw badRequest('you must specify at least 1 command for the container');
  const tty = flag('tty');
  const container = chooseContainer(pod.object, query.get('container') ?? '');
  const protocol = requireProtocol(request, STREAM_PROTOCOLS);
  const wishes = { stdin: flag('stdin'), stdout: flag('stdout'), stderr: flag('stderr'), tty };
  const socket = await accept(raw, protocol);
  await serveExec(socket, wishes, (streams) =>
    kind === 'exec'
      ? gateway.exec(pod.place, { request: { container, command, tty }, streams }, request.signal)
      : gateway.attach(pod.place, { container, streams }, request.signal),
  );
}

/** The name of the tunnel's protocol has a slash, which WebSocket libraries refuse: the choice is ours, and told by hand. */
async function accept({ incoming, socket, head }: Raw, protocol: string): Promise<WebSocket> {
  const { WebSocketServer } = await import('ws');
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  server.on('headers', (headers) => headers.push(`Sec-WebSocket-Protocol: ${protocol}`));
  delete incoming.headers['sec-websocket-protocol'];
  return new Promise((resolve) => server.handleUpgrade(incoming, socket, head, resolve));
}

async function portForward(deps: UpgradeDeps, { request, raw, pod }: StreamCall): Promise<void> {
  const { servePortForward } = await import('./port-forward-socket.ts');
  const gateway = requireNode(deps.node);
  const protocol = requireProtocol(request, [PORT_FORWARD_PROTOCOL, 'v4.channel.k8s.io']);
  const ports = request.query
    .getAll('ports')
    .flatMap((text) => text.split(','))
    .map(Number);
  const socket = await accept(raw, protocol);
  servePortForward(socket, {
    protocol,
    ports,
    connect: (port) => gateway.portForward(pod.place, port, request.signal),
  });
}
