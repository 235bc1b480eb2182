/** Owns what every connector that redirects to an OAuth 2.0 upstream must do, attacked by the upstream and by the browser too. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { describeError } from '../../core/src/index.ts';
import type {
  CallbackStart,
  Connector,
  ConnectorScopes,
  Identity,
  LoginOutcome,
} from '../../identity/src/connectors/connector.ts';
import { startUpstreamServer, STUB, tokenEndpoint } from './upstream-server.ts';
import type { StubRoute, UpstreamServer } from './upstream-server.ts';

export interface OAuth2SuiteOptions {
  readonly name: string;
  readonly tokenPath: string;
  /** Where the upstream is asked who the person is. */
  readonly userPath: string;
  /** What the API answers besides the token endpoint; `login` is the nonce the login began with. */
  routes(origin: string, login: () => string): Readonly<Record<string, StubRoute>>;
  /** More members of the token answer. */
  tokens?(origin: string, login: () => string): object;
  open(origin: string): Promise<Connector>;
  readonly expected: Identity;
  readonly pkce: boolean;
  readonly refreshes: boolean;
}

const ALL: ConnectorScopes = { groups: true, offlineAccess: true };
const EVIL = '<script>alert(1)</script>\r\nx: y';

interface Begun extends CallbackStart {
  readonly carried: Readonly<Record<string, string>>;
  readonly url: URL;
}

export function runOAuth2ConnectorSuite(options: OAuth2SuiteOptions): void {
  const { name, tokenPath, userPath, expected } = options;
  describe(`${name} connector`, () => {
    let upstream: UpstreamServer;
    let elsewhere: UpstreamServer;
    let connector: Connector;
    let challenge: string | undefined;
    let nonce = '';

    before(async () => {
      [upstream, elsewhere] = [await startUpstreamServer(), await startUpstreamServer()];
    });
    beforeEach(async () => {
      upstream.routes.clear();
      const { origin } = upstream;
      const login = (): string => nonce;
      upstream.routes.set(
        tokenPath,
        tokenEndpoint(
          () => challenge,
          () => options.tokens?.(origin, login) ?? {},
        ),
      );
      for (const [path, route] of Object.entries(options.routes(origin, login))) upstream.routes.set(path, route);
      await connector?.close?.();
      connector = await options.open(origin);
      upstream.requests.length = 0;
      elsewhere.requests.length = 0;
    });
    after(async () => {
      await connector.close?.();
      await Promise.all([upstream.close(), elsewhere.close()]);
    });

    const begin = async (scopes = ALL): Promise<Begun> => {
      let carried: Readonly<Record<string, string>> = {};
      const seal = (values: Readonly<Record<string, string>>): string => {
        carried = values;
        return 'sealed-state';
      };
      const start = await connector.callback?.begin({ seal, scopes, loginHint: undefined });
      assert.ok(start);
      const url = new URL(start.location);
      challenge = url.searchParams.get('code_challenge') ?? undefined;
      nonce = url.searchParams.get('nonce') ?? '';
      return { ...start, carried, url };
    };
    const finish = async ({ carried }: Begun, query: Record<string, string>, scopes = ALL): Promise<LoginOutcome> => {
      const request = {
        query: new URLSearchParams({ state: 'sealed-state', ...query }),
        carried,
        scopes,
        headers: {},
        ownPath: false,
      };
      const outcome = await connector.callback?.finish(request);
      assert.ok(outcome);
      return outcome;
    };
    const logIn = async (scopes = ALL): Promise<LoginOutcome> =>
      await finish(await begin(scopes), { code: STUB.code }, scopes);
    const failsQuietly = async (work: Promise<unknown>): Promise<void> => {
      await assert.rejects(work, (error) => {
        const text = describeError(error);
        assert.ok(text.length < 1000);
        for (const secret of [STUB.accessToken, STUB.refreshToken, STUB.clientSecret, STUB.code])
          assert.ok(!text.includes(secret), text);
        return true;
      });
    };

    test('sends the browser out with state, our client and redirect URI, and no secret', async () => {
      const { url, location } = await begin();
      const { searchParams } = url;
      assert.equal(searchParams.get('state'), 'sealed-state');
      assert.equal(searchParams.get('client_id'), STUB.clientID);
      assert.equal(searchParams.get('redirect_uri'), STUB.redirectURI);
      assert.equal(searchParams.get('response_type'), 'code');
      assert.equal(searchParams.get('code_challenge_method'), options.pkce ? 'S256' : null);
      assert.ok(!decodeURIComponent(location).includes(STUB.clientSecret));
    });

    test('logs a person in', async () => {
      const outcome = await logIn();
      assert.equal(outcome.kind, 'authenticated');
      assert.deepEqual(outcome.identity, expected);
    });

    test('asks for no groups that nobody asked for', async () => {
      const outcome = await logIn({ groups: false, offlineAccess: false });
      assert.equal(outcome.kind, 'authenticated');
      assert.equal(outcome.identity.userId, expected.userId);
    });

    test('two logins begin with different secrets', async () => {
      const [left, right] = [await begin(), await begin()];
      for (const key of ['verifier', 'nonce']) assert.notEqual(left.carried[key], right.carried[key]);
    });

    test(
      'refuses a code that another login began',
      { skip: options.pkce ? false : 'the upstream has no PKCE' },
      async () => {
        const left = await begin();
        await begin();
        await failsQuietly(finish(left, { code: STUB.code }));
      },
    );

    test('refuses an upstream error, an empty answer, and a code that is not its own', async () => {
      await failsQuietly(finish(await begin(), { error: 'access_denied', error_description: EVIL }));
      await failsQuietly(finish(await begin(), {}));
      await failsQuietly(finish(await begin(), { code: 'stolen' }));
    });

    test('an error of the upstream cannot write into the log', async () => {
      await assert.rejects(finish(await begin(), { error: EVIL, error_description: 'x'.repeat(10_000) }), (error) => {
        assert.doesNotMatch(describeError(error), /[\r\n]/);
        assert.ok(describeError(error).length < 1000);
        return true;
      });
    });

    const bad: Readonly<Record<string, () => StubRoute>> = {
      'a server error': () => ({ status: 500, body: 'oops' }),
      'a page': () => ({ headers: { 'content-type': 'text/html' }, body: '<html>' }),
      'nothing in it': () => ({ body: {} }),
      null: () => ({ body: 'null' }),
      'a list': () => ({ body: [[]] }),
      'too much': () => ({ body: `"${'x'.repeat(2_000_000)}"` }),
      'a redirect elsewhere': () => ({ status: 307, headers: { location: `${elsewhere.origin}/` } }),
    };
    for (const [what, route] of Object.entries(bad)) {
      test(`fails when the token endpoint answers with ${what}`, async () => {
        upstream.routes.set(tokenPath, route());
        await failsQuietly(logIn());
        assert.equal(elsewhere.requests.length, 0);
      });
      test(`fails when the upstream answers the question who it is with ${what}`, async () => {
        upstream.routes.set(userPath, route());
        await failsQuietly(logIn());
        assert.equal(elsewhere.requests.length, 0);
      });
    }

    test('fails on tokens that are not bearer tokens or that would break a header', async () => {
      const answers = [
        { token_type: 'mac' },
        { access_token: 'a\r\nx: y' },
        { access_token: 7 },
        { error: 'bad_verification_code' },
      ];
      for (const answer of answers) {
        upstream.routes.set(tokenPath, { body: { token_type: 'bearer', access_token: STUB.accessToken, ...answer } });
        await failsQuietly(logIn());
      }
    });

    test('fails when the upstream is gone, and works again when it is back', async () => {
      const route = upstream.routes.get(tokenPath);
      upstream.routes.delete(tokenPath);
      await failsQuietly(logIn());
      assert.ok(route);
      upstream.routes.set(tokenPath, route);
      assert.equal((await logIn()).kind, 'authenticated');
    });

    describe('refresh', { skip: options.refreshes ? false : 'the upstream cannot be asked again' }, () => {
      const again = async (changes: Partial<Identity> = {}): Promise<LoginOutcome> => {
        const outcome = await logIn();
        assert.equal(outcome.kind, 'authenticated');
        const { connectorData, identity } = outcome;
        assert.ok(connectorData);
        const answer = await connector.refresh?.refresh({ connectorData, identity: { ...identity, ...changes } }, ALL);
        assert.ok(answer);
        return answer;
      };

      test('asks the upstream again', async () => {
        const outcome = await again();
        assert.equal(outcome.kind, 'authenticated');
        assert.deepEqual(outcome.identity, expected);
        assert.ok(outcome.connectorData);
      });

      test('refuses another person', async () => {
        assert.equal((await again({ userId: 'somebody-else' })).kind, 'denied');
      });

      test('is over when the upstream has withdrawn its tokens', async () => {
        const outcome = await logIn();
        assert.equal(outcome.kind, 'authenticated');
        upstream.routes.set(tokenPath, { status: 400, body: { error: 'invalid_grant' } });
        const answer = await connector.refresh?.refresh(outcome, ALL);
        assert.equal(answer?.kind, 'denied');
        assert.equal((await connector.refresh?.refresh({ identity: outcome.identity }, ALL))?.kind, 'denied');
      });

      test('fails, and is not over, when the upstream cannot answer', async () => {
        const outcome = await logIn();
        assert.equal(outcome.kind, 'authenticated');
        upstream.routes.set(tokenPath, { status: 503, body: {} });
        await failsQuietly(connector.refresh?.refresh(outcome, ALL) ?? Promise.resolve());
      });
    });
  });
}
