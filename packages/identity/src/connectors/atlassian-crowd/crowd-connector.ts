/** Owns the connector `atlassian-crowd`: names and passwords of Atlassian Crowd. */
import type { Secret } from '@kfctl/core';
import { oneOf, secret, string } from '../../config/shape.ts';
import { object } from '../../config/object-shape.ts';
import type { Authenticated, Connector, ConnectorScopes, ConnectorType, LoginOutcome } from '../connector.ts';
import { admit } from '../oauth2/groups.ts';
import { text, texts, withoutSlash, withUrls } from '../oauth2/oauth2-settings.ts';
import { createUpstreamHttp, upstreamFailed } from '../oauth2/upstream-http.ts';
import type { UpstreamAnswer } from '../oauth2/upstream-http.ts';
import { asObject, asObjects, requireText, textOf } from '../oauth2/upstream-json.ts';
import type { JsonObject } from '../oauth2/upstream-json.ts';

export interface CrowdConfig {
  readonly baseURL: string;
  readonly clientID: string;
  readonly clientSecret: Secret;
  readonly groups: readonly string[];
  readonly preferredUsernameField: '' | 'key' | 'name' | 'email';
  readonly usernamePrompt: string;
}

export const atlassianCrowd: ConnectorType<CrowdConfig> = {
  type: 'atlassian-crowd',
  schema: withUrls(
    object('Atlassian Crowd.', {
      baseURL: string('Its address, with /crowd.', { required: true }),
      clientID: string('The name of our application there.', { required: true }),
      clientSecret: secret('The password of our application there.', { required: true }),
      groups: texts('Only members of one of these may log in.'),
      preferredUsernameField: oneOf('What becomes the login name.', {
        values: ['', 'key', 'name', 'email'],
        fallback: '',
      }),
      usernamePrompt: text('The label of the name field.', 'Username'),
    }),
    'baseURL',
  ),
  open: (config) => Promise.resolve(createCrowdConnector(config)),
};

interface Crowd {
  readonly config: CrowdConfig;
  ask(path: string, query: Readonly<Record<string, string>>, json?: unknown): Promise<UpstreamAnswer>;
}

function createCrowdConnector(config: CrowdConfig): Connector {
  const http = createUpstreamHttp();
  const base = `${withoutSlash(config.baseURL)}/rest/usermanagement/1`;
  const proof = Buffer.from(`${config.clientID}:${config.clientSecret.reveal()}`).toString('base64');
  const crowd: Crowd = {
    config,
    ask: async (path, query, json) => {
      const url = `${base}${path}?${new URLSearchParams(query).toString()}`;
      const method = json === undefined ? 'GET' : 'POST';
      const answer = await http.send({ url, method, headers: { authorization: `Basic ${proof}` }, json });
      const isAnswer = answer.status === 200 || (answer.status === 400 && json !== undefined) || answer.status === 404;
      if (!isAnswer) throw upstreamFailed(url, `answered ${answer.status}`);
      return answer;
    },
  };
  return {
    password: { prompt: config.usernamePrompt, login: (credentials, scopes) => login(crowd, credentials, scopes) },
    refresh: { refresh: (known, scopes) => refresh(crowd, known, scopes) },
    close: () => Promise.resolve(http.close()),
  };
}

async function login(
  crowd: Crowd,
  { username, password }: { readonly username: string; readonly password: string },
  scopes: ConnectorScopes,
): Promise<LoginOutcome> {
  if (username === '' || password === '') return { kind: 'denied', reason: 'empty name or password' };
  const { status, body } = await crowd.ask('/authentication', { username }, { value: password });
  if (status !== 200) {
    const reason = textOf(asObject(body), 'reason')
      .replaceAll(/[^A-Z_]/g, '')
      .slice(0, 60);
    return { kind: 'denied', reason: `crowd: ${reason}` };
  }
  return await identify(crowd, asObject(body), scopes);
}

async function refresh(
  crowd: Crowd,
  { identity, connectorData }: Authenticated,
  scopes: ConnectorScopes,
): Promise<LoginOutcome> {
  const { status, body } = await crowd.ask('/user', { username: recallName(connectorData) || identity.username });
  if (status !== 200) return { kind: 'denied', reason: 'user is gone' };
  const outcome = await identify(crowd, asObject(body), scopes);
  const other = outcome.kind === 'authenticated' && outcome.identity.userId !== identity.userId;
  return other ? { kind: 'denied', reason: 'the name belongs to another person now' } : outcome;
}

async function identify(crowd: Crowd, user: JsonObject, scopes: ConnectorScopes): Promise<LoginOutcome> {
  const { config } = crowd;
  if (user['active'] === false) return { kind: 'denied', reason: 'account is disabled' };
  const name = requireText(user, 'name');
  const email = textOf(user, 'email');
  const key = requireText(user, 'key');
  const asks = scopes.groups || config.groups.length > 0;
  const answer = asks ? await crowd.ask('/user/group/nested', { username: name, 'max-results': '1000' }) : undefined;
  const identity = {
    userId: key,
    username: name,
    preferredUsername: { '': '', key, name, email }[config.preferredUsernameField],
    email,
    emailVerified: true,
    groups: asObjects(asObject(answer?.body)['groups']).map((group) => requireText(group, 'name')),
  };
  const outcome = admit(identity, config.groups, 'wanted');
  // The shape is Dex's, so that its refresh tokens go on working.
  return outcome.kind === 'denied'
    ? outcome
    : { ...outcome, connectorData: Buffer.from(JSON.stringify({ username: name })) };
}

function recallName(data: Buffer | undefined): string {
  try {
    return textOf(asObject(JSON.parse(data?.toString('utf8') ?? '')), 'username');
  } catch {
    return '';
  }
}
