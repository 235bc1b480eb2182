/** Owns the list of what endpoints may depend on; each endpoint asks for the part it uses. */
import type { Clock, Logger, RandomBytes } from '@kfctl/core';
import type { FindClient } from './clients/find-client.ts';
import type { IdentityConfig } from './config/config.ts';
import type { ConnectorSet } from './connectors/connector-set.ts';
import type { KeyRing } from './keys/key-ring.ts';
import type { LoginThrottle } from './login/throttle.ts';
import type { Turns } from './login/turns.ts';
import type { PageRenderer } from './pages/page.ts';
import type { LoginSessions } from './session/login-sessions.ts';
import type { LogoutDeliveries } from './session/logout-deliveries.ts';
import type { Storage } from './storage/storage.ts';

export interface ProviderDeps {
  readonly config: IdentityConfig;
  readonly storage: Storage;
  readonly keys: KeyRing;
  readonly connectors: ConnectorSet;
  readonly findClient: FindClient;
  /** Undefined where sessions are off. */
  readonly sessions: LoginSessions | undefined;
  readonly logouts: LogoutDeliveries;
  readonly throttle: LoginThrottle;
  /** By the id of a refresh token. */
  readonly refreshTurns: Turns;
  readonly render: PageRenderer;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Logger;
}
