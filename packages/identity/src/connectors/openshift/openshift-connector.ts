/** Owns the connector `openshift`: the people and groups of an OpenShift cluster. */
import { boolean, string } from '../../config/shape.ts';
import { object } from '../../config/object-shape.ts';
import type { Connector, ConnectorType, LoginOutcome } from '../connector.ts';
import { admit } from '../oauth2/groups.ts';
import { createOAuth2Connector } from '../oauth2/oauth2-connector.ts';
import type { OAuth2Endpoints } from '../oauth2/oauth2-connector.ts';
import { oauth2Fields, readAuthority, text, texts, withoutSlash, withUrls } from '../oauth2/oauth2-settings.ts';
import type { OAuth2Settings } from '../oauth2/oauth2-settings.ts';
import { createUpstreamApi } from '../oauth2/upstream-api.ts';
import { createUpstreamHttp, upstreamFailed } from '../oauth2/upstream-http.ts';
import type { UpstreamHttp } from '../oauth2/upstream-http.ts';
import { asObject, asTexts, requireText } from '../oauth2/upstream-json.ts';

export interface OpenshiftConfig extends OAuth2Settings {
  readonly issuer: string;
  readonly groups: readonly string[];
  readonly insecureCA: boolean;
  readonly rootCA: string;
}

export const openshift: ConnectorType<OpenshiftConfig> = {
  type: 'openshift',
  schema: withUrls(
    object('An OpenShift cluster.', {
      ...oauth2Fields,
      issuer: string('The address of its API server.', { required: true }),
      groups: texts('Only members of one of these may log in.'),
      insecureCA: boolean('Do not check its certificate.'),
      rootCA: text('A file with its certificate authority.'),
    }),
    'issuer',
    'redirectURI',
  ),
  open: (config) => Promise.resolve(createOpenshiftConnector(config)),
};

function createOpenshiftConnector(config: OpenshiftConfig): Connector {
  const base = withoutSlash(config.issuer);
  const http = createUpstreamHttp({
    authorities: config.rootCA === '' ? [] : [readAuthority(config.rootCA)],
    insecureSkipVerify: config.insecureCA,
  });
  let found: OAuth2Endpoints | undefined;
  return createOAuth2Connector({
    ...config,
    http,
    pkce: true,
    refreshes: true,
    // Asked when first needed and again after a failure: a cluster that is down stops nobody else.
    endpoints: async () => (found ??= await discover(http, base)),
    scopes: () => ['user:info'],
    identify: async ({ accessToken }) =>
      readUser(config, await createUpstreamApi(http, accessToken).get(`${base}/apis/user.openshift.io/v1/users/~`)),
  });
}

/** RFC 8414, at the address that OpenShift serves it from. */
async function discover(http: UpstreamHttp, base: string): Promise<OAuth2Endpoints> {
  const url = `${base}/.well-known/oauth-authorization-server`;
  const { status, body } = await http.send({ url });
  if (status !== 200) throw upstreamFailed(url, `answered ${status}`);
  const metadata = asObject(body);
  const [authorization, token] = [
    requireText(metadata, 'authorization_endpoint'),
    requireText(metadata, 'token_endpoint'),
  ];
  const sameProtocol = [authorization, token].every(
    (address) => URL.canParse(address) && new URL(address).protocol === new URL(base).protocol,
  );
  if (!sameProtocol) throw upstreamFailed(url, 'names endpoints that are not as secure as itself');
  return { authorization, token };
}

function readUser({ groups }: OpenshiftConfig, body: unknown): LoginOutcome {
  const user = asObject(body);
  const metadata = asObject(user['metadata']);
  const name = requireText(metadata, 'name');
  const identity = {
    userId: requireText(metadata, 'uid'),
    username: name,
    preferredUsername: name,
    // OpenShift knows no addresses; most clusters name people by theirs, and nobody has verified them.
    email: name,
    emailVerified: false,
    groups: asTexts(user['groups']),
  };
  return admit(identity, groups, 'all');
}
