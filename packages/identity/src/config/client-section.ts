/** Owns `staticClients`. */
import { Secret } from '@kfctl/core';
import type { StaticClient } from './config.ts';
import { object } from './object-shape.ts';
import { boolean, duration, listOf, oneOf, optional, refine, secret, string } from './shape.ts';
import type { ReadContext, Shape } from './shape.ts';

interface ClientEntry {
  readonly id: string;
  readonly idEnv: string;
  readonly secret: Secret;
  readonly secretEnv: string;
  readonly name: string;
  readonly redirectURIs: readonly string[];
  readonly postLogoutRedirectURIs: readonly string[];
  readonly public: boolean;
  readonly trustedPeers: readonly string[];
  readonly logoURL: string;
  readonly allowedConnectors: readonly string[];
  readonly ssoSharedWith: readonly string[] | undefined;
  readonly backchannelLogoutURI: string;
  readonly refreshTokenLifetime: 'standalone' | 'session';
  readonly idTokenLifetime: number;
  readonly mfaChain: readonly string[];
  readonly clientCredentialsClaims: { readonly groups: readonly string[] };
}

const uri = string('A URI; compared exactly.');

const entry: Shape<ClientEntry> = object('An application that may ask who somebody is.', {
  id: string('The client id.'),
  idEnv: string('The environment variable that holds the client id.'),
  secret: secret('The client secret.'),
  secretEnv: string('The environment variable that holds the client secret.'),
  name: string('Shown on the approval page.', { required: true }),
  redirectURIs: listOf('Where codes may be sent; a path such as /login/oidc stays relative.', uri),
  postLogoutRedirectURIs: listOf(
    'Where the browser may be sent after logout. Without any: to `/`, for clients whose codes go to a path of this origin.',
    uri,
  ),
  public: boolean('Cannot keep a secret: a CLI or a page. May use localhost when it has no redirectURIs.'),
  trustedPeers: listOf('Clients that may ask for tokens whose audience is this client.', string('A client id.')),
  logoURL: string('Accepted for compatibility; pages load nothing from elsewhere.'),
  allowedConnectors: listOf('The connectors its users may come from; empty means all.', string('A connector id.')),
  ssoSharedWith: optional(
    listOf('Clients that its login sessions answer too; "*" for all, [] for none.', string('A client id.')),
  ),
  backchannelLogoutURI: string('Told by POST when a login session ends (OpenID Connect Back-Channel Logout).'),
  refreshTokenLifetime: oneOf('`session`: refresh tokens end with the login session; `standalone`: by themselves.', {
    values: ['standalone', 'session'],
    fallback: 'standalone',
  }),
  idTokenLifetime: duration(
    'ID and access tokens of this client; never longer than expiry.idTokens, which 0 means.',
    '0s',
  ),
  mfaChain: listOf('Second factors; not there, and refused where one is named.', string('An authenticator.')),
  clientCredentialsClaims: object('Claims of its own client_credentials tokens.', {
    groups: listOf('Groups.', string('A group.')),
  }),
});

const checked = refine(entry, (client, complain, { env }) => {
  const id = client.id === '' ? (env[client.idEnv] ?? '') : client.id;
  if (client.id !== '' && client.idEnv !== '') complain('idEnv', 'is given beside id', 'Keep one of them.');
  else if (client.id === '' && client.idEnv === '') complain('id', 'is required', 'Set id or idEnv.');
  else if (id === '')
    complain('idEnv', `names ${client.idEnv}, which is not set`, 'Set it in the environment of this process.');
  if (client.backchannelLogoutURI !== '' && !isLogoutUri(client.backchannelLogoutURI))
    complain('backchannelLogoutURI', 'is no address for it', 'Write an http or https URL without a fragment.');
  if (client.idTokenLifetime > 0 && client.idTokenLifetime < 1000)
    complain('idTokenLifetime', 'is less than a second', 'Write at least 1s; tokens count in whole seconds.');
  if (client.mfaChain.length > 0)
    complain('mfaChain', 'is not supported', 'Ask for the second factor at an upstream (allowedConnectors).');
  const plain = client.secret.reveal();
  if (plain !== '' && client.secretEnv !== '') complain('secretEnv', 'is given beside secret', 'Keep one of them.');
  if (client.public) return;
  if (plain === '' && client.secretEnv === '') {
    complain('secret', 'is required', 'Set secret or secretEnv, or public: true for a client that cannot keep one.');
  } else if (plain === '' && (env[client.secretEnv] ?? '') === '') {
    complain('secretEnv', `names ${client.secretEnv}, which is not set`, 'Set it in the environment of this process.');
  }
});

/** Back-Channel Logout §2.2: absolute, without a fragment. */
export function isLogoutUri(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.hash === '' && url.username === '';
}

const resolved: Shape<StaticClient> = {
  ...checked,
  read: (node, context) => resolve(checked.read(node, context), context),
};

export const clientsSection: Shape<readonly StaticClient[]> = listOf(
  'Clients of this file; they win over stored ones.',
  resolved,
);

/** Who gets codes at a path is at home on this origin, and the front page of that leads nowhere else. */
function postLogoutRedirectUrisOf({ redirectURIs, postLogoutRedirectURIs }: ClientEntry): readonly string[] {
  const isHere = postLogoutRedirectURIs.length === 0 && redirectURIs.some((text) => /^\/(?!\/)/.test(text));
  return isHere ? ['/'] : postLogoutRedirectURIs;
}

function resolve(client: ClientEntry, { env }: ReadContext): StaticClient {
  const fromEnv = client.secretEnv === '' ? undefined : env[client.secretEnv];
  return {
    id: client.id === '' ? (env[client.idEnv] ?? '') : client.id,
    secret: fromEnv === undefined ? client.secret : new Secret(fromEnv),
    name: client.name,
    redirectUris: client.redirectURIs,
    postLogoutRedirectUris: postLogoutRedirectUrisOf(client),
    public: client.public,
    trustedPeers: client.trustedPeers,
    allowedConnectors: client.allowedConnectors,
    ssoSharedWith: client.ssoSharedWith,
    backchannelLogoutUri: client.backchannelLogoutURI,
    refreshTokenLifetime: client.refreshTokenLifetime,
    idTokenLifetime: client.idTokenLifetime,
    clientCredentialsGroups: client.clientCredentialsClaims.groups,
  };
}
