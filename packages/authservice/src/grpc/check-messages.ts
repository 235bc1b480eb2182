/** Owns Envoy's authorization messages (envoy.service.auth.v3): a CheckRequest in, a CheckResponse out. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Answer, AskedRequest } from '../server/answer.ts';
import { bytesOf, readFields, textOf, writeBytes, writeNumber } from '@kfctl/core';

/** The request that Envoy asks about, as if it had come here itself; undefined when the message is not one. */
export function readCheckRequest(bytes: Buffer): AskedRequest | undefined {
  // CheckRequest.attributes(1).request(4).http(2)
  const attributes = readFields(bytesOf(readFields(bytes), 1));
  const http = readFields(bytesOf(readFields(bytesOf(attributes, 4)), 2));
  const method = textOf(http, 2);
  const url = textOf(http, 4);
  if (http === undefined || method === '' || !url.startsWith('/')) return undefined;
  const headers: IncomingHttpHeaders = { host: textOf(http, 5) };
  for (const entry of http.get(3) ?? []) {
    const pair = Buffer.isBuffer(entry) ? readFields(entry) : undefined;
    if (pair === undefined) return undefined;
    const name = textOf(pair, 1).toLowerCase();
    if (!name.startsWith(':')) headers[name] = textOf(pair, 2);
  }
  return { method, url, headers, body: noBody };
}

// Envoy asks before it has the body.
const EMPTY = Buffer.alloc(0);
const noBody = (): Promise<Buffer> => Promise.resolve(EMPTY);

const REMOVE = 'x-envoy-auth-headers-to-remove';
const OK = 0;
const PERMISSION_DENIED = 7;

/** 200 lets the request pass; everything else is the answer that the client gets. */
export function writeCheckResponse({ status, headers, body = '' }: Answer): Buffer {
  const pairs = pairsOf(headers);
  if (status === 200) {
    const set = pairs
      .filter(([name]) => name !== REMOVE)
      .map(([name, value]) => writeBytes(2, headerOption(name, value, 'overwrite')));
    // Over gRPC every header that is set arrives, in place of the client's: it needs no removal, which would come after.
    const names = new Set(['', ...pairs.map(([name]) => name)]);
    const listed = pairs.filter(([name]) => name === REMOVE).flatMap(([, value]) => value.split(','));
    const remove = listed.filter((name) => !names.has(name));
    // OkHttpResponse: headers 2, headers_to_remove 5
    const ok = [...set, ...remove.map((name) => writeBytes(5, name))];
    return Buffer.concat([writeBytes(1, writeNumber(1, OK)), writeBytes(3, ok)]);
  }
  // DeniedHttpResponse: status 1, headers 2, body 3
  const denied = [
    writeBytes(1, writeNumber(1, status)),
    ...pairs.map(([name, value]) =>
      writeBytes(2, headerOption(name, value, name === 'set-cookie' ? 'add' : 'overwrite')),
    ),
    writeBytes(3, body),
  ];
  return Buffer.concat([writeBytes(1, writeNumber(1, PERMISSION_DENIED)), writeBytes(2, denied)]);
}

/**
 * HeaderValueOption: header 1 (key 1, value 2), append_action 3. The default action adds one more of the name, which is what cookies
 * need; 2 overwrites. The older `append` is left out: `true` there drops the first of a name.
 */
function headerOption(name: string, value: string, action: 'add' | 'overwrite'): Buffer {
  const header = writeBytes(1, [writeBytes(1, name), writeBytes(2, Buffer.from(value, 'latin1'))]);
  return action === 'add' ? header : Buffer.concat([header, writeNumber(3, OVERWRITE)]);
}

const OVERWRITE = 2;

function pairsOf(headers: readonly string[]): [string, string][] {
  return headers.flatMap((name, index) =>
    index % 2 === 0 ? [[name, headers[index + 1] ?? ''] as [string, string]] : [],
  );
}
