/** Owns `pods/portforward` over WebSocket: SPDY/3.1 streams inside the socket (kubectl), or channels by port (v4). */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { createSpdyServer } from './spdy-server.ts';
import type { SpdyStream } from './spdy-server.ts';
import { frame, parseFrame } from './stream-frames.ts';

export interface PortForwardCall {
  readonly protocol: string;
  /** Ports of the channel protocol; SPDY streams name theirs. */
  readonly ports: readonly number[];
  readonly connect: (port: number) => Promise<Duplex>;
}

export function servePortForward(socket: WebSocket, call: PortForwardCall): void {
  if (call.protocol === 'v4.channel.k8s.io') serveChannels(socket, call);
  else serveSpdy(socket, call);
}

/** Each forwarded connection is a pair of streams with one request id: `error` first, then `data`. */
function serveSpdy(socket: WebSocket, call: PortForwardCall): void {
  const errors = new Map<string, SpdyStream>();
  const server = createSpdyServer({
    send: (bytes) => socket.send(bytes),
    onStream(stream) {
      const type = stream.headers.get('streamtype');
      const id = stream.headers.get('requestid') ?? '';
      if (type === 'error') {
        errors.set(id, stream);
        stream.onClose = () => errors.delete(id);
        return;
      }
      if (type === 'data') void forward(stream, { call, error: errors.get(id) });
      else stream.reset();
    },
    onFailure: () => socket.close(1002),
  });
  socket.on('message', (data: Buffer) => server.receive(data));
  socket.on('close', () => server.close());
}

interface Forwarding {
  readonly call: PortForwardCall;
  readonly error: SpdyStream | undefined;
}

async function forward(stream: SpdyStream, { call, error }: Forwarding): Promise<void> {
  const port = Number(stream.headers.get('port'));
  const early: Buffer[] = [];
  let ended = false;
  stream.onData = (bytes) => void early.push(bytes);
  stream.onEnd = () => void (ended = true);
  try {
    const connection = await call.connect(port);
    connect(stream, connection, error);
    for (const bytes of early) connection.write(bytes);
    if (ended) connection.end();
  } catch (failure) {
    error?.write(Buffer.from((failure as Error).message));
    error?.end();
    stream.reset();
  }
}

function connect(stream: SpdyStream, connection: Duplex, error: SpdyStream | undefined): void {
  stream.onData = (bytes) => void connection.write(bytes);
  stream.onEnd = () => void connection.end();
  stream.onClose = () => void connection.destroy();
  connection.on('data', (bytes: Buffer) => stream.write(bytes));
  connection.on('end', () => {
    stream.end();
    error?.end();
  });
  connection.on('error', () => {
    error?.write(Buffer.from('error forwarding port: the connection to the container was lost'));
    error?.end();
    stream.reset();
  });
}

/** Two channels a port: data (2n) and error (2n+1); each starts with the port as two little-endian bytes. */
function serveChannels(socket: WebSocket, call: PortForwardCall): void {
  const connections = new Map<number, Duplex>();
  for (const [index, port] of call.ports.entries()) {
    const announcement = Buffer.alloc(2);
    announcement.writeUInt16LE(port);
    socket.send(frame(index * 2, announcement));
    socket.send(frame(index * 2 + 1, announcement));
    call.connect(port).then(
      (connection) => {
        connections.set(index * 2, connection);
        connection.on('data', (bytes: Buffer) => socket.send(frame(index * 2, bytes)));
        connection.on('end', () => socket.close(1000));
        connection.on('error', () => socket.close(1011));
      },
      (failure: unknown) => socket.send(frame(index * 2 + 1, Buffer.from((failure as Error).message))),
    );
  }
  socket.on('message', (data: Buffer) => {
    const message = parseFrame(data);
    if (message !== undefined) connections.get(message.channel)?.write(message.bytes);
  });
  socket.on('close', () => {
    for (const connection of connections.values()) connection.destroy();
  });
}
