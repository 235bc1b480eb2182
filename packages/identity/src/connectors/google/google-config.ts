/** Owns the settings of the connector `google`: Dex's keys. */
import { boolean, optional, refine, string } from '../../config/shape.ts';
import type { Shape } from '../../config/shape.ts';
import { object, stringMap } from '../../config/object-shape.ts';
import { oauth2Fields, text, texts, withUrls } from '../oauth2/oauth2-settings.ts';
import type { OAuth2Settings } from '../oauth2/oauth2-settings.ts';

export interface GoogleConfig extends OAuth2Settings {
  readonly scopes: readonly string[];
  readonly hostedDomains: readonly string[];
  readonly groups: readonly string[];
  readonly serviceAccountFilePath: string;
  readonly adminEmail: string;
  readonly domainToAdminEmail: Readonly<Record<string, string>>;
  readonly fetchTransitiveGroupMembership: boolean;
  readonly promptType: string | undefined;
}

export const googleSchema: Shape<GoogleConfig> = refine(
  withUrls(
    object('Google.', {
      ...oauth2Fields,
      scopes: texts('Scopes asked for besides openid.', ['profile', 'email']),
      hostedDomains: texts('Only people of these Workspace domains may log in.'),
      groups: texts('Only members of one of these (addresses) may log in.'),
      serviceAccountFilePath: text('The key file of a service account that may read groups.'),
      adminEmail: text('The administrator it acts for (old form of domainToAdminEmail).'),
      domainToAdminEmail: stringMap('The administrator it acts for, by domain; "*" for all others.'),
      fetchTransitiveGroupMembership: boolean('Also the groups that hold those groups.'),
      promptType: optional(string('prompt for offline access; consent unless given.')),
    }),
    'redirectURI',
  ),
  ({ groups, serviceAccountFilePath, adminEmail, domainToAdminEmail }, complain) => {
    const admins = adminEmail !== '' || Object.keys(domainToAdminEmail).length > 0;
    if (groups.length > 0 && serviceAccountFilePath === '')
      complain('groups', 'need serviceAccountFilePath', 'Groups are read by a service account.');
    if (serviceAccountFilePath !== '' && !admins)
      complain('serviceAccountFilePath', 'needs domainToAdminEmail', 'Name the administrator it acts for.');
  },
);
