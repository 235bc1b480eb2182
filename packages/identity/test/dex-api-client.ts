/** Owns a client of the management API for tests: grpc-js with the proto file that we give to other programs. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';
import path from 'node:path';
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import type { ChannelCredentials, Client, ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

export const PROTO: string = path.join(import.meta.dirname, '../../../docs/reference/dex-api.proto');

export type Json = Record<string, unknown>;
export type Call = (method: string, request?: Json) => Promise<Json>;

export interface DexApiClients {
  /** A client of its own; without credentials it speaks plain HTTP/2. */
  at(port: number | undefined, how?: ChannelCredentials): Call;
  /** An empty message to a method that the file does not have. */
  raw(port: number | undefined, method: string): Promise<{ readonly status: string; readonly message: string }>;
  close(): void;
}

export function createDexApiClients(): DexApiClients {
  const definition = loadPackageDefinition(loadSync(PROTO, { keepCase: true, longs: Number, defaults: true }));
  const api = definition['api'] as unknown as {
    readonly Dex: new (address: string, how: ChannelCredentials, options: object) => Client;
  };
  const open: Client[] = [];
  return {
    at: (port, how = credentials.createInsecure()) => {
      const client = new api.Dex(`127.0.0.1:${port}`, how, { 'grpc.ssl_target_name_override': 'localhost' });
      open.push(client);
      return callerOf(client);
    },
    raw: async (port, method) => {
      const session = connect(`http://127.0.0.1:${port}`);
      try {
        const stream = session.request({ ':method': 'POST', ':path': method, 'content-type': 'application/grpc' });
        stream.end(Buffer.alloc(5));
        const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
        return { status: String(headers['grpc-status']), message: String(headers['grpc-message']) };
      } finally {
        session.destroy();
      }
    },
    close: () => open.forEach((client) => client.close()),
  };
}

type Method = (request: Json, options: object, done: (error: ServiceError | null, answer: Json) => void) => void;

function callerOf(client: Client): Call {
  const methods = client as unknown as Record<string, Method>;
  return (method, request = {}) =>
    new Promise((resolve, reject) => {
      methods[method]?.(request, { deadline: Date.now() + 30_000 }, (error, answer) => {
        if (error === null) resolve(answer);
        else reject(error);
      });
    });
}

/** Asserts the status code and the words of a refusal. */
export async function refused(call: Promise<unknown>, code: number, words: RegExp): Promise<void> {
  await assert.rejects(call, (error: ServiceError) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.details, words);
    return true;
  });
}
