/** Owns the connector `github`. */
import { AppError } from '@kfctl/core';
import { IDENTITY_ERRORS } from '../../errors.ts';
import type { Connector, ConnectorScopes, ConnectorType, LoginOutcome } from '../connector.ts';
import { createOAuth2Connector } from '../oauth2/oauth2-connector.ts';
import { readAuthority } from '../oauth2/oauth2-settings.ts';
import { teamGroups } from '../oauth2/team-groups.ts';
import type { Membership } from '../oauth2/team-groups.ts';
import { createUpstreamApi } from '../oauth2/upstream-api.ts';
import type { UpstreamApi } from '../oauth2/upstream-api.ts';
import { createUpstreamHttp } from '../oauth2/upstream-http.ts';
import type { UpstreamAnswer } from '../oauth2/upstream-http.ts';
import { asObject, asObjects, requireText, textOf } from '../oauth2/upstream-json.ts';
import { githubSchema } from './github-config.ts';
import type { GithubConfig } from './github-config.ts';

export interface GithubPlaces {
  readonly web: string;
  readonly api: string;
}

export const github: ConnectorType<GithubConfig> = {
  type: 'github',
  schema: githubSchema,
  open: (config) => Promise.resolve(createGithubConnector(config, placesOf(config))),
};

function placesOf({ hostName }: GithubConfig): GithubPlaces {
  return hostName === ''
    ? { web: 'https://github.com', api: 'https://api.github.com' }
    : { web: `https://${hostName}`, api: `https://${hostName}/api/v3` };
}

export function createGithubConnector(config: GithubConfig, places: GithubPlaces): Connector {
  const http = createUpstreamHttp({ authorities: config.rootCA === '' ? [] : [readAuthority(config.rootCA)] });
  return createOAuth2Connector({
    ...config,
    http,
    pkce: true,
    refreshes: true,
    endpoints: () =>
      Promise.resolve({
        authorization: `${places.web}/login/oauth/authorize`,
        token: `${places.web}/login/oauth/access_token`,
      }),
    scopes: (asked) => ['user:email', ...(asksGroups(config, asked) ? ['read:org'] : [])],
    identify: ({ accessToken }, { scopes }) =>
      identify(config, places, { api: createUpstreamApi(http, accessToken), scopes }),
  });
}

function asksGroups({ org, orgs, loadAllGroups }: GithubConfig, { groups }: ConnectorScopes): boolean {
  return org !== '' || orgs.length > 0 || (groups && loadAllGroups);
}

interface Question {
  readonly api: UpstreamApi;
  readonly scopes: ConnectorScopes;
}

async function identify(config: GithubConfig, places: GithubPlaces, { api, scopes }: Question): Promise<LoginOutcome> {
  const user = asObject(await api.get(`${places.api}/user`));
  const login = requireText(user, 'login');
  const id = requireText(user, 'id');
  const identity = {
    userId: config.useLoginAsID ? login : id,
    username: textOf(user, 'name') || login,
    preferredUsername: login,
    email: await verifiedEmail(config, places, api),
    emailVerified: true,
    groups: [],
  };
  if (!asksGroups(config, scopes)) return { kind: 'authenticated', identity };
  const orgs = config.org === '' ? config.orgs : [{ name: config.org, teams: [] }];
  const wanted = orgs.map(({ name, teams }) => ({ org: name, teams }));
  return teamGroups(identity, await memberships(config, places, api), {
    wanted,
    all: config.loadAllGroups && scopes.groups,
  });
}

/** Addresses that were not verified could belong to anybody. */
async function verifiedEmail(
  { preferredEmailDomain }: GithubConfig,
  { api: base }: GithubPlaces,
  api: UpstreamApi,
): Promise<string> {
  const pages = await api.pages(`${base}/user/emails?per_page=100`, nextLink);
  const verified = pages.flatMap(asObjects).filter(({ verified }) => verified === true);
  const preferred = verified.find((entry) => isOfDomain(textOf(entry, 'email'), preferredEmailDomain));
  const email = textOf(preferred ?? verified.find(({ primary }) => primary === true) ?? {}, 'email');
  if (email === '') {
    throw new AppError(IDENTITY_ERRORS.connectorFailed, 'github: the person has no verified primary e-mail address');
  }
  return email;
}

function isOfDomain(email: string, wanted: string): boolean {
  if (wanted === '') return false;
  const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase();
  return wanted.startsWith('*.') ? domain.endsWith(wanted.slice(1).toLowerCase()) : domain === wanted.toLowerCase();
}

async function memberships(
  { teamNameField }: GithubConfig,
  { api: base }: GithubPlaces,
  api: UpstreamApi,
): Promise<readonly Membership[]> {
  const orgs = await api.pages(`${base}/user/orgs?per_page=100`, nextLink);
  const teams = await api.pages(`${base}/user/teams?per_page=100`, nextLink);
  return [
    ...orgs.flatMap(asObjects).map((org) => ({ org: requireText(org, 'login'), teams: [] })),
    ...teams.flatMap(asObjects).map((team) => {
      const names =
        teamNameField === 'both' ? [textOf(team, 'name'), textOf(team, 'slug')] : [textOf(team, teamNameField)];
      return { org: requireText(asObject(team['organization']), 'login'), teams: names };
    }),
  ];
}

/** RFC 8288: `<address>; rel="next"`. */
function nextLink({ headers }: UpstreamAnswer): string | undefined {
  const link = headers['link'];
  return typeof link === 'string' ? /<([^<>]{1,2000})>\s*;[^,<]{0,200}rel="next"/.exec(link)?.[1] : undefined;
}
