/** Owns a server of requests: heads are judged, bodies limited, before anybody looks at what is asked. Knows no routes and renders nothing. */
import type { OnRefused } from '../connection/connection-options.ts';
import { createHeadJudge } from '../head/judge-head.ts';
import { createConnectionServer } from './connection-server.ts';
import type { ConnectionLimits, ConnectionServer, ServerTls } from './connection-server.ts';
import { ServedRequest } from './served-request.ts';

export interface RequestServerOptions {
  /** Answers one request, now or later; never throws. */
  readonly serve: (request: ServedRequest) => void;
  readonly limits: ConnectionLimits;
  readonly maxBodyBytes: number;
  readonly tls?: ServerTls | undefined;
  readonly refusesAbsolute?: boolean;
  /** Told of what was answered here and never served. */
  readonly onRefused?: OnRefused;
}

export function createRequestServer(options: RequestServerOptions): ConnectionServer {
  const { serve, limits, maxBodyBytes, tls, onRefused } = options;
  const judge = createHeadJudge({ maxFields: limits.head.maxFields, refusesAbsolute: options.refusesAbsolute });
  return createConnectionServer({
    limits,
    tls,
    onRefused,
    handler: (downstream) => {
      const head = judge(downstream.raw);
      if (typeof head === 'number') {
        onRefused?.(head, downstream.remoteAddress);
        return downstream.answer(head, '', '');
      }
      downstream.accept(head);
      serve(new ServedRequest(downstream, head, maxBodyBytes));
    },
  });
}
