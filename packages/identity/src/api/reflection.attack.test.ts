/** Reflection with a client that knows nothing but the reflection service, and frames that no client sends. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:http2';
import type { ClientHttp2Stream } from 'node:http2';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import type { ChannelCredentials, Client, ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { fromJSON, loadFileDescriptorSetFromBuffer, loadSync } from '@grpc/proto-loader';
import { startTestIdentity, USERS } from '../../test/test-identity.ts';
import type { TestIdentity } from '../../test/test-identity.ts';
import { FILE_DESCRIPTOR } from './file-descriptor.ts';

const PROTO = path.join(import.meta.dirname, '../../../../docs/reference/dex-api.proto');
const text = (id: number): object => ({ type: 'string', id });
/** The part of grpc.reflection that clients use, by its published numbers. */
const REFLECTION = {
  nested: {
    ServerReflectionRequest: {
      fields: { host: text(1), file_by_filename: text(3), file_containing_symbol: text(4), list_services: text(7) },
    },
    ServerReflectionResponse: {
      fields: {
        valid_host: text(1),
        original_request: { type: 'ServerReflectionRequest', id: 2 },
        file_descriptor_response: { type: 'FileDescriptorResponse', id: 4 },
        list_services_response: { type: 'ListServiceResponse', id: 6 },
        error_response: { type: 'ErrorResponse', id: 7 },
      },
    },
    FileDescriptorResponse: { fields: { file_descriptor_proto: { rule: 'repeated', type: 'bytes', id: 1 } } },
    ListServiceResponse: { fields: { service: { rule: 'repeated', type: 'ServiceResponse', id: 1 } } },
    ServiceResponse: { fields: { name: text(1) } },
    ErrorResponse: { fields: { error_code: { type: 'int32', id: 1 }, error_message: text(2) } },
    ServerReflection: {
      methods: {
        ServerReflectionInfo: {
          requestType: 'ServerReflectionRequest',
          requestStream: true,
          responseType: 'ServerReflectionResponse',
          responseStream: true,
        },
      },
    },
  },
};

type Json = Readonly<Record<string, unknown>>;
interface Reflected extends Json {
  readonly list_services_response?: { readonly service: readonly { readonly name: string }[] };
  readonly file_descriptor_response?: { readonly file_descriptor_proto: readonly Buffer[] };
  readonly error_response?: { readonly error_code: number };
}

let identity: TestIdentity;
const open: Client[] = [];
before(async () => {
  const grpc = 'addr: "127.0.0.1:0", insecureWithoutClientCertificates: true, reflection: true';
  identity = await startTestIdentity({ config: USERS, more: `grpc: {${grpc}}` });
});
after(async () => {
  for (const client of open) client.close();
  await identity.stop();
});

/** One stream; each question waits for its answer before the next, as grpcurl does. */
async function ask(version: string, questions: readonly Json[], port = identity.grpc): Promise<readonly Reflected[]> {
  const nested = { grpc: { nested: { reflection: { nested: { [version]: REFLECTION } } } } };
  const loaded = loadPackageDefinition(
    fromJSON({ nested } as unknown as Parameters<typeof fromJSON>[0], { keepCase: true }),
  ) as unknown as {
    readonly grpc: {
      readonly reflection: Readonly<
        Record<string, { readonly ServerReflection: new (address: string, how: ChannelCredentials) => Client }>
      >;
    };
  };
  const Service = loaded.grpc.reflection[version]?.ServerReflection;
  assert.ok(Service);
  const client = new Service(`127.0.0.1:${port}`, credentials.createInsecure());
  open.push(client);
  const stream = (
    client as unknown as { ServerReflectionInfo(options: object): ClientDuplexStream<Json, Reflected> }
  ).ServerReflectionInfo({ deadline: Date.now() + 10_000 });
  const answers: Reflected[] = [];
  return await new Promise((resolve, reject) => {
    stream.on('error', reject);
    stream.on('data', (answer: Reflected) => {
      answers.push(answer);
      const next = questions[answers.length];
      if (next === undefined) stream.end();
      else stream.write(next);
    });
    stream.on('end', () => resolve(answers));
    stream.write(questions[0] ?? {});
  });
}

for (const version of ['v1', 'v1alpha']) {
  test(`${version}: a client that has no file finds the service, its messages, and calls it`, async () => {
    const [listed, described, byName, missing] = await ask(version, [
      { list_services: '*' },
      { file_containing_symbol: 'api.Dex' },
      { file_by_filename: 'api.proto' },
      { file_containing_symbol: 'api.Nothing' },
    ]);
    assert.deepEqual(listed?.list_services_response?.service, [{ name: 'api.Dex' }]);
    assert.equal(missing?.error_response?.error_code, 5);
    const [file] = described?.file_descriptor_response?.file_descriptor_proto ?? [];
    assert.ok(file !== undefined);
    assert.deepEqual(byName?.file_descriptor_response?.file_descriptor_proto[0], file);
    // A FileDescriptorSet: the file as field 1.
    const length = Buffer.from([0x0a, (file.length & 0x7f) | 0x80, file.length >> 7]);
    const learned = loadPackageDefinition(
      loadFileDescriptorSetFromBuffer(Buffer.concat([length, file]), { keepCase: true }),
    ) as unknown as { readonly api: { readonly Dex: new (address: string, how: ChannelCredentials) => Client } };
    const client = new learned.api.Dex(`127.0.0.1:${identity.grpc}`, credentials.createInsecure());
    open.push(client);
    const answer = await new Promise<Json>((resolve, reject) => {
      const methods = client as unknown as {
        GetVersion(request: Json, done: (error: ServiceError | null, answer: Json) => void): void;
      };
      methods.GetVersion({}, (error, given) => (error === null ? resolve(given) : reject(error)));
    });
    assert.equal(answer['server'], '0.1.0');
  });
}

test('it is there only where the file says so', async (t) => {
  const grpc = 'addr: "127.0.0.1:0", insecureWithoutClientCertificates: true';
  const quiet = await startTestIdentity({ config: USERS, more: `grpc: {${grpc}}` });
  t.after(() => quiet.stop());
  await assert.rejects(ask('v1', [{ list_services: '*' }], quiet.grpc), { code: 12 });
});

test('what reflection gives away is the file in the documentation', () => {
  const loaded = Object.values(loadSync(PROTO, { keepCase: true }));
  const made = loaded.find((one) => 'fileDescriptorProtos' in one) as { readonly fileDescriptorProtos: Buffer[] };
  assert.match(readFileSync(PROTO, 'utf8'), /package api;/);
  // protobufjs compiles them to ranges that Go's readers refuse, and with them the whole file.
  assert.doesNotMatch(readFileSync(PROTO, 'utf8'), /reserved/);
  assert.equal(
    FILE_DESCRIPTOR.toString('base64'),
    made.fileDescriptorProtos[0]?.toString('base64'),
    'put the base64 of fileDescriptorProtos[0] of @grpc/proto-loader into file-descriptor.ts',
  );
});

async function send(write: (stream: ClientHttp2Stream) => void): Promise<string> {
  const session = connect(`http://127.0.0.1:${identity.grpc}`);
  const stream = session.request({
    ':method': 'POST',
    ':path': '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    'content-type': 'application/grpc',
  });
  const status = await new Promise<string>((resolve, reject) => {
    stream.on('error', reject);
    stream.on('trailers', (trailers) => resolve(String(trailers['grpc-status'])));
    stream.resume();
    write(stream);
  });
  session.destroy();
  return status;
}

test('frames that are compressed, too large or without end are cut off, and the server goes on', async () => {
  const question = Buffer.from([0, 0, 0, 0, 3, 0x3a, 1, 0x2a]);
  assert.equal(await send((stream) => stream.end(question)), '0');
  assert.equal(
    await send((stream) =>
      question.forEach((byte, at) =>
        stream.write(Buffer.from([byte]), () => at === question.length - 1 && stream.end()),
      ),
    ),
    '0',
  );
  assert.equal(await send((stream) => stream.write(Buffer.from([1, 0, 0, 0, 1, 0]))), '3');
  assert.equal(await send((stream) => stream.write(Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 0]))), '3');
  assert.equal(await send((stream) => stream.write(Buffer.concat(Array.from({ length: 300 }, () => question)))), '3');
  assert.equal((await ask('v1', [{ list_services: '*' }])).length, 1);
});
