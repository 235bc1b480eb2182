/** Owns the connector `gitlab`: gitlab.com or a server of one's own. */
import { object } from '../../config/object-shape.ts';
import type { Connector, ConnectorScopes, ConnectorType, LoginOutcome } from '../connector.ts';
import { admit } from '../oauth2/groups.ts';
import { createOAuth2Connector } from '../oauth2/oauth2-connector.ts';
import { flag, oauth2Fields, readAuthority, text, texts, withoutSlash, withUrls } from '../oauth2/oauth2-settings.ts';
import type { OAuth2Settings } from '../oauth2/oauth2-settings.ts';
import { createUpstreamApi } from '../oauth2/upstream-api.ts';
import type { UpstreamApi } from '../oauth2/upstream-api.ts';
import { GrantGone } from '../oauth2/token-request.ts';
import { createUpstreamHttp } from '../oauth2/upstream-http.ts';
import type { UpstreamAnswer } from '../oauth2/upstream-http.ts';
import { asObject, asObjects, asTexts, requireText, textOf } from '../oauth2/upstream-json.ts';

export interface GitlabConfig extends OAuth2Settings {
  readonly baseURL: string;
  readonly groups: readonly string[];
  readonly useLoginAsID: boolean;
  readonly getGroupsPermission: boolean;
  readonly inheritedGroups: boolean;
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
      inheritedGroups: flag('Groups that one belongs to through a parent group too. Needs the scope read_api.'),
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
  const connector = createOAuth2Connector({
    ...config,
    http,
    pkce: true,
    refreshes: true,
    endpoints: () =>
      Promise.resolve({ authorization: `${base}/oauth/authorize`, token: `${base}/oauth/token`, issuer: base }),
    scopes: (asked) => [
      'read_user',
      ...(asksGroups(config, asked) ? ['openid'] : []),
      ...(asksGroups(config, asked) && config.inheritedGroups ? ['read_api'] : []),
    ],
    identify: ({ accessToken }, { scopes }) =>
      identify(config, { api: createUpstreamApi(http, accessToken), scopes, base }),
  });
  return {
    ...connector,
    tokenIdentity: {
      identify: (token, type) =>
        type.endsWith(':access_token')
          ? identifyHolder(config, { api: createUpstreamApi(http, token), scopes: ALL, base })
          : Promise.resolve({ kind: 'denied', reason: 'only access tokens of GitLab say who somebody is' }),
    },
  };
}

const ALL: ConnectorScopes = { groups: true, offlineAccess: false };

/** RFC 8693. A token that people gave to another application must not be worth anything here (RFC 9700 §4.12). */
async function identifyHolder(config: GitlabConfig, question: Question): Promise<LoginOutcome> {
  try {
    const info = asObject(await question.api.get(`${question.base}/oauth/token/info`));
    if (textOf(asObject(info['application']), 'uid') !== config.clientID)
      return { kind: 'denied', reason: 'the token is for another application' };
    return await identify(config, question);
  } catch (error) {
    if (error instanceof GrantGone) return { kind: 'denied', reason: error.message };
    throw error;
  }
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

async function readGroups(config: GitlabConfig, base: string, api: UpstreamApi): Promise<readonly string[]> {
  return config.inheritedGroups
    ? await readInheritedGroups(config, base, api)
    : await readDirectGroups(config, base, api);
}

/** GitLab's roles and what access they have at least (GitLab's members API). */
const ROLES = [
  ['owner', 50],
  ['maintainer', 40],
  ['developer', 30],
] as const;
const GUEST = 10;

/** Without a least access the list has public groups too, to which everybody could say they belong. */
async function readInheritedGroups(
  { getGroupsPermission }: GitlabConfig,
  base: string,
  api: UpstreamApi,
): Promise<readonly string[]> {
  const withAccess = async (least: number): Promise<readonly string[]> => {
    const first = `${base}/api/v4/groups?per_page=100&min_access_level=${least}`;
    const next = ({ headers }: UpstreamAnswer): string | undefined =>
      /^\d+$/.test(String(headers['x-next-page'])) ? `${first}&page=${String(headers['x-next-page'])}` : undefined;
    const pages = await api.pages(first, next);
    return pages.flatMap((page) => asObjects(page).map((group) => requireText(group, 'full_path')));
  };
  const groups = await withAccess(GUEST);
  if (!getGroupsPermission) return groups;
  const named = new Set<string>();
  const held: string[] = [];
  for (const [role, least] of ROLES) {
    const own = (await withAccess(least)).filter((group) => !named.has(group));
    for (const group of own) named.add(group);
    held.push(...own.map((group) => `${group}:${role}`));
  }
  return [...groups, ...held];
}

async function readDirectGroups(
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
