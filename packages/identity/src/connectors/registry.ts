/** Owns the one list of connector types. A module is loaded when a configuration names it, not before. */
import type { ConnectorType } from './connector.ts';

type Loader = () => Promise<ConnectorType<unknown>>;

export const CONNECTOR_TYPES: Readonly<Record<string, Loader>> = {
  ldap: async () => (await import('./ldap/ldap-connector.ts')).ldap,
  oidc: async () => (await import('./oidc/oidc-connector.ts')).oidc,
  google: async () => (await import('./google/google-connector.ts')).google,
  github: async () => (await import('./github/github-connector.ts')).github,
  gitlab: async () => (await import('./gitlab/gitlab-connector.ts')).gitlab,
  microsoft: async () => (await import('./microsoft/microsoft-connector.ts')).microsoft,
  linkedin: async () => (await import('./linkedin/linkedin-connector.ts')).linkedin,
  oauth: async () => (await import('./oauth/oauth-connector.ts')).oauth,
  gitea: async () => (await import('./gitea/gitea-connector.ts')).gitea,
  'bitbucket-cloud': async () => (await import('./bitbucket-cloud/bitbucket-connector.ts')).bitbucketCloud,
  openshift: async () => (await import('./openshift/openshift-connector.ts')).openshift,
  saml: async () => (await import('./saml/saml-connector.ts')).saml,
  // Dex's name for it before it was settled.
  samlExperimental: async () => (await import('./saml/saml-connector.ts')).saml,
  authproxy: async () => (await import('./authproxy/authproxy-connector.ts')).authproxy,
  keystone: async () => (await import('./keystone/keystone-connector.ts')).keystone,
  'atlassian-crowd': async () => (await import('./atlassian-crowd/crowd-connector.ts')).atlassianCrowd,
  mockPassword: async () => (await import('./mock/mock-password.ts')).mockPassword,
  mockCallback: async () => (await import('./mock/mock-callback.ts')).mockCallback,
};
