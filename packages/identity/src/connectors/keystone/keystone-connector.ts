/** Owns the connector `keystone`: names and passwords of OpenStack. */
import type { Secret } from '@kfctl/core';
import { secret, string } from '../../config/shape.ts';
import { object } from '../../config/object-shape.ts';
import type { Connector, ConnectorScopes, ConnectorType, Identity, LoginOutcome } from '../connector.ts';
import { text, withoutSlash, withUrls } from '../oauth2/oauth2-settings.ts';
import { createUpstreamHttp, upstreamFailed } from '../oauth2/upstream-http.ts';
import type { UpstreamAnswer, UpstreamHttp } from '../oauth2/upstream-http.ts';
import { asObject, asObjects, requireText, textOf } from '../oauth2/upstream-json.ts';

export interface KeystoneConfig {
  readonly keystoneHost: string;
  readonly domain: string;
  readonly keystoneUsername: string;
  readonly keystonePassword: Secret;
}

export const keystone: ConnectorType<KeystoneConfig> = {
  type: 'keystone',
  schema: withUrls(
    object('OpenStack Keystone, version 3.', {
      keystoneHost: string('Its address.', { required: true }),
      domain: text('The domain of the people: an id, "default", or a name.', 'default'),
      keystoneUsername: string('A user that may read users and groups.', { required: true }),
      keystonePassword: secret('The password of that user.', { required: true }),
    }),
    'keystoneHost',
  ),
  open: (config) => Promise.resolve(createKeystoneConnector(config)),
};

interface Keystone {
  readonly config: KeystoneConfig;
  readonly http: UpstreamHttp;
  readonly base: string;
}

function createKeystoneConnector(config: KeystoneConfig): Connector {
  const http = createUpstreamHttp();
  const upstream = { config, http, base: `${withoutSlash(config.keystoneHost)}/v3` };
  return {
    password: {
      prompt: 'username',
      login: async ({ username, password }, scopes) => {
        if (username === '' || password === '') return { kind: 'denied', reason: 'empty name or password' };
        const answer = await authenticate(upstream, username, password);
        if (answer.status === 401) return { kind: 'denied', reason: 'wrong name or password' };
        const user = asObject(asObject(asObject(succeeded(upstream, answer).body)['token'])['user']);
        return await lookUp(upstream, { id: requireText(user, 'id'), scopes });
      },
    },
    refresh: { refresh: ({ identity }, scopes) => lookUp(upstream, { id: identity.userId, scopes }) },
    close: () => Promise.resolve(http.close()),
  };
}

function authenticate({ config, http, base }: Keystone, name: string, password: string): Promise<UpstreamAnswer> {
  const user = { name, password, domain: domainOf(config.domain) };
  const json = { auth: { identity: { methods: ['password'], password: { user } } } };
  return http.send({ url: `${base}/auth/tokens`, method: 'POST', json });
}

function domainOf(domain: string): Readonly<Record<string, string>> {
  const isId = domain === 'default' || /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(domain);
  return isId ? { id: domain } : { name: domain };
}

function succeeded({ base }: Keystone, answer: UpstreamAnswer): UpstreamAnswer {
  if (answer.status === 200 || answer.status === 201) return answer;
  throw upstreamFailed(base, `answered ${answer.status}`);
}

/** The person as the service user sees them now. */
async function lookUp(
  upstream: Keystone,
  { id, scopes }: { readonly id: string; readonly scopes: ConnectorScopes },
): Promise<LoginOutcome> {
  const { config, http, base } = upstream;
  const admin = succeeded(
    upstream,
    await authenticate(upstream, config.keystoneUsername, config.keystonePassword.reveal()),
  );
  const token = admin.headers['x-subject-token'];
  if (typeof token !== 'string') throw upstreamFailed(base, 'answered without a token');
  const get = (path: string): Promise<UpstreamAnswer> =>
    http.send({ url: base + path, headers: { 'x-auth-token': token } });
  const path = `/users/${encodeURIComponent(id)}`;
  const answer = await get(path);
  if (answer.status === 404) return { kind: 'denied', reason: 'user is gone' };
  const user = asObject(asObject(succeeded(upstream, answer).body)['user']);
  if (user['enabled'] === false) return { kind: 'denied', reason: 'account is disabled' };
  const groups = scopes.groups ? asObject(succeeded(upstream, await get(`${path}/groups`)).body)['groups'] : [];
  const identity: Identity = {
    userId: id,
    username: requireText(user, 'name'),
    preferredUsername: '',
    email: textOf(user, 'email'),
    // Whoever keeps the users wrote it; nobody confirmed it.
    emailVerified: false,
    groups: asObjects(groups).map((group) => requireText(group, 'name')),
  };
  return { kind: 'authenticated', identity };
}
