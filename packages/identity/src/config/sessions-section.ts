/** Owns the `sessions` section; its presence turns sessions on. */
import type { SessionsConfig } from './config.ts';
import { object } from './object-shape.ts';
import { boolean, duration, mapped, oneOf, optional, refine, secret, string } from './shape.ts';
import type { Shape } from './shape.ts';

const section = object(
  'Login sessions in the browser, so that the next application does not ask again. `sessions: {}` turns them on.',
  {
    cookieName: string('The name of the cookie.', { fallback: 'dex_session' }),
    absoluteLifetime: duration('A session ends this long after the login.', '24h'),
    validIfNotUsedFor: duration('A session ends when unused for this long; 0 means not before absoluteLifetime.', '1h'),
    rememberMeCheckedByDefault: boolean(
      'Whether "Remember me" on the login page is checked; unchecked, the session ends with the browser. Logins at another provider take this value.',
      true,
    ),
    cookieEncryptionKey: secret('Accepted for compatibility: the cookie holds a random token and nothing to encrypt.'),
    ssoSharedWithDefault: oneOf('Which other clients a session answers, where a client does not say (ssoSharedWith).', {
      values: ['none', 'all'],
      fallback: 'none',
    }),
  },
);

const checked = refine(section, (sessions, complain) => {
  if (!/^[A-Za-z][\w-]{0,63}$/.test(sessions.cookieName))
    complain('cookieName', 'is no name for a cookie', 'Use letters, digits, "-" and "_".');
  if (sessions.absoluteLifetime === 0) complain('absoluteLifetime', 'is zero', 'Write for example 24h.');
});

export const sessionsSection: Shape<SessionsConfig | undefined> = optional(
  mapped(checked, ({ cookieEncryptionKey: _unused, ...sessions }) => sessions),
);
