/** Owns the contract between the API server and the node: logs, exec and port-forward of one pod's containers. */
import type { Duplex, Readable, Writable } from 'node:stream';

export interface PodPlace {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface LogRequest {
  readonly container: string;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
  /** RFC 3339. */
  readonly sinceTime?: string;
  readonly limitBytes?: number;
}

export interface ExecRequest {
  readonly container: string;
  readonly command: readonly string[];
  readonly tty: boolean;
}

export interface ExecStreams {
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  /** Terminal sizes as the client tells them. */
  readonly resize: AsyncIterable<{ readonly width: number; readonly height: number }>;
}

export type ExecOutcome =
  | { readonly kind: 'exited'; readonly exitCode: number }
  /** The command could not be started. */
  | { readonly kind: 'failed'; readonly message: string };

/**
 * What a node offers to the API server. Failures that the user should read are thrown as errors with their message
 * (`container "x" is not running`); each call ends when its signal aborts.
 */
export interface NodeGateway {
  logs(pod: PodPlace, request: LogRequest, signal: AbortSignal): AsyncIterable<Buffer>;
  exec(
    pod: PodPlace,
    call: { readonly request: ExecRequest; readonly streams: ExecStreams },
    signal: AbortSignal,
  ): Promise<ExecOutcome>;
  /** Joins the container's own program, to its end. */
  attach(
    pod: PodPlace,
    call: { readonly container: string; readonly streams: ExecStreams },
    signal: AbortSignal,
  ): Promise<ExecOutcome>;
  /** A connection to a port of the pod. */
  portForward(pod: PodPlace, port: number, signal: AbortSignal): Promise<Duplex>;
}
