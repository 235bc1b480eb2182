/** Owns what every storage of the identity provider must do, under concurrency too. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { AuthCode, Records, RecordKind, RefreshToken } from '../../identity/src/storage/records.ts';
import type { Storage } from '../../identity/src/storage/storage.ts';
import { testStorageRaces } from './identity-storage-races.ts';

const CLAIMS = {
  userId: 'u-1',
  username: 'Zoë "Z" Łukasz',
  preferredUsername: 'zoe',
  email: 'zoe@example.com',
  emailVerified: true,
  groups: ['admins', 'people, all'],
};

const LATER = Date.UTC(2100, 0, 1, 12, 30, 15, 250);
const EARLIER = Date.UTC(2001, 0, 1);

const CODE: AuthCode = {
  clientId: 'app',
  scopes: ['openid', 'groups'],
  redirectUri: '/login/oidc',
  nonce: 'n',
  claims: CLAIMS,
  connectorId: 'local',
  connectorData: Buffer.from([0, 255, 10]).toString('base64'),
  codeChallenge: 'challenge',
  codeChallengeMethod: 'S256',
  authTimeMs: EARLIER,
  sid: 'sid-1',
  expiresAt: LATER,
};

const REFRESH: RefreshToken = {
  clientId: 'app',
  scopes: ['offline_access'],
  nonce: '',
  token: 'current',
  obsoleteToken: '',
  claims: CLAIMS,
  connectorId: 'local',
  connectorData: '',
  createdAt: EARLIER,
  lastUsedAt: 0,
  sid: 'sid-1',
  sessionEndsAt: LATER,
};

/** One valid record of each kind with an id of the form that the provider uses for it. */
export const SAMPLE_RECORDS: { readonly [K in RecordKind]: { readonly id: string; readonly record: Records[K] } } = {
  authCode: { id: 'a1b2c3', record: CODE },
  authRequest: {
    id: 'req1',
    record: { ...CODE, responseTypes: ['code'], state: 's&t', forceApprovalPrompt: true, hmacKey: 'aGVsbG8=' },
  },
  refreshToken: { id: 'refresh1', record: REFRESH },
  offlineSession: {
    id: 'CgN1LTESBWxvY2Fs',
    record: {
      userId: 'u-1',
      connectorId: 'local',
      connectorData: '',
      refresh: {
        app: { id: 'refresh1', clientId: 'app', createdAt: EARLIER, lastUsedAt: 0 },
        'app#refresh0': { id: 'refresh0', clientId: 'app', createdAt: EARLIER, lastUsedAt: EARLIER },
      },
    },
  },
  password: {
    id: 'zoe@example.com',
    record: {
      email: 'zoe@example.com',
      hash: '$2y$12$abc',
      username: 'zoe',
      name: '',
      preferredUsername: '',
      userId: 'u-1',
      groups: ['g'],
      emailVerified: false,
    },
  },
  client: {
    id: 'My Client/1',
    record: {
      id: 'My Client/1',
      secret: 's',
      name: 'Mine',
      redirectUris: ['/cb'],
      trustedPeers: [],
      public: false,
      logoUrl: '',
      allowedConnectors: ['ldap'],
      ssoSharedWith: [],
      backchannelLogoutUri: 'https://app.example.com/logout',
      postLogoutRedirectUris: ['/bye'],
      refreshTokenLifetime: 'session',
    },
  },
  connector: {
    id: 'Okta/EU',
    record: {
      id: 'Okta/EU',
      type: 'oidc',
      name: 'Okta "EU"',
      resourceVersion: '2',
      config: Buffer.from('{"issuer": "https://okta.example.com", "clientSecret": "ä"}').toString('base64'),
      grantTypes: ['authorization_code', 'refresh_token'],
    },
  },
  keys: {
    id: 'openid-connect-keys',
    record: {
      signingKey: {
        kty: 'EC',
        crv: 'P-256',
        alg: 'ES256',
        kid: 'k',
        x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
        y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
        d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
      },
      verificationKeys: [{ publicKey: { kty: 'RSA', n: 'n', e: 'AQAB' }, expiresAt: LATER }],
      nextRotationAt: LATER,
      sealingKeys: [{ id: 's1', key: 'aGVsbG8=', expiresAt: LATER }],
    },
  },
  deviceRequest: {
    id: 'BCDF-GHJK',
    record: { userCode: 'BCDF-GHJK', deviceCode: 'dev1', clientId: 'tv', scopes: ['openid'], expiresAt: LATER },
  },
  deviceToken: {
    id: 'dev1',
    record: {
      status: 'pending',
      token: '',
      lastRequestAt: 0,
      pollIntervalSeconds: 5,
      codeChallenge: '',
      codeChallengeMethod: '',
      expiresAt: LATER,
    },
  },
  spentProof: { id: 'ab12', record: { expiresAt: LATER } },
  loginSession: {
    id: 'cd34',
    record: {
      sid: 'sid-1',
      logoutHint: 'a.b.c',
      address: '2001:db8::1',
      userAgent: 'Mozilla/5.0 (X11; Linux)',
      claims: CLAIMS,
      connectorId: 'local',
      connectorData: 'AP8K',
      groups: true,
      offline: false,
      persistent: true,
      clients: ['app', 'My Client/1'],
      authTimeMs: EARLIER,
      issuedAt: EARLIER,
      lastUsedAt: EARLIER,
      renewed: false,
      twin: 'ef56',
      expiresAt: LATER,
    },
  },
  logoutNotice: {
    id: 'ab34',
    record: {
      clientId: 'My Client/1',
      subject: 'CgN1LTESBWxvY2Fs',
      sid: 'sid-1',
      attempts: 2,
      nextAt: EARLIER,
      expiresAt: LATER,
    },
  },
};

export interface StorageSuiteOptions {
  /** Names the suite. */
  readonly name: string;
  /** A new, empty storage; the test's `after` must remove it. */
  open(t: TestContext): Promise<Storage> | Storage;
  /** Why the whole suite cannot run here. */
  readonly skip?: string;
}

export function runStorageSuite({ name, open, skip }: StorageSuiteOptions): void {
  describe(`${name} storage`, skip === undefined ? {} : { skip }, () => {
    for (const kind of Object.keys(SAMPLE_RECORDS) as RecordKind[]) {
      const { id, record } = SAMPLE_RECORDS[kind];
      test(`gives a ${kind} back as it was, once, and no more after take`, async (t) => {
        const storage = await open(t);
        assert.equal(await storage.get(kind, id), undefined);
        assert.equal(await storage.create(kind, id, record), true);
        assert.equal(await storage.create(kind, id, record), false);
        assert.deepEqual(await storage.get(kind, id), record);
        assert.deepEqual(await storage.list(kind), [{ id, record }]);
        assert.deepEqual(await storage.take(kind, id), record);
        assert.equal(await storage.take(kind, id), undefined);
        assert.equal(await storage.get(kind, id), undefined);
        assert.deepEqual(await storage.list(kind), []);
      });
    }

    test('keeps kinds apart', async (t) => {
      const storage = await open(t);
      await storage.create('authCode', 'same', CODE);
      assert.equal(await storage.get('refreshToken', 'same'), undefined);
      assert.equal(await storage.create('refreshToken', 'same', REFRESH), true);
    });

    test('changes a record, or leaves it when there is none or no change is wanted', async (t) => {
      const storage = await open(t);
      assert.equal(await storage.update('refreshToken', 'r', (record) => record), undefined);
      await storage.create('refreshToken', 'r', REFRESH);
      const changed = await storage.update('refreshToken', 'r', (record) => ({ ...record, token: 'next' }));
      assert.equal(changed?.token, 'next');
      assert.equal(await storage.update('refreshToken', 'r', () => undefined), undefined);
      assert.deepEqual(await storage.get('refreshToken', 'r'), { ...REFRESH, token: 'next' });
    });

    test('forgets a field that is emptied', async (t) => {
      const storage = await open(t);
      await storage.create('refreshToken', 'r', { ...REFRESH, obsoleteToken: 'old' });
      await storage.update('refreshToken', 'r', (record) => ({ ...record, obsoleteToken: '', scopes: [] }));
      assert.deepEqual(await storage.get('refreshToken', 'r'), { ...REFRESH, obsoleteToken: '', scopes: [] });
    });

    test('a change that throws changes nothing and reaches the caller', async (t) => {
      const storage = await open(t);
      await storage.create('refreshToken', 'r', REFRESH);
      await assert.rejects(
        storage.update('refreshToken', 'r', () => {
          throw new Error('no');
        }),
      );
      assert.deepEqual(await storage.get('refreshToken', 'r'), REFRESH);
      assert.ok(await storage.update('refreshToken', 'r', (record) => record));
    });

    testStorageRaces(open, { code: CODE, refreshToken: REFRESH });

    test('removes what expired and nothing else', async (t) => {
      const storage = await open(t);
      await storage.create('authCode', 'old', { ...CODE, expiresAt: 1000 });
      await storage.create('authCode', 'new', CODE);
      await storage.create('refreshToken', 'r', REFRESH);
      await storage.create('deviceToken', 'd', { ...SAMPLE_RECORDS.deviceToken.record, expiresAt: 5000 });
      assert.equal(await storage.deleteExpired(5000), 1);
      assert.equal(await storage.deleteExpired(5001), 1);
      assert.equal(await storage.get('authCode', 'old'), undefined);
      assert.ok(await storage.get('authCode', 'new'));
      assert.ok(await storage.get('refreshToken', 'r'));
    });
  });
}
