/** Owns what a data plane is to these tests: something that listens, and what its way of asking cannot do. */
import type { CleansUp } from './cleanup.ts';

export interface Backends {
  readonly identity: number;
  readonly authservice: number;
  readonly application: number;
  /** Where the AuthService is asked over gRPC. */
  readonly grpc?: number;
}

export interface DataPlane {
  readonly name: string;
  /** Why it cannot run here. */
  readonly skip: string | false;
  readonly tls: boolean;
  /** Whether the AuthService gets to see what tells a program's request from a page. */
  readonly tellsProgramsFromPages: boolean;
  /** Whether the session can be taken off what the application gets. */
  readonly hidesSession: boolean;
  /** The AuthService's assertion reaches applications. */
  readonly provesIdentity: boolean;
  /** The AuthService's own pages and API get whole requests, bodies and all, and tokens in `Authorization` are looked at. */
  readonly reachesAccount: boolean;
  /** Asks at `Backends.grpc`, where the AuthService has to listen. */
  readonly asksOverGrpc?: boolean;
  /** What the AuthService has to be told besides. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Starts it; gives its port. */
  start(cleanup: CleansUp, backends: Backends): Promise<number>;
}
