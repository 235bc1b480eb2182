/** Owns server reflection (grpc.reflection.v1 and v1alpha, whose messages are alike): programs learn the API from the server itself. */
import { GRPC } from './api-method.ts';
import { FILE_DESCRIPTOR } from './file-descriptor.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import type { Message } from './message.ts';
import type { ApiStream } from './serve-stream.ts';

const request = {
  host: [1, 'string'],
  fileByFilename: [3, 'string'],
  fileContainingSymbol: [4, 'string'],
  listServices: [7, 'string'],
} as const satisfies Message;
const files = { file: [1, 'bytes'] } as const satisfies Message;
const service = { name: [1, 'string'] } as const satisfies Message;
const services = { service: [1, [service]] } as const satisfies Message;
const problem = { code: [1, 'int'], message: [2, 'string'] } as const satisfies Message;
const response = {
  validHost: [1, 'string'],
  originalRequest: [2, 'bytes'],
  files: [4, files],
  services: [6, services],
  problem: [7, problem],
} as const satisfies Message;

const SERVICE = 'api.Dex';
const FILE = 'api.proto';

export function reflectionStreams(): ReadonlyMap<string, ApiStream> {
  return new Map(
    ['v1', 'v1alpha'].map((version) => [`/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`, reflect]),
  );
}

function reflect(bytes: Buffer): Buffer {
  const asked = decodeMessage(request, bytes);
  const found = asked === undefined ? undefined : answerOf(asked);
  return encodeMessage(response, {
    validHost: asked?.host ?? '',
    originalRequest: bytes,
    files: found === 'file' ? { file: FILE_DESCRIPTOR } : undefined,
    services: found === 'services' ? { service: [{ name: SERVICE }] } : undefined,
    problem: found === undefined ? { code: GRPC.notFound, message: 'not found' } : undefined,
  });
}

interface Asked {
  readonly fileByFilename: string;
  readonly fileContainingSymbol: string;
  readonly listServices: string;
}

function answerOf({ fileByFilename, fileContainingSymbol, listServices }: Asked): 'file' | 'services' | undefined {
  const symbol = /^api\.(\w+)(?:\.\w+)*$/.exec(fileContainingSymbol)?.[1];
  // Every name of the file stands in the descriptor as text.
  if (symbol !== undefined && FILE_DESCRIPTOR.includes(symbol)) return 'file';
  if (fileByFilename === FILE) return 'file';
  return listServices === '' ? undefined : 'services';
}
