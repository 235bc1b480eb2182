/** Owns the cluster's DNS server: names of the cluster are answered, all others are asked of the machine's resolvers. */
import { createSocket } from 'node:dgram';
import type { Socket as UdpSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { resolveClusterName } from './cluster-names.ts';
import type { ClusterObjects } from './cluster-names.ts';
import { parseQuestion, RCODE, renderAnswer } from './dns-message.ts';
import type { ForwardQuery } from './forward-query.ts';

export interface DnsServerOptions {
  readonly address: string;
  /** 53; 0 takes a free one (tests). */
  readonly port: number;
  readonly objects: ClusterObjects;
  readonly forward: ForwardQuery;
}

export interface DnsServer {
  readonly port: number;
  close(): void;
}

const MAX_TCP_CONNECTIONS = 64;
const TCP_IDLE_MS = 10_000;

interface Doors {
  readonly udp: UdpSocket;
  readonly tcp: Server;
}

const MAX_TRIES = 8;

/** Resolves when both UDP and TCP are bound; rejects when the address cannot be bound. */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const answer = createAnswerer(options);
  const sockets = new Set<Socket>();
  const { udp, tcp } = await bindBoth(options, (socket) => serveTcp(socket, answer, sockets));
  udp.on('message', (packet, from) => {
    void answer(packet, 'udp').then((reply) => {
      if (reply !== undefined) udp.send(reply, from.port, from.address);
    });
  });
  // An asker that is gone already makes the next receive fail on some systems; that is no reason to stop.
  udp.on('error', () => undefined);
  return {
    port: udp.address().port,
    close() {
      udp.close();
      tcp.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A port that is free for UDP need not be free for TCP: where any will do, another one is tried. */
async function bindBoth(options: DnsServerOptions, serve: (socket: Socket) => void): Promise<Doors> {
  for (let tries = options.port === 0 ? MAX_TRIES : 1; ; tries -= 1) {
    const udp = await bindUdp(options);
    try {
      return { udp, tcp: await bindTcp({ ...options, port: udp.address().port }, serve) };
    } catch (error) {
      udp.close();
      if (tries <= 1) throw error;
    }
  }
}

function bindUdp({ address, port }: DnsServerOptions): Promise<UdpSocket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', reject);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

function bindTcp({ address, port }: DnsServerOptions, serve: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(serve);
    server.maxConnections = MAX_TCP_CONNECTIONS;
    server.once('error', reject);
    server.listen({ host: address, port, exclusive: true }, () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}

type Answerer = (packet: Buffer, transport: 'udp' | 'tcp') => Promise<Buffer | undefined>;

function createAnswerer({ objects, forward }: DnsServerOptions): Answerer {
  return async (packet, transport) => {
    const question = parseQuestion(packet);
    if (question === undefined) return undefined;
    const own = resolveClusterName(objects, question.name, question.type);
    const limit = transport === 'udp' ? question.maxBytes : undefined;
    if (own !== undefined) return renderAnswer(question, own, limit);
    return (await forward(packet)) ?? renderAnswer(question, { code: RCODE.SERVER_FAILURE, records: [] });
  };
}

/** Messages with a length in front (RFC 1035 §4.2.2), answered in order. */
function serveTcp(socket: Socket, answer: Answerer, sockets: Set<Socket>): void {
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
  socket.on('error', () => socket.destroy());
  socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
  let received = Buffer.alloc(0);
  let work = Promise.resolve();
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const size = received.readUInt16BE(0);
      const packet = received.subarray(2, 2 + size);
      received = received.subarray(2 + size);
      work = work.then(async () => reply(socket, await answer(packet, 'tcp')));
    }
  });
}

function reply(socket: Socket, message: Buffer | undefined): void {
  if (message === undefined) return void socket.destroy();
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  if (!socket.destroyed) socket.write(Buffer.concat([length, message]));
}
