/** Owns the section about the token endpoint, out of the rows of its grants. */
import { CODE_GRANT } from './code-grant.ts';
import { OTHER_GRANTS } from './other-grants.ts';
import { REFRESH_GRANT } from './refresh-grant.ts';
import type { Section } from './row.ts';
import { TOKEN_ENDPOINT } from './token-endpoint.ts';

export const TOKENS: Section = {
  id: '2.9',
  title: 'The token endpoint',
  rows: [...TOKEN_ENDPOINT, ...CODE_GRANT, ...REFRESH_GRANT, ...OTHER_GRANTS],
};
