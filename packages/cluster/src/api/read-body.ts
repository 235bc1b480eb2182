/** Owns reading of request bodies: bounded, JSON or YAML by content type. */
import type { IncomingMessage } from 'node:http';
import { badRequest, StatusError, unsupportedMediaType } from '../registry/status-error.ts';

const MAX_BODY_BYTES = 3 * 1024 * 1024;
const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const YAML = new Set(['application/yaml', 'text/yaml', 'application/apply-patch+yaml']);

/** The parsed body; undefined when it is empty. */
export async function readBody(incoming: IncomingMessage): Promise<unknown> {
  const bytes = await readBytes(incoming);
  if (bytes.length === 0) return undefined;
  const type = (incoming.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === PROTOBUF) return parseProtobuf(bytes);
  const text = bytes.toString('utf8');
  if (YAML.has(type)) return parseYaml(text);
  if (type === '' || type.endsWith('json') || type === '*/*') return parseJson(text);
  throw unsupportedMediaType(
    'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
  );
}

async function readBytes(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) {
      const message = `Request entity too large: limit is ${MAX_BODY_BYTES}`;
      throw new StatusError(413, 'RequestEntityTooLarge', { message });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${(error as Error).message}`);
  }
}

async function parseYaml(text: string): Promise<unknown> {
  if (text.trimStart().startsWith('{')) {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      // A flow mapping is YAML too.
    }
  }
  const { load, CORE_SCHEMA } = await import('js-yaml');
  try {
    return load(text, { schema: CORE_SCHEMA });
  } catch (error) {
    throw badRequest(`error parsing YAML: ${(error as Error).message}`);
  }
}

async function parseProtobuf(bytes: Buffer): Promise<unknown> {
  const { parseProtobufObject } = await import('../schema/protobuf.ts');
  try {
    return parseProtobufObject(bytes);
  } catch (error) {
    throw badRequest(`unable to decode the protobuf body: ${(error as Error).message}`);
  }
}
