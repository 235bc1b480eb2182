/** Owns what a method of the API is, and how one refuses. */
import type { Clock, Logger, RandomBytes } from '@kfctl/core';
import type { IdentityConfig } from '../config/config.ts';
import type { PasswordChecker } from '../connectors/local/password-checker.ts';
import type { StoredConnectors } from '../connectors/stored-connectors.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { LogoutDeliveries } from '../session/logout-deliveries.ts';
import type { Storage } from '../storage/storage.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import type { Message, MessageValue } from './message.ts';

export interface ApiDeps {
  /** The configuration in use: the file's clients and people win over stored ones and cannot be changed here. */
  readonly config: () => IdentityConfig;
  readonly storage: Storage;
  readonly keys: KeyRing;
  readonly checker: PasswordChecker;
  readonly connectors: StoredConnectors;
  readonly logouts: LogoutDeliveries;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Logger;
}

/** The status codes of gRPC that are used here. */
export const GRPC = {
  /** What Go's server makes of an error without a code; the switches of Dex answer with it. */
  unknown: 2,
  invalidArgument: 3,
  notFound: 5,
  failedPrecondition: 9,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
} as const;

/** What the caller is told; everything else is `internal` without words. */
export class ApiRefusal extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Bytes of a request in, bytes of a response out; throws ApiRefusal. */
export type ApiMethod = (bytes: Buffer) => Promise<Buffer>;

export interface MethodShape<Q extends Message, A extends Message> {
  readonly request: Q;
  readonly response: A;
  answer(request: MessageValue<Q>): Promise<MessageValue<A>> | MessageValue<A>;
}

export function method<Q extends Message, A extends Message>({
  request,
  response,
  answer,
}: MethodShape<Q, A>): ApiMethod {
  return async (bytes) => {
    const decoded = decodeMessage(request, bytes);
    if (decoded === undefined) throw new ApiRefusal(GRPC.invalidArgument, 'the message cannot be read');
    return encodeMessage(response, await answer(decoded));
  };
}

/** Throws unless all are given; names are the caller's. */
export function requireGiven(values: Readonly<Record<string, string>>): void {
  const missing = Object.entries(values).find(([, value]) => value === '');
  if (missing !== undefined) throw new ApiRefusal(GRPC.invalidArgument, `no ${missing[0]} supplied`);
}

/** A switch of the environment, by Dex's name for it in lower case. */
export function requireFlag(isOn: boolean | undefined, name: string): void {
  if (isOn !== true) throw new ApiRefusal(GRPC.unknown, `${name} feature flag is not enabled`);
}

export function inFile(what: string): ApiRefusal {
  return new ApiRefusal(GRPC.failedPrecondition, `the ${what} is in the configuration file: change it there`);
}
