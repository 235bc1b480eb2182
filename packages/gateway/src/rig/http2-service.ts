/** Owns HTTP/2 servers behind a rig's gateway, and an HTTP/2 client in front of it. Imported by tests only. */
import { connect, createServer } from 'node:http2';
import type { ClientHttp2Session, Http2Server, OutgoingHttpHeaders, ServerHttp2Session } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { endpointSlice, service, to, virtualService } from './objects.ts';
import type { TestPort } from './objects.ts';
import type { Rig } from './rig.ts';

export type StreamHandler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

export interface Http2Beds {
  /** Makes `/name…` lead to a service with this port and one h2c server for each handler. */
  serve(name: string, port: TestPort, ...handlers: StreamHandler[]): Promise<readonly TestServer[]>;
  /** The same for a server that talks bytes. */
  serveRaw(name: string, port: TestPort, onSocket: (socket: Socket) => void): Promise<void>;
  close(): void;
}

export interface TestServer {
  readonly server: Http2Server;
  readonly port: number;
  readonly sessions: Set<ServerHttp2Session>;
}

export function createHttp2Beds(rig: Rig): Http2Beds {
  const servers: Server[] = [];
  const ends: (() => void)[] = [];
  const listen = async (server: Server): Promise<number> => {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };
  const open = async (handler: StreamHandler): Promise<TestServer> => {
    // Its own guards (resets in a row, memory of a session) would refuse requests among many that are cancelled.
    const server = createServer({ streamResetBurst: 1_000_000, streamResetRate: 1_000_000, maxSessionMemory: 1_000 });
    const sessions = new Set<ServerHttp2Session>();
    server.on('session', (session) => {
      sessions.add(session);
      session.on('close', () => sessions.delete(session)).on('error', () => undefined);
    });
    server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      stream.on('error', () => undefined);
      handler(stream, headers);
    });
    ends.push(() => sessions.forEach((session) => session.destroy()));
    return { server, port: await listen(server), sessions };
  };
  return {
    async serve(name, port, ...handlers) {
      const opened = await Promise.all(handlers.map(open));
      const ports = opened.map((item) => item.port);
      addHttp2Service(rig, { name, port, ports });
      await rig.settle();
      return opened;
    },
    async serveRaw(name, port, onSocket) {
      const sockets = new Set<Socket>();
      const server = createTcpServer((socket) => {
        sockets.add(socket.on('error', () => undefined));
        onSocket(socket);
      });
      ends.push(() => sockets.forEach((socket) => socket.destroy()));
      addHttp2Service(rig, { name, port, ports: [await listen(server)] });
      await rig.settle();
    },
    close() {
      for (const end of ends) end();
      for (const server of servers) server.close();
    },
  };
}

export interface Http2Service {
  readonly name: string;
  readonly port: TestPort;
  readonly ports: readonly number[];
}

/** A service, its endpoints, and a route to it. */
export function addHttp2Service(rig: Rig, { name, port, ports }: Http2Service): void {
  rig.sources.services.put(service(name, 'kubeflow', port));
  for (const [index, endpoint] of ports.entries()) {
    const slice = endpointSlice(name, 'kubeflow', []);
    const metadata = { ...slice.metadata, name: `${name}-${index}` };
    rig.sources.endpointSlices.put({ ...slice, metadata, ports: [{ name: port.name ?? 'http', port: endpoint }] });
  }
  rig.sources.virtualServices.put(virtualService(name, [{ match: [{ uri: { prefix: `/${name}` } }], ...to(name) }]));
}

export function openClient(rig: Rig): ClientHttp2Session {
  const session = connect(`https://127.0.0.1:${rig.tlsPort()}`, { rejectUnauthorized: false });
  session.on('error', () => undefined);
  return session;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly trailers: IncomingHttpHeaders;
  /** Code of the reset; 0: a proper end. */
  readonly reset: number;
}

/** One request with its body, and everything that came back. */
export function ask(session: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: string): Promise<Answer> {
  return new Promise((resolve) => {
    const stream = session.request(headers, { endStream: body === undefined });
    let [text, status] = ['', 0];
    let [received, trailers]: IncomingHttpHeaders[] = [{}, {}];
    stream.on('response', (response) => {
      status = Number(response[':status']);
      received = response;
    });
    stream.on('trailers', (response) => void (trailers = response));
    stream.setEncoding('latin1').on('data', (chunk: string) => void (text += chunk));
    stream.on('error', () => undefined);
    stream.on('close', () =>
      resolve({ status, headers: received ?? {}, text, trailers: trailers ?? {}, reset: stream.rstCode ?? 0 }),
    );
    if (body !== undefined) stream.end(body);
  });
}

export const GRPC: OutgoingHttpHeaders = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };
