/** Owns telling gRPC clients in their own terms what the gateway itself answers: a head that is all of the answer, status in a field. */

/** The protocol's mapping of HTTP statuses, but for 504: the time is over, and trying again may do things twice. */
const STATUS: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  408: 4,
  429: 14,
  502: 14,
  503: 14,
  504: 4,
};

const UNKNOWN = 2;
const UNAUTHENTICATED = 16;
const MAX_MESSAGE = 256;

/** Fields that mean something to HTTP clients only. */
const DROPPED = new Set(['content-type', 'content-length', 'location']);

/** Names of the codes (google.rpc.Code), in their order, each with the HTTP status that Envoy answers for it. */
const CODES: readonly (readonly [name: string, httpStatus: number])[] = [
  ['OK', 200],
  ['CANCELLED', 499],
  ['UNKNOWN', 500],
  ['INVALID_ARGUMENT', 400],
  ['DEADLINE_EXCEEDED', 504],
  ['NOT_FOUND', 404],
  ['ALREADY_EXISTS', 409],
  ['PERMISSION_DENIED', 403],
  ['RESOURCE_EXHAUSTED', 429],
  ['FAILED_PRECONDITION', 400],
  ['ABORTED', 409],
  ['OUT_OF_RANGE', 400],
  ['UNIMPLEMENTED', 501],
  ['INTERNAL', 500],
  ['UNAVAILABLE', 503],
  ['DATA_LOSS', 500],
  ['UNAUTHENTICATED', 401],
];

export function grpcStatusByName(name: string): number | undefined {
  const code = CODES.findIndex(([known]) => known === name);
  return code < 0 ? undefined : code;
}

export function httpStatusOf(code: number): number {
  return CODES[code]?.[1] ?? 500;
}

/** The fields of a trailers-only answer with HTTP status 200. */
export function grpcAnswer(code: number, fields: readonly string[], body: Buffer): string[] {
  const kept = fields.filter((_, index) => !DROPPED.has(fields[index - (index % 2)] ?? ''));
  const message = encodeMessage(body.toString('utf8', 0, MAX_MESSAGE));
  const own = ['content-type', 'application/grpc', 'grpc-status', String(code)];
  if (message !== '') own.push('grpc-message', message);
  return own.concat(kept);
}

/** What an HTTP status of the gateway's means to a gRPC client. */
export function grpcStatusFor(status: number): number {
  // A redirect is the way to a login, which no gRPC client can take.
  if (status >= 300 && status < 400) return UNAUTHENTICATED;
  return STATUS[status] ?? UNKNOWN;
}

/** Percent-encoding as the protocol has it: what is no visible ASCII, and the percent sign. */
function encodeMessage(text: string): string {
  const bytes = [...Buffer.from(text, 'utf8')];
  const isPlain = (byte: number): boolean => byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
  return bytes
    .map((byte) => (isPlain(byte) ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`))
    .join('');
}
