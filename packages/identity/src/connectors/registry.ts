/** Owns the one list of connector types. A module is loaded when a configuration names it, not before. */
import type { ConnectorType } from './connector.ts';

type Loader = () => Promise<ConnectorType<unknown>>;

export const CONNECTOR_TYPES: Readonly<Record<string, Loader>> = {
  ldap: async () => (await import('./ldap/ldap-connector.ts')).ldap,
  oidc: async () => (await import('./oidc/oidc-connector.ts')).oidc,
  mockPassword: async () => (await import('./mock/mock-password.ts')).mockPassword,
  mockCallback: async () => (await import('./mock/mock-callback.ts')).mockCallback,
};
