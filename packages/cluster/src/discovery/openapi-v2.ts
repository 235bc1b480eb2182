/**
 * Owns the OpenAPI v2 document in its protobuf form. It is empty on purpose: clients that know v3 ask for v2 only about kinds that
 * v3 does not have, and must learn from it that there is no such kind, not that there is no document.
 */
const MEDIA_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

export interface OpenApiV2Answer {
  readonly contentType: string;
  readonly body: Buffer | string;
}

/** By the Accept header: protobuf where it is asked for, JSON otherwise. */
export function renderOpenApiV2(accept: string): OpenApiV2Answer {
  if (!accept.includes('proto-openapi')) {
    const document = { swagger: '2.0', info: { title: 'Kubernetes', version: 'v1.33.0' }, paths: {}, definitions: {} };
    return { contentType: 'application/json', body: JSON.stringify(document) };
  }
  const info = Buffer.concat([field(1, 'Kubernetes'), field(2, 'v1.33.0')]);
  const body = Buffer.concat([field(1, '2.0'), field(2, info), field(8, ''), field(9, '')]);
  return { contentType: MEDIA_TYPE, body };
}

/** A length-delimited field of fewer than 128 bytes. */
function field(number: number, content: string | Buffer): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}
