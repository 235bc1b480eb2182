/** Owns what is special about gRPC requests on their way through a proxy (gRPC over HTTP/2). */
import { findField } from '@kfctl/http';
import type { FieldList } from '@kfctl/http';

/** gRPC proper; grpc-web looks like any other request to the wire. */
export function isGrpcContent(fields: FieldList): boolean {
  const type = findField(fields, 'content-type');
  return type !== undefined && /^application\/grpc(?:$|[+; ])/i.test(type);
}

const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** How long the client will wait, in whole milliseconds (at least 1); undefined when it does not say, or not in the form of the protocol. */
export function readGrpcTimeout(fields: FieldList): number | undefined {
  const parts = /^(\d{1,8})([HMSmun])$/.exec(findField(fields, 'grpc-timeout') ?? '');
  const unit = UNIT_MS[parts?.[2] ?? ''];
  return unit === undefined ? undefined : Math.max(1, Math.ceil(Number(parts?.[1]) * unit));
}
