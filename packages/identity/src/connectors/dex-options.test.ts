/** Every option that Dex knows is known here, and no other is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../config/parse-config.ts';
import type { Shape } from '../config/shape.ts';
import { CONNECTOR_TYPES } from './registry.ts';

const CLIENT = 'clientID clientSecret redirectURI';
/** Dex 2.45 and its default branch; `a.b` is b inside a. */
const OPTIONS: Readonly<Record<string, string>> = {
  ldap: `host insecureNoSSL insecureSkipVerify startTLS rootCA rootCAData clientCert clientKey bindDN bindPW usernamePrompt
    userSearch.baseDN userSearch.filter userSearch.username userSearch.scope userSearch.idAttr userSearch.emailAttr userSearch.nameAttr
    userSearch.preferredUsernameAttr userSearch.emailSuffix groupSearch.baseDN groupSearch.filter groupSearch.scope groupSearch.nameAttr
    groupSearch.userAttr groupSearch.groupAttr groupSearch.recursionGroupAttr groupSearch.userMatchers.userAttr
    groupSearch.userMatchers.groupAttr groupSearch.userMatchers.recursionGroupAttr kerberos.enabled kerberos.keytabPath kerberos.spn
    kerberos.keytabPrincipal kerberos.maxClockSkew kerberos.expectedRealm kerberos.usernameFromPrincipal kerberos.fallbackToPassword`,
  oidc: `${CLIENT} issuer issuerAlias providerDiscoveryOverrides.tokenURL providerDiscoveryOverrides.authURL
    providerDiscoveryOverrides.jwksURL providerDiscoveryOverrides.userInfoURL providerDiscoveryOverrides.deviceAuthURL
    providerDiscoveryOverrides.endSessionURL basicAuthUnsupported scopes hostedDomains rootCAs insecureSkipVerify
    insecureSkipEmailVerified insecureEnableGroups allowedGroups acrValues getUserInfo userIDKey userNameKey promptType pkceChallenge
    overrideClaimMapping claimMapping.preferred_username claimMapping.email claimMapping.groups
    claimModifications.newGroupFromClaims.claims claimModifications.newGroupFromClaims.delimiter
    claimModifications.newGroupFromClaims.clearDelimiter claimModifications.newGroupFromClaims.prefix
    claimModifications.filterGroupClaims.groupsFilter claimModifications.modifyGroupNames.prefix
    claimModifications.modifyGroupNames.suffix`,
  google: `${CLIENT} scopes hostedDomains groups serviceAccountFilePath domainToAdminEmail adminEmail fetchTransitiveGroupMembership promptType`,
  github: `${CLIENT} org orgs.name orgs.teams hostName rootCA teamNameField loadAllGroups useLoginAsID preferredEmailDomain`,
  gitlab: `${CLIENT} baseURL groups useLoginAsID getGroupsPermission inheritedGroups rootCAData`,
  microsoft: `${CLIENT} clientAssertion tenant onlySecurityGroups groups groupNameFormat useGroupsAsWhitelist emailToLowercase apiURL
    graphURL promptType domainHint scopes preferredUsernameField batchGroupLookups`,
  saml: `ssoURL redirectURI ca caData insecureSkipSignatureValidation usernameAttr emailAttr groupsAttr groupsDelim allowedGroups
    filterGroups entityIssuer ssoIssuer nameIDPolicyFormat`,
  oauth: `${CLIENT} tokenURL authorizationURL userInfoURL scopes rootCAs insecureSkipVerify userIDKey claimMapping.userNameKey
    claimMapping.preferredUsernameKey claimMapping.groupsKey claimMapping.emailKey claimMapping.emailVerifiedKey`,
  linkedin: CLIENT,
  'bitbucket-cloud': `${CLIENT} teams getWorkspacePermissions includeTeamGroups`,
  gitea: `${CLIENT} baseURL orgs.name orgs.teams loadAllGroups useLoginAsID`,
  openshift: `${CLIENT} issuer groups insecureCA rootCA`,
  keystone: 'keystoneHost domain keystoneUsername keystonePassword',
  'atlassian-crowd': 'baseURL clientID clientSecret groups preferredUsernameField usernamePrompt',
  authproxy: 'userIDHeader userHeader userNameHeader emailHeader groupHeader groupHeaderSeparator staticGroups',
  mockCallback: '',
  mockPassword: 'username password',
};

function isKnown(shape: Shape<unknown>, option: string): boolean {
  let fields = shape.fields;
  for (const key of option.split('.')) {
    if (fields === undefined || !Object.hasOwn(fields, key)) return false;
    fields = fields[key]?.fields;
  }
  return true;
}

for (const [type, options] of Object.entries(OPTIONS)) {
  test(`${type}: every option of Dex is known`, async () => {
    const schema = (await CONNECTOR_TYPES[type]?.())?.schema;
    assert.ok(schema);
    const unknown = options.split(/\s+/).filter((option) => option !== '' && !isKnown(schema, option));
    assert.deepEqual(unknown, []);
  });

  test(`${type}: an option that nobody knows is a mistake with its line`, async () => {
    const text = (config: string): string =>
      `issuer: http://x/dex\nstorage: {type: memory}\nweb: {http: "0:1"}\nconnectors:\n- {type: ${type}, id: a, name: A, config: {${config}}}\n`;
    const wrong = text('allowdGroups: [a]');
    const { problems } = await parseConfig(wrong, {});
    const found = problems.find(({ path }) => path === 'connectors[0].config.allowdGroups');
    assert.match(found?.message ?? '', /is not a key that is known here$/);
    assert.equal(found?.offset, wrong.indexOf('allowdGroups'));
    // Dex's own switch, said to be off, takes it as Dex does.
    const lenient = await parseConfig(wrong, { DEX_CONFIG_DISALLOW_UNKNOWN_FIELDS: 'false' });
    assert.ok(lenient.warnings.some(({ path }) => path === 'connectors[0].config.allowdGroups'));
    assert.ok(!lenient.problems.some(({ path }) => path === 'connectors[0].config.allowdGroups'));
  });
}

test('the table has every type', () => {
  assert.deepEqual(
    Object.keys(CONNECTOR_TYPES)
      .filter((type) => type !== 'samlExperimental')
      .toSorted(),
    Object.keys(OPTIONS).toSorted(),
  );
});
