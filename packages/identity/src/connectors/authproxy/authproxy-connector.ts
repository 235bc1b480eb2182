/** Owns the connector `authproxy`: a proxy in front of `/callback/<id>` has logged the person in and says so in headers. */
import { object } from '../../config/object-shape.ts';
import type { CallbackFinish, Connector, ConnectorDeps, ConnectorType, LoginOutcome } from '../connector.ts';
import { text, texts } from '../oauth2/oauth2-settings.ts';

export interface AuthproxyConfig {
  readonly userIDHeader: string;
  readonly userHeader: string;
  readonly userNameHeader: string;
  readonly emailHeader: string;
  readonly groupHeader: string;
  readonly groupHeaderSeparator: string;
  readonly staticGroups: readonly string[];
}

export const authproxy: ConnectorType<AuthproxyConfig> = {
  type: 'authproxy',
  schema: object('A proxy that logs people in.', {
    userIDHeader: text('The header with the id; the user stands in for it.', 'X-Remote-User-Id'),
    userHeader: text('The header with the user; it must be there.', 'X-Remote-User'),
    userNameHeader: text('The header with the name; the user stands in for it.', 'X-Remote-User-Name'),
    emailHeader: text('The header with the address; the user stands in for it.', 'X-Remote-User-Email'),
    groupHeader: text('The header with the groups.', 'X-Remote-Group'),
    groupHeaderSeparator: text('What stands between groups.', ','),
    staticGroups: texts('Groups that everybody has who comes this way.'),
  }),
  open: (config, deps) => Promise.resolve(createAuthproxyConnector(config, deps)),
};

export function createAuthproxyConnector(
  config: AuthproxyConfig,
  { callbackPath, id }: Pick<ConnectorDeps, 'callbackPath' | 'id'>,
): Connector {
  const guarded = `${callbackPath}/${encodeURIComponent(id)}`;
  return {
    callback: {
      begin: ({ seal }) =>
        Promise.resolve({ location: `${guarded}?${new URLSearchParams({ state: seal({}) }).toString()}` }),
      finish: (request) => Promise.resolve(readHeaders(config, request)),
    },
  };
}

function readHeaders(config: AuthproxyConfig, { headers, ownPath }: CallbackFinish): LoginOutcome {
  // `/callback` is open to everybody; only the connector's own path is what the proxy guards.
  if (!ownPath) return { kind: 'denied', reason: 'not on the path that the proxy guards' };
  const read = (name: string): string => {
    const value = headers[name.toLowerCase()];
    return (typeof value === 'string' ? value : (value?.join(config.groupHeaderSeparator) ?? '')).trim();
  };
  const user = read(config.userHeader);
  if (user === '') return { kind: 'denied', reason: `the proxy sent no ${config.userHeader}` };
  const { groupHeaderSeparator: separator } = config;
  const groups = separator === '' ? [read(config.groupHeader)] : read(config.groupHeader).split(separator);
  const identity = {
    userId: read(config.userIDHeader) || user,
    username: read(config.userNameHeader) || user,
    preferredUsername: user,
    email: read(config.emailHeader) || user,
    emailVerified: true,
    groups: [...groups.map((group) => group.trim()).filter((group) => group !== ''), ...config.staticGroups],
  };
  return { kind: 'authenticated', identity };
}
