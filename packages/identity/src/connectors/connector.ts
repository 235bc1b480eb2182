/** Owns the contract between the provider and what proves who somebody is. The host asks a connector what it can do; it assumes nothing. */
import type { Clock, Logger } from '@kfctl/core';
import type { Shape } from '../config/shape.ts';

/** Who somebody is, as a connector says. */
export interface Identity {
  /** Stable, unique within the connector. */
  readonly userId: string;
  readonly username: string;
  readonly preferredUsername: string;
  readonly email: string;
  readonly emailVerified: boolean;
  readonly groups: readonly string[];
}

export interface Authenticated {
  readonly identity: Identity;
  /** What the connector needs to refresh this identity later; kept in the store, never shown. */
  readonly connectorData?: Buffer;
  /** What the upstream wants to see when this login ends (its ID token); kept in the login session alone. */
  readonly logoutHint?: string;
}

export type LoginOutcome =
  | ({
      readonly kind: 'authenticated';
      /** What proved it, where that could be sent again: the host accepts each only once. */
      readonly once?: string;
    } & Authenticated)
  /** The person is not who they say: wrong password, unknown name. The reason is for the log. */
  | {
      readonly kind: 'denied';
      readonly reason: string;
      /** They are who they say, and in none of the groups that may log in. Told after a redirect; a password form must not say which passwords are right. */
      readonly outsider?: true;
    };

export interface ConnectorScopes {
  readonly groups: boolean;
  readonly offlineAccess: boolean;
}

/** Checks a name and a password. Throws when it cannot tell. */
export interface PasswordLogin {
  /** The label of the name field: "Email Address", "Username". */
  readonly prompt: string;
  login(credentials: PasswordCredentials, scopes: ConnectorScopes): Promise<LoginOutcome>;
}

export interface PasswordCredentials {
  readonly username: string;
  readonly password: string;
}

/** Sends the browser elsewhere and understands what comes back. */
export interface CallbackLogin {
  begin(request: CallbackBegin): Promise<CallbackStart>;
  finish(request: CallbackFinish): Promise<LoginOutcome>;
}

export interface CallbackBegin {
  /** Opaque; must come back as `state`. Made by `seal` with whatever the connector wants to find again in `finish`. */
  seal(carried: Readonly<Record<string, string>>): string;
  readonly scopes: ConnectorScopes;
  readonly loginHint: string | undefined;
  /** The client wants the person to prove who they are now, not that they have before. */
  readonly reauthenticate?: boolean;
}

export interface CallbackStart {
  readonly location: string;
}

export interface CallbackFinish {
  readonly query: URLSearchParams;
  readonly carried: Readonly<Record<string, string>>;
  readonly scopes: ConnectorScopes;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The browser came to `/callback/<id>`, not to the path that all connectors share. */
  readonly ownPath: boolean;
}

/** Sends the browser elsewhere with a form (SAML's HTTP POST binding) and understands the form that comes back. The host adds `RelayState`. */
export interface PostedLogin {
  begin(request: Omit<CallbackBegin, 'seal'>): Promise<PostedStart>;
  finish(request: PostedFinish): Promise<LoginOutcome>;
}

export interface PostedStart {
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
  /** What the connector wants to find again in `finish`. */
  readonly carried: Readonly<Record<string, string>>;
  /** The address that the answer will be sent to. */
  readonly returnTo: string;
}

export interface PostedFinish {
  readonly form: URLSearchParams;
  readonly carried: Readonly<Record<string, string>>;
  readonly scopes: ConnectorScopes;
}

/** Asks again who the person is; throws when it cannot tell. */
export interface IdentityRefresh {
  refresh(known: Authenticated, scopes: ConnectorScopes): Promise<LoginOutcome>;
}

/** Turns a token of the upstream into an identity (RFC 8693). */
export interface TokenIdentity {
  identify(token: string, tokenType: string): Promise<LoginOutcome>;
}

/** Ends the login at the upstream too, by sending the browser there. */
export interface UpstreamLogout {
  begin(request: LogoutBegin): Promise<LogoutStart | undefined>;
}

export interface LogoutBegin {
  /** Empty where the login left none. */
  readonly hint: string;
  /** Opaque; comes back as `state` to `/logout/callback`. */
  readonly state: string;
}

export interface LogoutStart {
  readonly location: string;
}

/** An open connector: each ability is there or not. */
export interface Connector {
  readonly password?: PasswordLogin;
  readonly callback?: CallbackLogin;
  readonly posted?: PostedLogin;
  readonly refresh?: IdentityRefresh;
  readonly tokenIdentity?: TokenIdentity;
  /** Absent where the upstream is not told of logouts. */
  readonly logout?: UpstreamLogout;
  close?(): Promise<void>;
}

export interface ConnectorDeps {
  readonly id: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** The path-absolute address that upstreams send the browser back to. */
  readonly callbackPath: string;
}

/** A kind of connector: what its configuration looks like and how it opens. Opening reads files, it does not call anybody. */
export interface ConnectorType<C> {
  readonly type: string;
  readonly schema: Shape<C>;
  open(config: C, deps: ConnectorDeps): Promise<Connector>;
  /** Tries the configuration out, with a person where one is given; the lines are for people. */
  check?(config: C, person: CheckedPerson): Promise<ConnectorReport>;
}

export interface CheckedPerson {
  readonly username?: string;
  readonly password?: string;
}

export interface ConnectorReport {
  readonly ok: boolean;
  readonly lines: readonly string[];
}

/** A configured connector, ready to be opened. */
export interface ConnectorEntry {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  /** Grants it may serve; empty means all. */
  readonly grantTypes: readonly string[];
  readonly open: (deps: ConnectorDeps) => Promise<Connector>;
  /** Absent where there is nothing to try. */
  readonly check?: (person: CheckedPerson) => Promise<ConnectorReport>;
}
