/** Owns the connector `gitea`, which serves Forgejo too. */
import { object } from '../../config/object-shape.ts';
import type { Connector, ConnectorScopes, ConnectorType, LoginOutcome } from '../connector.ts';
import { orgList } from '../github/github-config.ts';
import type { WantedOrg } from '../github/github-config.ts';
import { createOAuth2Connector } from '../oauth2/oauth2-connector.ts';
import { flag, oauth2Fields, text, withoutSlash, withUrls } from '../oauth2/oauth2-settings.ts';
import type { OAuth2Settings } from '../oauth2/oauth2-settings.ts';
import { teamGroups } from '../oauth2/team-groups.ts';
import type { Membership } from '../oauth2/team-groups.ts';
import { createUpstreamApi } from '../oauth2/upstream-api.ts';
import type { UpstreamApi } from '../oauth2/upstream-api.ts';
import { createUpstreamHttp } from '../oauth2/upstream-http.ts';
import { asObject, asObjects, requireText, textOf } from '../oauth2/upstream-json.ts';

export interface GiteaConfig extends OAuth2Settings {
  readonly baseURL: string;
  readonly orgs: readonly WantedOrg[];
  readonly loadAllGroups: boolean;
  readonly useLoginAsID: boolean;
}

export const gitea: ConnectorType<GiteaConfig> = {
  type: 'gitea',
  schema: withUrls(
    object('Gitea.', {
      ...oauth2Fields,
      baseURL: text('The address of the server.', 'https://gitea.com'),
      orgs: orgList,
      loadAllGroups: flag('All organizations and teams of the person become groups.'),
      useLoginAsID: flag('The login name is the id, not the number. People can change it: do not use it.'),
    }),
    'baseURL',
    'redirectURI',
  ),
  open: (config) => Promise.resolve(createGiteaConnector(config)),
};

function createGiteaConnector(config: GiteaConfig): Connector {
  const base = withoutSlash(config.baseURL);
  const http = createUpstreamHttp();
  return createOAuth2Connector({
    ...config,
    http,
    pkce: true,
    refreshes: true,
    endpoints: () =>
      Promise.resolve({ authorization: `${base}/login/oauth/authorize`, token: `${base}/login/oauth/access_token` }),
    scopes: () => [],
    identify: ({ accessToken }, { scopes }) =>
      identify(config, `${base}/api/v1`, { api: createUpstreamApi(http, accessToken), scopes }),
  });
}

interface Question {
  readonly api: UpstreamApi;
  readonly scopes: ConnectorScopes;
}

async function identify(config: GiteaConfig, base: string, { api, scopes }: Question): Promise<LoginOutcome> {
  const user = asObject(await api.get(`${base}/user`));
  const login = textOf(user, 'login') || requireText(user, 'username');
  const id = requireText(user, 'id');
  const email = requireText(user, 'email');
  const identity = {
    userId: config.useLoginAsID ? login : id,
    username: textOf(user, 'full_name') || login,
    preferredUsername: login,
    email,
    emailVerified: await isVerified(api, base, email),
    groups: [],
  };
  if (config.orgs.length === 0 && !(scopes.groups && config.loadAllGroups)) return { kind: 'authenticated', identity };
  const wanted = config.orgs.map(({ name, teams }) => ({ org: name, teams }));
  return teamGroups(identity, await memberships(api, base), { wanted, all: scopes.groups && config.loadAllGroups });
}

// A server that does not say has not verified.
async function isVerified(api: UpstreamApi, base: string, email: string): Promise<boolean> {
  const answer = await api.ask({ url: `${base}/user/emails` });
  if (answer.status !== 200) return false;
  return asObjects(answer.body).some((entry) => textOf(entry, 'email') === email && entry['verified'] === true);
}

const PAGE = 50;
const MAX_PAGES = 50;

async function memberships(api: UpstreamApi, base: string): Promise<readonly Membership[]> {
  const orgs = await numbered(api, `${base}/user/orgs`);
  const teams = await numbered(api, `${base}/user/teams`);
  return [
    ...orgs.map((org) => ({ org: nameOf(org), teams: [] })),
    ...teams.map((team) => ({ org: nameOf(asObject(team['organization'])), teams: [requireText(team, 'name')] })),
  ];
}

// Newer servers say `name` where older ones say `username`.
function nameOf(org: ReturnType<typeof asObject>): string {
  return textOf(org, 'name') || requireText(org, 'username');
}

async function numbered(api: UpstreamApi, url: string): Promise<ReturnType<typeof asObjects>> {
  const all: ReturnType<typeof asObject>[] = [];
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const items = asObjects(await api.get(`${url}?limit=${PAGE}&page=${page}`));
    all.push(...items);
    if (items.length < PAGE) break;
  }
  return all;
}
