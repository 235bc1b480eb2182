/** Owns the kinds of requests that http2-stress.ts sends: what an endpoint does with each, and what its client must see. Imported by tests only. */
import { constants } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';

/** What an endpoint does with a request, or the gateway in its place, and what the client must see of it. */
export interface Kind {
  readonly name: string;
  readonly method: 'GET' | 'POST';
  readonly serve?: (stream: ServerHttp2Stream, token: string) => void;
  /** Undefined: all is well. */
  readonly judge: (seen: Seen) => string | undefined;
}

export interface Seen {
  readonly token: string;
  readonly status: number;
  readonly echoed: string;
  readonly text: string;
  readonly trailer: string;
  readonly reset: number;
}

const BIG = 'x'.repeat(100_000);

function begin(stream: ServerHttp2Stream, token: string): void {
  stream.respond({ ':status': 200, 'x-token': token }, { waitForTrailers: true });
  stream.on('wantTrailers', () => {
    if (!stream.closed) stream.sendTrailers({ 'x-trailer': token });
  });
}

function whole(text: (token: string) => string): Kind['judge'] {
  return ({ token, status, echoed, text: got, trailer, reset }) => {
    const isWhole = status === 200 && echoed === token && got === text(token) && trailer === token && reset === 0;
    return isWhole ? undefined : 'is not whole';
  };
}

const isStatus =
  (wanted: number): Kind['judge'] =>
  ({ status }) =>
    status === wanted ? undefined : `is not ${wanted}`;

/** A reset may overtake the head: then the client has no status, and knows that it has no answer. */
const isBroken: Kind['judge'] = ({ token, status, echoed, reset }) =>
  reset !== 0 && (status === 0 || (status === 200 && echoed === token)) ? undefined : 'is not broken off';

const resetWith =
  (code: number) =>
  (stream: ServerHttp2Stream): void =>
    stream.close(code);

export const KINDS: readonly Kind[] = [
  {
    name: 'small',
    method: 'GET',
    serve(stream, token) {
      begin(stream, token);
      stream.end(token);
    },
    judge: whole((token) => token),
  },
  {
    name: 'pieces',
    method: 'GET',
    serve(stream, token) {
      begin(stream, token);
      stream.write(token);
      setImmediate(() => stream.end(token));
    },
    judge: whole((token) => token + token),
  },
  {
    name: 'big',
    method: 'GET',
    serve(stream, token) {
      begin(stream, token);
      stream.end(BIG);
    },
    judge: whole(() => BIG),
  },
  {
    name: 'echo',
    method: 'POST',
    serve(stream, token) {
      begin(stream, token);
      stream.pipe(stream);
    },
    judge: whole((token) => `body of ${token}`),
  },
  {
    name: 'early',
    method: 'POST',
    serve(stream, token) {
      begin(stream, token);
      stream.end(token);
    },
    judge: ({ token, status, text }) => (status === 200 && text === token ? undefined : 'is not whole'),
  },
  { name: 'inner', method: 'GET', serve: resetWith(constants.NGHTTP2_INTERNAL_ERROR), judge: isStatus(503) },
  { name: 'refused', method: 'POST', serve: resetWith(constants.NGHTTP2_REFUSED_STREAM), judge: isStatus(503) },
  {
    name: 'midway',
    method: 'GET',
    serve(stream, token) {
      begin(stream, token);
      stream.write(token);
      setImmediate(() => stream.destroy(new Error('gave up')));
    },
    judge: isBroken,
  },
  {
    name: 'killed',
    method: 'GET',
    serve(stream) {
      if (Math.random() < 0.2) stream.session?.destroy();
      else setTimeout(() => stream.destroyed || stream.session?.destroy(), 20);
    },
    judge: isStatus(503),
  },
  {
    name: 'leaving',
    method: 'GET',
    serve(stream, token) {
      begin(stream, token);
      stream.end(token);
      if (Math.random() < 0.1) stream.session?.close();
    },
    judge: whole((token) => token),
  },
  { name: 'nowhere', method: 'POST', judge: isStatus(404) },
  { name: 'redirect', method: 'POST', judge: isStatus(302) },
];
