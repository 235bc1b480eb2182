/** Owns the list of all sections, in the order of the reference. */
import { ANSWERS } from './answers.ts';
import { APPROVAL } from './approval.ts';
import { AUTHORIZE } from './authorize.ts';
import { CALLBACKS } from './callbacks.ts';
import { CLAIMS } from './claims.ts';
import { DEVICES } from './device.ts';
import { DISCOVERY } from './discovery.ts';
import { HEADERS } from './headers.ts';
import { HELD_SECTIONS } from './held-sections.ts';
import { INTROSPECTION } from './introspection.ts';
import { KEYS } from './keys.ts';
import { LOGIN_PAGE } from './login-page.ts';
import { LOGOUT } from './logout.ts';
import { MANAGEMENT_API } from './management-api.ts';
import { PARSING } from './parsing.ts';
import { PROCESS } from './process.ts';
import { ROUTING } from './routing.ts';
import type { Section } from './row.ts';
import { SETTINGS } from './settings.ts';
import { TOKENS } from './tokens.ts';
import { USERINFO } from './userinfo.ts';
import { VALIDATION } from './validation.ts';

/** The sections, by the test file that proves them. */
export const SECTIONS_BY_FILE: Readonly<Record<string, readonly Section[]>> = {
  'settings.test.ts': [PROCESS, PARSING, VALIDATION, SETTINGS],
  'pages.test.ts': [ROUTING, DISCOVERY, KEYS, HEADERS],
  'login.test.ts': [AUTHORIZE, LOGIN_PAGE, APPROVAL, ANSWERS, CALLBACKS],
  'held.test.ts': HELD_SECTIONS,
  'logout.test.ts': [LOGOUT, MANAGEMENT_API],
  'tokens.test.ts': [TOKENS, DEVICES, USERINFO, INTROSPECTION, CLAIMS],
};

export const SECTIONS: readonly Section[] = Object.values(SECTIONS_BY_FILE)
  .flat()
  .toSorted((left, right) => order(left.id) - order(right.id));

function order(id: string): number {
  const [chapter = '', number = ''] = id.split('.');
  return Number(chapter) * 100 + Number(number);
}
