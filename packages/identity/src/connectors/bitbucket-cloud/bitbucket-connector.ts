/** Owns the connector `bitbucket-cloud`. */
import { AppError } from '@kfctl/core';
import { object } from '../../config/object-shape.ts';
import { IDENTITY_ERRORS } from '../../errors.ts';
import type { Connector, ConnectorScopes, ConnectorType, LoginOutcome } from '../connector.ts';
import { admit } from '../oauth2/groups.ts';
import { createOAuth2Connector } from '../oauth2/oauth2-connector.ts';
import { flag, oauth2Fields, texts, withUrls } from '../oauth2/oauth2-settings.ts';
import type { OAuth2Settings } from '../oauth2/oauth2-settings.ts';
import { createUpstreamApi } from '../oauth2/upstream-api.ts';
import type { UpstreamApi } from '../oauth2/upstream-api.ts';
import { createUpstreamHttp } from '../oauth2/upstream-http.ts';
import { asObject, asObjects, requireText, textOf } from '../oauth2/upstream-json.ts';
import type { JsonObject } from '../oauth2/upstream-json.ts';

export interface BitbucketConfig extends OAuth2Settings {
  readonly teams: readonly string[];
  readonly getWorkspacePermissions: boolean;
  readonly includeTeamGroups: boolean;
}

export interface BitbucketPlaces {
  readonly web: string;
  readonly api: string;
}

const BITBUCKET: BitbucketPlaces = { web: 'https://bitbucket.org', api: 'https://api.bitbucket.org/2.0' };

export const bitbucketCloud: ConnectorType<BitbucketConfig> = {
  type: 'bitbucket-cloud',
  schema: withUrls(
    object('Bitbucket Cloud.', {
      ...oauth2Fields,
      teams: texts('Only members of one of these workspaces may log in.'),
      getWorkspacePermissions: flag('Also workspace:owner, workspace:collaborator and workspace:member.'),
      includeTeamGroups: flag('Accepted for compatibility; Bitbucket has withdrawn what it asked for.'),
    }),
    'redirectURI',
  ),
  open: (config) => Promise.resolve(createBitbucketConnector(config, BITBUCKET)),
};

export function createBitbucketConnector(config: BitbucketConfig, places: BitbucketPlaces): Connector {
  const http = createUpstreamHttp();
  return createOAuth2Connector({
    ...config,
    http,
    authentication: 'basic',
    pkce: false,
    refreshes: true,
    endpoints: () =>
      Promise.resolve({
        authorization: `${places.web}/site/oauth2/authorize`,
        token: `${places.web}/site/oauth2/access_token`,
      }),
    scopes: (asked) => ['account', 'email', ...(asksGroups(config, asked) ? ['team'] : [])],
    identify: ({ accessToken }, { scopes }) =>
      identify(config, places.api, { api: createUpstreamApi(http, accessToken), scopes }),
  });
}

function asksGroups({ teams }: BitbucketConfig, asked: ConnectorScopes): boolean {
  return asked.groups || teams.length > 0;
}

interface Question {
  readonly api: UpstreamApi;
  readonly scopes: ConnectorScopes;
}

async function identify(config: BitbucketConfig, base: string, { api, scopes }: Question): Promise<LoginOutcome> {
  const user = asObject(await api.get(`${base}/user`));
  const login = textOf(user, 'username') || textOf(user, 'nickname');
  const identity = {
    userId: requireText(user, 'uuid'),
    username: textOf(user, 'display_name') || login,
    preferredUsername: login,
    email: await confirmedEmail(api, base),
    emailVerified: true,
    groups: asksGroups(config, scopes) ? await workspaces(config, base, api) : [],
  };
  return admit(identity, config.teams, 'wanted');
}

async function confirmedEmail(api: UpstreamApi, base: string): Promise<string> {
  const all = await values(api, `${base}/user/emails?pagelen=100`);
  const email = textOf(
    all.find((entry) => entry['is_primary'] === true && entry['is_confirmed'] === true) ?? {},
    'email',
  );
  if (email !== '') return email;
  throw new AppError(
    IDENTITY_ERRORS.connectorFailed,
    'bitbucket-cloud: the person has no confirmed primary e-mail address',
  );
}

async function workspaces(
  { getWorkspacePermissions }: BitbucketConfig,
  base: string,
  api: UpstreamApi,
): Promise<readonly string[]> {
  const held = await values(api, `${base}/user/permissions/workspaces?pagelen=100`);
  return held.flatMap((entry) => {
    const slug = requireText(asObject(entry['workspace']), 'slug');
    const permission = textOf(entry, 'permission');
    return getWorkspacePermissions && permission !== '' ? [slug, `${slug}:${permission}`] : [slug];
  });
}

async function values(api: UpstreamApi, url: string): Promise<readonly JsonObject[]> {
  const pages = await api.pages(url, ({ body }) => textOf(asObject(body), 'next'));
  return pages.flatMap((page) => asObjects(asObject(page)['values']));
}
