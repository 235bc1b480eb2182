/** Owns the connector `microsoft`. */
import { readFileSync } from 'node:fs';
import type { Connector, ConnectorScopes, ConnectorType, Identity, LoginOutcome } from '../connector.ts';
import { admit } from '../oauth2/groups.ts';
import { createOAuth2Connector } from '../oauth2/oauth2-connector.ts';
import { withoutSlash } from '../oauth2/oauth2-settings.ts';
import { createUpstreamApi } from '../oauth2/upstream-api.ts';
import type { UpstreamApi } from '../oauth2/upstream-api.ts';
import { createUpstreamHttp } from '../oauth2/upstream-http.ts';
import { asObject, asObjects, asTexts, requireText, textOf } from '../oauth2/upstream-json.ts';
import type { JsonObject } from '../oauth2/upstream-json.ts';
import { isRealTenant, microsoftSchema } from './microsoft-config.ts';
import type { MicrosoftConfig } from './microsoft-config.ts';

export const microsoft: ConnectorType<MicrosoftConfig> = {
  type: 'microsoft',
  schema: microsoftSchema,
  open: (config) => Promise.resolve(createMicrosoftConnector(config)),
};

function createMicrosoftConnector(config: MicrosoftConfig): Connector {
  const login = `${withoutSlash(config.apiURL)}/${config.tenant}/oauth2/v2.0`;
  const http = createUpstreamHttp();
  const { clientAssertion, promptType, domainHint } = config;
  return createOAuth2Connector({
    ...config,
    http,
    pkce: true,
    refreshes: true,
    endpoints: () => Promise.resolve({ authorization: `${login}/authorize`, token: `${login}/token` }),
    ...(clientAssertion === '' ? {} : { tokenParameters: () => readAssertion(clientAssertion) }),
    scopes: (asked) => [
      ...config.scopes,
      ...(asksGroups(config, asked) ? ['directory.read.all'] : []),
      ...(asked.offlineAccess ? ['offline_access'] : []),
    ],
    authorizationParameters: () => ({ prompt: promptType, domain_hint: domainHint }),
    identify: ({ accessToken }, { scopes }) => identify(config, createUpstreamApi(http, accessToken), scopes),
  });
}

// The file is renewed by the platform, so it is read each time.
function readAssertion(file: string): Readonly<Record<string, string>> {
  const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  return { client_assertion_type: type, client_assertion: readFileSync(file, 'utf8').trim() };
}

function asksGroups({ tenant, groups }: MicrosoftConfig, asked: ConnectorScopes): boolean {
  return isRealTenant(tenant) && (asked.groups || groups.length > 0);
}

const FIELDS = 'id,displayName,userPrincipalName,mailNickname,onPremisesSamAccountName,accountEnabled';

async function identify(config: MicrosoftConfig, api: UpstreamApi, scopes: ConnectorScopes): Promise<LoginOutcome> {
  const graph = `${withoutSlash(config.graphURL)}/v1.0`;
  const user = asObject(await api.get(`${graph}/me?$select=${FIELDS}`));
  if (user['accountEnabled'] === false) return { kind: 'denied', reason: 'the account is disabled' };
  // The principal name is of a domain that the tenant has proven; the `mail` attribute is whatever somebody wrote there.
  const name = requireText(user, 'userPrincipalName');
  const email = config.emailToLowercase ? name.toLowerCase() : name;
  const identity: Identity = {
    userId: requireText(user, 'id'),
    username: textOf(user, 'displayName') || name,
    preferredUsername: preferredUsername(config, user, email),
    email,
    emailVerified: true,
    groups: asksGroups(config, scopes) ? await readGroups(config, graph, api) : [],
  };
  return admit(identity, config.groups, config.useGroupsAsWhitelist ? 'wanted' : 'all');
}

function preferredUsername(
  { preferredUsernameField: field }: MicrosoftConfig,
  user: JsonObject,
  email: string,
): string {
  if (field === '') return '';
  return field === 'email' ? email : textOf(user, field === 'name' ? 'displayName' : field);
}

const MAX_IDS_PER_QUESTION = 1000;

async function readGroups(config: MicrosoftConfig, graph: string, api: UpstreamApi): Promise<readonly string[]> {
  const { onlySecurityGroups: securityEnabledOnly, groupNameFormat } = config;
  const answer = asObject(await api.post(`${graph}/me/getMemberGroups`, { securityEnabledOnly }));
  const ids = asTexts(answer['value']);
  if (groupNameFormat === 'id') return ids;
  const names: string[] = [];
  for (let start = 0; start < ids.length; start += MAX_IDS_PER_QUESTION) {
    const asked = ids.slice(start, start + MAX_IDS_PER_QUESTION);
    const found = asObject(await api.post(`${graph}/directoryObjects/getByIds`, { ids: asked, types: ['group'] }));
    names.push(...asObjects(found['value']).map((group) => textOf(group, 'displayName')));
  }
  return names.filter((name) => name !== '');
}
