/** Owns the settings of the connector `microsoft`: Dex's keys. */
import { object } from '../../config/object-shape.ts';
import { oneOf, refine, secret } from '../../config/shape.ts';
import type { Shape } from '../../config/shape.ts';
import { flag, oauth2Fields, text, texts, withUrls } from '../oauth2/oauth2-settings.ts';
import type { OAuth2Settings } from '../oauth2/oauth2-settings.ts';

export interface MicrosoftConfig extends OAuth2Settings {
  readonly clientAssertion: string;
  readonly tenant: string;
  readonly onlySecurityGroups: boolean;
  readonly groups: readonly string[];
  readonly groupNameFormat: 'name' | 'id';
  readonly useGroupsAsWhitelist: boolean;
  readonly emailToLowercase: boolean;
  readonly apiURL: string;
  readonly graphURL: string;
  readonly promptType: string;
  readonly domainHint: string;
  readonly scopes: readonly string[];
  readonly batchGroupLookups: boolean;
  readonly preferredUsernameField: '' | 'name' | 'email' | 'mailNickname' | 'onPremisesSamAccountName';
}

export const microsoftSchema: Shape<MicrosoftConfig> = refine(
  withUrls(
    object('Microsoft Entra ID (Azure AD) or personal accounts.', {
      ...oauth2Fields,
      clientSecret: secret('The client secret; not with clientAssertion.'),
      clientAssertion: text('A file with a token that stands in for the secret (workload identity).'),
      tenant: text('The tenant, or common, organizations, consumers.', 'common'),
      onlySecurityGroups: flag('Only security groups.'),
      groups: texts('Only members of one of these may log in.'),
      groupNameFormat: oneOf('What a group is called.', { values: ['name', 'id'], fallback: 'name' }),
      useGroupsAsWhitelist: flag('Of the groups, only those of the list are told to clients.'),
      emailToLowercase: flag('Write addresses in lower case.'),
      apiURL: text('Where people log in.', 'https://login.microsoftonline.com'),
      graphURL: text('Where people and groups are asked for.', 'https://graph.microsoft.com'),
      promptType: text('prompt of the login there.'),
      domainHint: text('domain_hint of the login there.'),
      scopes: texts('Scopes asked for.', ['user.read']),
      batchGroupLookups: flag('Accepted for compatibility: groups are asked for in pages of many.'),
      preferredUsernameField: oneOf('What becomes the login name.', {
        values: ['', 'name', 'email', 'mailNickname', 'onPremisesSamAccountName'],
        fallback: '',
      }),
    }),
    'apiURL',
    'graphURL',
    'redirectURI',
  ),
  ({ clientSecret, clientAssertion, groups, tenant }, complain) => {
    if ((clientSecret.reveal() === '') === (clientAssertion === ''))
      complain('clientSecret', 'or clientAssertion is needed, exactly one of them', 'Set one.');
    if (!/^[\w.-]+$/.test(tenant)) complain('tenant', 'is not a tenant', 'Write its id or its domain.');
    if (groups.length > 0 && !isRealTenant(tenant))
      complain('groups', 'need a tenant', 'Set tenant to your own: the common ones tell no groups.');
  },
);

/** Groups belong to a tenant; the common ones have none. */
export function isRealTenant(tenant: string): boolean {
  return !['common', 'organizations', 'consumers'].includes(tenant);
}
