/** Owns the list of sections whose facts other tests hold. */
import { ADVISORIES } from './advisories.ts';
import { BASIC_PROFILE } from './basic-profile.ts';
import { CONNECTORS } from './connectors.ts';
import { DEX_TESTS } from './dex-tests.ts';
import { ENDPOINT_ATTACKS } from './endpoint-attacks.ts';
import { LDAP_GROUPS, LDAP_LOGIN, LDAP_OPTIONS, LDAP_REFRESH } from './ldap-connector.ts';
import { LDAP_OUTCOMES, LDAP_SCENARIOS, LDAP_SERVER } from './ldap.ts';
import type { Section } from './row.ts';
import { WISHES } from './wishes.ts';

export const HELD_SECTIONS: readonly Section[] = [
  LDAP_OPTIONS,
  LDAP_LOGIN,
  LDAP_GROUPS,
  LDAP_REFRESH,
  LDAP_OUTCOMES,
  LDAP_SCENARIOS,
  LDAP_SERVER,
  CONNECTORS,
  DEX_TESTS,
  BASIC_PROFILE,
  WISHES,
  ADVISORIES,
  ENDPOINT_ATTACKS,
];
