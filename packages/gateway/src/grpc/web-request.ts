/** Owns what of a grpc-web request becomes gRPC: its content type, and whether its body and its answer are text (PROTOCOL-WEB of gRPC). */
import { findField, removeField, setField } from '@kfctl/http';
import type { FieldList } from '@kfctl/http';

/** How a browser speaks gRPC: each direction as bytes, or as base64 for clients that can only read text. */
export interface WebCall {
  readonly isTextRequest: boolean;
  readonly isTextAnswer: boolean;
  /** `+proto` … of the request. */
  readonly suffix: string;
}

const WEB_TYPE = /^application\/grpc-web(-text)?(\+[\w.-]{1,32})?\s*(?:;|$)/i;

/** Undefined: the request is none of grpc-web. The answer is text when the client accepts text (as in Envoy), whatever it sends. */
export function readWebCall(method: string, fields: FieldList): WebCall | undefined {
  if (method !== 'POST') return undefined;
  const parts = WEB_TYPE.exec(findField(fields, 'content-type') ?? '');
  if (parts === null) return undefined;
  const isTextAnswer = /application\/grpc-web-text/i.test(findField(fields, 'accept') ?? '');
  return { isTextRequest: parts[1] !== undefined, isTextAnswer, suffix: parts[2]?.toLowerCase() ?? '' };
}

/** gRPC over HTTP/2: servers refuse requests that do not take trailers. */
export function becomeGrpc(fields: string[], { suffix }: WebCall): void {
  setField(fields, 'content-type', `application/grpc${suffix}`);
  removeField(fields, 'content-length');
  setField(fields, 'te', 'trailers');
}
