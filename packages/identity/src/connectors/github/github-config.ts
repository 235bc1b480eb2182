/** Owns the settings of the connector `github`: Dex's keys. */
import { object } from '../../config/object-shape.ts';
import { listOf, oneOf, refine, string } from '../../config/shape.ts';
import type { Shape } from '../../config/shape.ts';
import { flag, oauth2Fields, text, texts } from '../oauth2/oauth2-settings.ts';
import type { OAuth2Settings } from '../oauth2/oauth2-settings.ts';

export interface WantedOrg {
  readonly name: string;
  readonly teams: readonly string[];
}

export interface GithubConfig extends OAuth2Settings {
  readonly org: string;
  readonly orgs: readonly WantedOrg[];
  readonly hostName: string;
  readonly rootCA: string;
  readonly teamNameField: 'name' | 'slug' | 'both';
  readonly loadAllGroups: boolean;
  readonly useLoginAsID: boolean;
  readonly preferredEmailDomain: string;
}

export const orgList: Shape<readonly WantedOrg[]> = listOf(
  'Only members of these may log in; the groups are org:team.',
  object('An organization.', {
    name: string('Its name.', { required: true }),
    teams: texts('Only members of these teams of it.'),
  }),
);

export const githubSchema: Shape<GithubConfig> = refine(
  object('GitHub or GitHub Enterprise.', {
    ...oauth2Fields,
    org: text('Only members of this organization (old form of orgs).'),
    orgs: orgList,
    hostName: text('The host of a GitHub Enterprise server.'),
    rootCA: text('A file with the certificate authority of that server.'),
    teamNameField: oneOf('Which name of a team becomes the group.', {
      values: ['name', 'slug', 'both'],
      fallback: 'name',
    }),
    loadAllGroups: flag('All organizations and teams of the person become groups.'),
    useLoginAsID: flag('The login name is the id, not the number. People can change it: do not use it.'),
    preferredEmailDomain: text('Take a verified address of this domain; *.example.com takes subdomains.'),
  }),
  ({ rootCA, hostName, org, orgs, loadAllGroups }, complain) => {
    if (rootCA !== '' && hostName === '') complain('rootCA', 'is of no use without hostName', 'Set hostName.');
    if (/[/:@]/.test(hostName)) complain('hostName', 'is not a bare host name', 'Write git.example.com.');
    if (org !== '' && orgs.length > 0) complain('org', 'and orgs are both set', 'Keep orgs.');
    if (loadAllGroups && (org !== '' || orgs.length > 0))
      complain('loadAllGroups', 'and orgs are both set', 'Keep one of them.');
  },
);
