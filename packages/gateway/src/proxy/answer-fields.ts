/** Owns which fields of an upstream's answer the client gets. */
import { removeField } from '@kfctl/http';
import type { FieldList } from '@kfctl/http';

/** The gateway names itself; what an upstream says about the way is not passed on. */
export function withoutOwn(fields: FieldList): string[] {
  const kept: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? '';
    if (name !== 'server' && name !== 'x-envoy-upstream-service-time') kept.push(name, fields[index + 1] ?? '');
  }
  return kept;
}

/** Where the route states who may read its answers, its upstream does not. */
export function withoutCors(fields: FieldList): string[] {
  return fields.filter((_, index) => fields[index - (index % 2)]?.startsWith('access-control-') !== true);
}

/** The handshake's answer for the client: RFC 8441 has no accept key, and neither has a length. */
export function webSocketFields(fields: FieldList, protocol: string): string[] {
  const kept = withoutOwn(fields);
  removeField(kept, 'content-length');
  if (protocol === 'HTTP/2') removeField(kept, 'sec-websocket-accept');
  return kept;
}
