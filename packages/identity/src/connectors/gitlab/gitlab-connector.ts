/** Owns the connector `gitlab`: gitlab.com or a server of one's own. */
import { object } from '../../config/object-shape.ts';
import type { Connector, ConnectorScopes, ConnectorType, LoginOutcome } from '../connector.ts';
import { admit } from '../oauth2/groups.ts';
import { createOAuth2Connector } from '../oauth2/oauth2-connector.ts';
import { flag, oauth2Fields, readAuthority, text, texts, withoutSlash, withUrls } from '../oauth2/oauth2-settings.ts';
import type { OAuth2Settings } from '../oauth2/oauth2-settings.ts';
import { createUpstreamApi } from '../oauth2/upstream-api.ts';
import type { UpstreamApi } from '../oauth2/upstream-api.ts';
import { createUpstreamHttp } from '../oauth2/upstream-http.ts';
import { asObject, asTexts, requireText, textOf } from '../oauth2/upstream-json.ts';

export interface GitlabConfig extends OAuth2Settings {
  readonly baseURL: string;
  readonly groups: readonly string[];
  readonly useLoginAsID: boolean;
  readonly getGroupsPermission: boolean;
  readonly rootCAData: string;
}

export const gitlab: ConnectorType<GitlabConfig> = {
  type: 'gitlab',
  schema: withUrls(
    object('GitLab.', {
      ...oauth2Fields,
      baseURL: text('The address of the server.', 'https://gitlab.com'),
      groups: texts('Only members of one of these (full paths) may log in.'),
      useLoginAsID: flag('The login name is the id, not the number. People can change it: do not use it.'),
      getGroupsPermission: flag('Also group:owner, group:maintainer and group:developer.'),
      rootCAData: text('The certificate authority of the server, as PEM or base64 of it.'),
    }),
    'baseURL',
    'redirectURI',
  ),
  open: (config) => Promise.resolve(createGitlabConnector(config)),
};

function createGitlabConnector(config: GitlabConfig): Connector {
  const base = withoutSlash(config.baseURL);
  const http = createUpstreamHttp({ authorities: config.rootCAData === '' ? [] : [readAuthority(config.rootCAData)] });
  return createOAuth2Connector({
    ...config,
    http,
    pkce: true,
    refreshes: true,
    endpoints: () =>
      Promise.resolve({ authorization: `${base}/oauth/authorize`, token: `${base}/oauth/token`, issuer: base }),
    scopes: (asked) => ['read_user', ...(asksGroups(config, asked) ? ['openid'] : [])],
    identify: ({ accessToken }, { scopes }) =>
      identify(config, { api: createUpstreamApi(http, accessToken), scopes, base }),
  });
}

function asksGroups({ groups }: GitlabConfig, asked: ConnectorScopes): boolean {
  return asked.groups || groups.length > 0;
}

interface Question {
  readonly api: UpstreamApi;
  readonly scopes: ConnectorScopes;
  readonly base: string;
}

async function identify(config: GitlabConfig, { api, scopes, base }: Question): Promise<LoginOutcome> {
  const user = asObject(await api.get(`${base}/api/v4/user`));
  const state = textOf(user, 'state');
  if (state !== '' && state !== 'active') return { kind: 'denied', reason: 'the account is not active' };
  const login = requireText(user, 'username');
  const id = requireText(user, 'id');
  const identity = {
    userId: config.useLoginAsID ? login : id,
    username: textOf(user, 'name') || login,
    preferredUsername: login,
    email: requireText(user, 'email'),
    // GitLab shows an address that was never confirmed with a null here.
    emailVerified: user['confirmed_at'] !== null,
    groups: asksGroups(config, scopes) ? await readGroups(config, base, api) : [],
  };
  return admit(identity, config.groups, 'wanted');
}

async function readGroups(
  { getGroupsPermission }: GitlabConfig,
  base: string,
  api: UpstreamApi,
): Promise<readonly string[]> {
  const info = asObject(await api.get(`${base}/oauth/userinfo`));
  const groups = asTexts(info['groups']);
  if (!getGroupsPermission) return groups;
  const held = ['owner', 'maintainer', 'developer'].flatMap((role) =>
    asTexts(info[`https://gitlab.org/claims/groups/${role}`]).map((group) => `${group}:${role}`),
  );
  return [...groups, ...held];
}
