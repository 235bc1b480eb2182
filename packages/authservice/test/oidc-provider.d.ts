/** Owns the types of the part of oidc-provider that the tests use. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  export interface Grant {
    addOIDCScope(scope: string): void;
    save(): Promise<string>;
  }

  export interface ProviderContext {
    readonly oidc: {
      readonly provider: Provider;
      readonly client?: { readonly clientId: string };
      readonly session?: { readonly accountId?: string; readonly uid: string };
    };
  }

  export interface Configuration {
    readonly [setting: string]: unknown;
    readonly findAccount?: (
      context: unknown,
      id: string,
    ) => { readonly accountId: string; claims(): Readonly<Record<string, unknown>> };
    readonly loadExistingGrant?: (context: ProviderContext) => Promise<Grant>;
  }

  export class Provider {
    constructor(issuer: string, configuration?: Configuration);
    readonly Grant: new (properties: { clientId: string; accountId: string }) => Grant;
    callback(): (incoming: IncomingMessage, outgoing: ServerResponse) => void;
  }
}
