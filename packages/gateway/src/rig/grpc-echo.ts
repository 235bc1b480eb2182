/** Owns a gRPC service and its client, both of @grpc/grpc-js: messages are bytes, so that no schema is needed. Imported by tests only. */
import { Client, credentials, Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import type {
  ClientDuplexStream,
  ClientReadableStream,
  ClientWritableStream,
  sendUnaryData,
  ServerDuplexStream,
  ServerOptions,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceError,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';

export interface EchoServer {
  readonly port: number;
  /** Calls that their clients gave up. */
  readonly cancelled: string[];
  /** Bytes that `Flood` has written so far. */
  readonly flooded: () => number;
  close(): void;
}

const UNLIMITED = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };
const bytes = (value: Buffer): Buffer => value;

function method(path: string, requestStream: boolean, responseStream: boolean): object {
  const codec = {
    requestSerialize: bytes,
    responseSerialize: bytes,
    requestDeserialize: bytes,
    responseDeserialize: bytes,
  };
  return { path, requestStream, responseStream, ...codec };
}

function definition(service: string): Record<string, never> {
  const methods = {
    Unary: method(`/${service}/Unary`, false, false),
    Fail: method(`/${service}/Fail`, false, false),
    Hang: method(`/${service}/Hang`, false, false),
    Count: method(`/${service}/Count`, false, true),
    FailLate: method(`/${service}/FailLate`, false, true),
    Flood: method(`/${service}/Flood`, false, true),
    Sum: method(`/${service}/Sum`, true, false),
    Talk: method(`/${service}/Talk`, true, true),
  };
  return methods as unknown as Record<string, never>;
}

/** What the server sees. */
interface Seen {
  readonly cancelled: string[];
  flooded: number;
}

function answeringMethods(seen: Seen): UntypedServiceImplementation {
  return {
    Unary: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
      const initial = new Metadata();
      for (const name of ['x-text', 'x-raw-bin', 'kubeflow-userid']) {
        for (const value of call.metadata.get(name)) initial.add(`${name.startsWith('x-') ? '' : 'x-'}${name}`, value);
      }
      call.sendMetadata(initial);
      const trailer = new Metadata();
      trailer.set('x-size', String(call.request.length));
      trailer.set('x-sum-bin', Buffer.from([0, 255, 10]));
      answer(null, call.request, trailer);
    },
    Fail: (_call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
      const metadata = new Metadata();
      metadata.set('x-detail', 'no such thing');
      answer({ code: status.NOT_FOUND, details: 'nöthing % here', metadata });
    },
    Hang: (call: ServerUnaryCall<Buffer, Buffer>) => void call.on('cancelled', () => seen.cancelled.push('Hang')),
    Count: (call: ServerWritableStream<Buffer, Buffer>) => {
      for (let number = 0; number < Number(call.request.toString()); number += 1)
        call.write(Buffer.from(String(number)));
      call.end();
    },
    FailLate: (call: ServerWritableStream<Buffer, Buffer>) => {
      call.write(Buffer.from('one'));
      call.emit('error', { code: status.FAILED_PRECONDITION, details: 'late' });
    },
  };
}

function streamingMethods(seen: Seen): UntypedServiceImplementation {
  return {
    Flood: (call: ServerWritableStream<Buffer, Buffer>) => {
      const message = Buffer.alloc(65_536);
      const more = (): void => {
        while (!call.cancelled) {
          seen.flooded += message.length;
          if (!call.write(message)) return void call.once('drain', more);
        }
      };
      call.on('cancelled', () => seen.cancelled.push('Flood'));
      more();
    },
    Sum: (call: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
      let sum = 0;
      call.on('data', (message: Buffer) => void (sum += Number(message.toString())));
      call.on('end', () => answer(null, Buffer.from(String(sum))));
    },
    Talk: (call: ServerDuplexStream<Buffer, Buffer>) => {
      call.on('data', (message: Buffer) => void call.write(message));
      call.on('cancelled', () => seen.cancelled.push('Talk'));
      call.on('end', () => call.end());
    },
  };
}

/** The same service under each of the names, over plain HTTP/2; messages of any size unless told otherwise. */
export async function startEcho(names: readonly string[], options: ServerOptions = UNLIMITED): Promise<EchoServer> {
  const seen: Seen = { cancelled: [], flooded: 0 };
  const implementation = { ...answeringMethods(seen), ...streamingMethods(seen) };
  const server = new Server(options);
  for (const name of names) server.addService(definition(name), implementation);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { port, cancelled: seen.cancelled, flooded: () => seen.flooded, close: () => server.forceShutdown() };
}

export interface UnaryAnswer {
  readonly error: ServiceError | null;
  readonly message: Buffer;
  readonly metadata: Metadata;
  readonly trailer: Metadata;
}

export interface CallOptions {
  readonly metadata?: Metadata;
  readonly deadlineMs?: number;
}

/** Calls of one service through the gateway. */
export interface EchoClient {
  unary(name: string, message: Buffer, options?: CallOptions): Promise<UnaryAnswer>;
  read(name: string, message: Buffer): ClientReadableStream<Buffer>;
  sum(onAnswer: (error: ServiceError | null, message?: Buffer) => void): ClientWritableStream<Buffer>;
  talk(): ClientDuplexStream<Buffer, Buffer>;
  close(): void;
}

/** `certificate` is the gateway's, `host` the name in it. */
export function openEcho(
  port: number,
  service: string,
  { certificate, host }: { certificate: Buffer; host: string },
): EchoClient {
  const options = {
    ...UNLIMITED,
    'grpc.ssl_target_name_override': host,
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
  };
  const client = new Client(`127.0.0.1:${port}`, credentials.createSsl(certificate), options);
  const path = (name: string): string => `/${service}/${name}`;
  return {
    unary(name, message, { metadata = new Metadata(), deadlineMs } = {}) {
      return new Promise((resolve) => {
        let initial = new Metadata();
        let trailer = new Metadata();
        const deadline = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
        let result: { error: ServiceError | null; message: Buffer } = { error: null, message: Buffer.alloc(0) };
        const call = client.makeUnaryRequest(path(name), bytes, bytes, message, metadata, deadline, (error, value) => {
          result = { error, message: value ?? Buffer.alloc(0) };
        });
        call.on('metadata', (received) => void (initial = received));
        call.on('status', (ended) => {
          trailer = ended.metadata;
          setImmediate(() => resolve({ ...result, metadata: initial, trailer }));
        });
      });
    },
    read: (name, message) => client.makeServerStreamRequest(path(name), bytes, bytes, message),
    sum: (onAnswer) => client.makeClientStreamRequest(path('Sum'), bytes, bytes, onAnswer),
    talk: () => client.makeBidiStreamRequest(path('Talk'), bytes, bytes),
    close: () => client.close(),
  };
}
