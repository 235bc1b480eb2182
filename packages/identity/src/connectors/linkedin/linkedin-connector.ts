/** Owns the connector `linkedin`. */
import { object } from '../../config/object-shape.ts';
import type { Connector, ConnectorType, LoginOutcome } from '../connector.ts';
import { createOAuth2Connector } from '../oauth2/oauth2-connector.ts';
import { oauth2Fields, withUrls } from '../oauth2/oauth2-settings.ts';
import type { OAuth2Settings } from '../oauth2/oauth2-settings.ts';
import { createUpstreamApi } from '../oauth2/upstream-api.ts';
import type { UpstreamApi } from '../oauth2/upstream-api.ts';
import { createUpstreamHttp } from '../oauth2/upstream-http.ts';
import { asObject, asObjects, requireText, textOf } from '../oauth2/upstream-json.ts';

export interface LinkedinPlaces {
  readonly web: string;
  readonly api: string;
}

const LINKEDIN: LinkedinPlaces = { web: 'https://www.linkedin.com', api: 'https://api.linkedin.com' };

export const linkedin: ConnectorType<OAuth2Settings> = {
  type: 'linkedin',
  schema: withUrls(
    object('LinkedIn, for clients with the permissions r_liteprofile and r_emailaddress.', oauth2Fields),
    'redirectURI',
  ),
  open: (config) => Promise.resolve(createLinkedinConnector(config, LINKEDIN)),
};

export function createLinkedinConnector(config: OAuth2Settings, { web, api }: LinkedinPlaces): Connector {
  const http = createUpstreamHttp();
  return createOAuth2Connector({
    ...config,
    http,
    // It has PKCE at other addresses, for native clients only.
    pkce: false,
    refreshes: true,
    endpoints: () =>
      Promise.resolve({ authorization: `${web}/oauth/v2/authorization`, token: `${web}/oauth/v2/accessToken` }),
    scopes: () => ['r_liteprofile', 'r_emailaddress'],
    identify: ({ accessToken }) => identify(createUpstreamApi(http, accessToken), api),
  });
}

async function identify(api: UpstreamApi, base: string): Promise<LoginOutcome> {
  const profile = asObject(await api.get(`${base}/v2/me`));
  const found = asObject(await api.get(`${base}/v2/emailAddress?q=members&projection=(elements*(handle~))`));
  const email = requireText(asObject(asObjects(found['elements'])[0]?.['handle~']), 'emailAddress');
  const name = [textOf(profile, 'localizedFirstName'), textOf(profile, 'localizedLastName')].filter(
    (part) => part !== '',
  );
  const identity = {
    userId: requireText(profile, 'id'),
    username: name.join(' ') || email,
    preferredUsername: '',
    email,
    // An address is the primary one only after it was confirmed there.
    emailVerified: true,
    groups: [],
  };
  return { kind: 'authenticated', identity };
}
