/** Owns the rows about the keys of the configuration file, section by section, and what each does. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { delay } from '@kfctl/core';
import { CookieBrowser } from '../cookie-browser.ts';
import {
  authUrl,
  basic,
  claimsOf,
  configText,
  HASH,
  locationOf,
  login,
  loginForTokens,
  openLogin,
  USERS,
} from '../test-identity.ts';
import type { TestOptions } from '../test-identity.ts';
import { expectNoStart } from './expectations.ts';
import { held } from './held-by.ts';
import { certificateOf, fileOf, folderOf, portOf, runMain, serveMain } from './main-process.ts';
import type { Row, Section } from './row.ts';
import type { Servers } from './servers.ts';

/** The claims of the one person of the file, who is given with these keys. */
async function claimsOfPerson(
  servers: Servers,
  keys: string,
  options: TestOptions = {},
): Promise<Record<string, unknown>> {
  const config = `enablePasswordDB: true\nstaticPasswords: [{email: admin@kubeflow.org, userID: "1", ${keys}}]\n`;
  return claimsOf((await loginForTokens(await servers.at({ config, ...options }))).id_token);
}

const refusesToServe = (id: string, fact: string, options: TestOptions, words: RegExp): Row => ({
  id,
  fact,
  stand: 'absent',
  dex: 'Has it.',
  why: 'A file that counts on it is refused with its line, never served without it.',
  proof: async () => expectNoStart(options, words),
});

const STORAGE: readonly Row[] = [
  {
    id: 'storage-memory',
    fact: 'storage memory forgets everything at the end.',
    stand: 'kept',
    proof: async (servers) => {
      const first = await servers.fresh();
      const { refresh_token = '' } = await loginForTokens(first, { scope: 'openid offline_access' });
      const second = await servers.fresh();
      const form = { grant_type: 'refresh_token', refresh_token };
      assert.equal((await second.post('/dex/token', form, basic('app', 's3cret'))).status, 400);
    },
  },
  {
    id: 'storage-sqlite3',
    fact: 'storage sqlite3 keeps keys and refresh tokens in config.file over a restart.',
    stand: 'kept',
    proof: async (servers) => {
      const storage = `type: sqlite3, config: {file: ${path.join(folderOf(servers), 'dex.db')}}`;
      const first = await servers.fresh({ storage });
      const { refresh_token = '', access_token } = await loginForTokens(first, { scope: 'openid offline_access' });
      const second = await servers.fresh({ storage });
      const headers = { authorization: `Bearer ${access_token}` };
      assert.equal((await second.fetch('/dex/userinfo', { headers })).status, 200);
      const form = { grant_type: 'refresh_token', refresh_token };
      assert.equal((await second.post('/dex/token', form, basic('app', 's3cret'))).status, 200);
    },
  },
  held({
    id: 'storage-postgres',
    fact: 'storage postgres takes host with port, address or socket, and the modes of ssl; verify-full when none is named.',
    stand: 'kept',
    by: [
      [
        'src/storage/postgres/postgres-storage.test.ts',
        'reads host, host:port, addresses and sockets',
        'a server without TLS is refused unless the settings allow it',
        'replicas that start together agree, and never both take a code',
      ],
    ],
  }),
  held({
    id: 'storage-kubernetes',
    fact: 'storage kubernetes keeps the objects of dex.coreos.com/v1 as Dex writes them, under its names, and leaves fields that it does not know.',
    stand: 'kept',
    by: [
      [
        'src/storage/kubernetes/kubernetes-storage.test.ts',
        'names objects as Dex does',
        'reads objects that Dex wrote and keeps the fields it does not know',
        'writes the public half of the signing key where Dex looks for it, without private members',
        'does not take an object of another person for a session whose name collides',
      ],
      ['src/storage/kubernetes/api-server.test.ts', 'two replicas on one namespace agree on one key'],
    ],
  }),
  refusesToServe(
    'storage-mysql',
    'storage mysql is a mistake of the file.',
    { storage: 'type: mysql' },
    /storage\.type is "mysql"/,
  ),
  refusesToServe(
    'storage-etcd',
    'storage etcd is a mistake of the file.',
    { storage: 'type: etcd' },
    /storage\.type is "etcd"/,
  ),
];

const LISTENERS: readonly Row[] = [
  {
    id: 'web-https',
    fact: 'web.https with tlsCert and tlsKey serves TLS from 1.2 on, or from tlsMinVersion; both listeners may be there.',
    stand: 'kept',
    proof: async (servers) => {
      const folder = folderOf(servers);
      const { cert, key } = certificateOf(folder);
      const start = async (more: string): Promise<number> => {
        const text = configText({ web: `, https: "127.0.0.1:0", tlsCert: ${cert}, tlsKey: ${key}${more}` });
        return Number(portOf(await serveMain(servers, [fileOf(servers, text)], (log) => portOf(log) !== '')));
      };
      const handshake = async (port: number, maxVersion: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'): Promise<string> => {
        const minVersion = maxVersion === 'TLSv1.1' ? 'TLSv1' : maxVersion;
        const ciphers = 'DEFAULT@SECLEVEL=0';
        const socket = connectTls({
          port,
          host: '127.0.0.1',
          rejectUnauthorized: false,
          minVersion,
          maxVersion,
          ciphers,
        });
        const outcome = Promise.race([
          once(socket, 'secureConnect').then(() => socket.getProtocol() ?? ''),
          once(socket, 'error').then(() => 'refused'),
        ]).catch(() => 'refused');
        const result = await outcome;
        socket.destroy();
        return result;
      };
      const plain = await start('');
      assert.equal(await handshake(plain, 'TLSv1.1'), 'refused');
      assert.equal(await handshake(plain, 'TLSv1.2'), 'TLSv1.2');
      assert.equal(await handshake(plain, 'TLSv1.3'), 'TLSv1.3');
      const strict = await start(', tlsMinVersion: "1.3"');
      assert.equal(await handshake(strict, 'TLSv1.2'), 'refused');
      assert.equal(await handshake(strict, 'TLSv1.3'), 'TLSv1.3');
    },
  },
  held({
    id: 'web-certificate',
    fact: 'A certificate that changes is taken without a restart, after SIGHUP or within a minute.',
    stand: 'kept',
    by: [
      ['src/serve/listeners.test.ts', 'serves HTTPS, refuses TLS before 1.2, and takes a renewed certificate'],
      ['src/main.test.ts', 'takes the options that charts of Dex pass, tells its version, and SIGHUP does not end it'],
    ],
  }),
  {
    id: 'telemetry-health',
    fact: 'telemetry.http serves /healthz as JSON, /healthz/live with "ok" and /healthz/ready.',
    stand: 'kept',
    proof: async (servers) => {
      const { telemetry } = await servers.at();
      const health = await fetch(`${telemetry}/healthz`);
      assert.equal(health.status, 200);
      assert.equal(((await health.json()) as { status: string }).status, 'ok');
      assert.match(await (await fetch(`${telemetry}/healthz/live`)).text(), /^ok/);
      assert.equal((await fetch(`${telemetry}/healthz/ready`)).status, 200);
    },
  },
  {
    id: 'telemetry-metrics',
    fact: '/metrics has http_requests_total, request_duration_seconds and response_size_bytes by code, method and handler, and dex_build_info.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.fresh();
      await (await identity.fetch('/dex/keys')).arrayBuffer();
      const text = await (await fetch(`${identity.telemetry}/metrics`)).text();
      const labels = String.raw`\{code="200",handler="\/keys",method="get"\}`;
      assert.match(text, new RegExp(`^http_requests_total${labels} 1$`, 'm'));
      assert.match(text, new RegExp(`^request_duration_seconds_count${labels} 1$`, 'm'));
      assert.match(text, new RegExp(`^response_size_bytes_count${labels} 1$`, 'm'));
      assert.match(text, /^dex_build_info\{/m);
    },
  },
  {
    id: 'telemetry-profiling',
    fact: 'telemetry.enableProfiling is taken and opens nothing.',
    stand: 'absent',
    dex: 'Opens Go’s profiler below /debug/pprof.',
    why: 'There is no Go here.',
    proof: async (servers) => {
      const text = configText().replace(/^telemetry: .*$/m, 'telemetry: {http: "127.0.0.1:0", enableProfiling: true}');
      const { telemetry } = await servers.at({ text });
      assert.equal((await fetch(`${telemetry}/debug/pprof/`)).status, 404);
      assert.equal((await fetch(`${telemetry}/healthz/live`)).status, 200);
    },
  },
];

const OAUTH2: readonly Row[] = [
  {
    id: 'oauth2-defaults',
    fact: 'Without oauth2: approval is asked for, the only connector is led to, response type code, no password grant, PKCE with S256 and plain.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at({ text: configText().replace(/^oauth2: .*$/m, '') });
      assert.equal(locationOf(await login(identity)).pathname, '/dex/approval');
      assert.equal((await identity.fetch(authUrl({}, '/dex/auth'))).status, 302);
      const document = (await (await identity.fetch('/dex/.well-known/openid-configuration')).json()) as Record<
        string,
        string[]
      >;
      assert.deepEqual(document['response_types_supported'], ['code']);
      assert.deepEqual(document['code_challenge_methods_supported'], ['S256', 'plain']);
      assert.ok(!document['grant_types_supported']?.includes('password'));
    },
  },
  {
    id: 'oauth2-combined',
    fact: 'responseTypes takes combinations in one string: "code id_token" enables both words.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at({ oauth2: 'skipApprovalScreen: true, responseTypes: ["code id_token"]' });
      const response = await login(identity, { response_type: 'code id_token', nonce: 'n' });
      assert.ok(new URLSearchParams(locationOf(response).hash.slice(1)).has('id_token'));
    },
  },
  {
    id: 'expiry',
    fact: 'expiry has the defaults 6h, 24h, 24h, 5m and refresh tokens without limit; each key is obeyed.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      assert.equal((await loginForTokens(identity)).expires_in, 86_400);
      const device = (await (await identity.post('/dex/device/code', { client_id: 'cli' })).json()) as {
        expires_in: number;
      };
      assert.equal(device.expires_in, 300);
      const short = await servers.at({ more: 'expiry: {idTokens: 1h, deviceRequests: 1m}\n' });
      assert.equal((await loginForTokens(short)).expires_in, 3600);
      const other = (await (await short.post('/dex/device/code', { client_id: 'cli' })).json()) as {
        expires_in: number;
      };
      assert.equal(other.expires_in, 60);
    },
  },
];

const APPEARANCE: readonly Row[] = [
  {
    id: 'logger',
    fact: 'logger.level and logger.format (text when not named) shape the log on standard error.',
    stand: 'kept',
    proof: async (servers) => {
      const text = await serveMain(servers, [fileOf(servers, configText())], (log) => portOf(log) !== '');
      assert.match(text, /^(?:\S+ )?info +serving .*port=\d+/im);
      const json = configText({ more: 'logger: {format: json, level: debug}\n' });
      const lines = await serveMain(servers, [fileOf(servers, json)], (log) => log.includes('"msg":"serving"'));
      assert.match(lines, /^\{"time":"[^"]+","level":"info","msg":"serving",.*"port":\d+/m);
    },
  },
  {
    id: 'logger-exclude',
    fact: 'logger.excludeFields leaves those fields out of every record.',
    stand: 'kept',
    dex: '2.45 has no such key; later versions as here.',
    follows: 'head',
    proof: async (servers) => {
      const text = configText({ more: 'logger: {format: json, excludeFields: [port]}\n' });
      const lines = await serveMain(servers, [fileOf(servers, text)], (log) => log.includes('"msg":"serving"'));
      assert.match(lines, /"msg":"serving"/);
      assert.doesNotMatch(lines, /"port":/);
    },
  },
  {
    id: 'frontend-issuer',
    fact: 'frontend.issuer is the name on the pages, dex when not named.',
    stand: 'kept',
    proof: async (servers) => {
      assert.match(await (await (await servers.at()).fetch('/dex')).text(), /<title>[^<]*dex<\/title>/);
      const named = await servers.at({ more: 'frontend: {issuer: "My <Company>"}\n' });
      assert.match(await (await named.fetch('/dex')).text(), /<title>[^<]*My &lt;Company&gt;<\/title>/);
    },
  },
  held({
    id: 'frontend-theme',
    fact: 'frontend.theme is light, dark, or a folder of dir/themes; coreos and tectonic mean light.',
    stand: 'kept',
    by: [['test/frontend.test.ts', 'Dex’s names for its themes, and a directory that is not there, are no mistake']],
  }),
  held({
    id: 'frontend-logo',
    fact: 'frontend.logoURL may be a file of the directory or an address.',
    stand: 'kept',
    by: [['test/frontend.test.ts', 'a logo with an address of its own is allowed in the policy, and nothing else']],
  }),
  held({
    id: 'frontend-templates',
    fact: 'Templates of frontend.dir make the pages, in Go’s language with its escaping.',
    stand: 'kept',
    by: [
      [
        'test/dex-templates.test.ts',
        'a whole login by a company’s templates, with its styles, pictures and scripts',
        'error, device and code pages are the company’s too; hostile texts stay text',
      ],
    ],
  }),
  held({
    id: 'frontend-templates-broken',
    fact: 'A template that is missing or has a mistake is replaced by the built-in page; log and check name file, line and column.',
    stand: 'other',
    dex: 'Does not start.',
    why: 'Nobody is kept out by a page.',
    by: [
      [
        'test/dex-templates.test.ts',
        'one page of its own is enough; the others are ours',
        'a page that fails when it is shown falls back too',
      ],
    ],
  }),
];

const CLIENTS: readonly Row[] = [
  {
    id: 'clients-env',
    fact: 'idEnv and secretEnv of a client name variables that hold them.',
    stand: 'kept',
    proof: async (servers) => {
      const config = `${USERS}staticClients: [{idEnv: THE_ID, secretEnv: THE_SECRET, name: A, redirectURIs: [/login/oidc]}]\n`;
      const identity = await servers.at({ config, env: { THE_ID: 'from-env', THE_SECRET: 'pa$$' } });
      const code = locationOf(await login(identity, { client_id: 'from-env' })).searchParams.get('code') ?? '';
      const form = { grant_type: 'authorization_code', code, redirect_uri: '/login/oidc' };
      assert.equal((await identity.post('/dex/token', form, basic('from-env', 'pa$$'))).status, 200);
    },
  },
  {
    id: 'clients-public',
    fact: 'A public client may have a secret all the same, and must then send it.',
    stand: 'kept',
    proof: async (servers) => {
      const config = `${USERS}staticClients: [{id: pub, secret: s, public: true, name: A, redirectURIs: [/login/oidc]}]\n`;
      const identity = await servers.at({ config });
      const code = locationOf(await login(identity, { client_id: 'pub' })).searchParams.get('code') ?? '';
      const form = { grant_type: 'authorization_code', code, redirect_uri: '/login/oidc', client_id: 'pub' };
      assert.equal((await identity.post('/dex/token', form)).status, 401);
      assert.equal((await identity.post('/dex/token', { ...form, client_secret: 's' })).status, 200);
    },
  },
  held({
    id: 'clients-win',
    fact: 'Clients of the file win over stored ones and cannot be changed through the API.',
    stand: 'kept',
    by: [['src/api/dex-api.attack.test.ts', 'clients and people of the file cannot be changed or taken over']],
  }),
  held({
    id: 'clients-sso',
    fact: 'ssoSharedWith, and sessions.ssoSharedWithDefault, say which clients a login session answers.',
    stand: 'kept',
    dex: '2.45 has no sessions; later versions as here.',
    follows: 'head',
    by: [
      [
        'src/session/session.attack.test.ts',
        'a second login asks nobody, at the first client and at one it shares with',
        'ssoSharedWithDefault: all shares with everybody, and a client that shares with nobody stays alone',
      ],
    ],
  }),
  held({
    id: 'connector-grants',
    fact: 'connectors[].grantTypes says which grants a connector may serve.',
    stand: 'kept',
    dex: '2.45 has no such key; later versions as here.',
    follows: 'head',
    by: [
      [
        'test/connector-grants.attack.test.ts',
        'only codes: no implicit flow, no device, no password, no exchange, no refresh token',
        'only password, exchange and device: no login page for applications, by name or by choice',
        'a refresh token ends to work when its connector no longer serves refreshes',
      ],
    ],
  }),
];

const PEOPLE: readonly Row[] = [
  {
    id: 'people-connector',
    fact: 'enablePasswordDB adds the connector local with the name Email and the prompt Email Address.',
    stand: 'kept',
    proof: async (servers) => {
      const config = `${USERS}connectors: [{type: mockCallback, id: m, name: M}]\n`;
      const identity = await servers.at({ config });
      assert.match(
        await (await identity.fetch(authUrl({}, '/dex/auth'))).text(),
        /auth\/local\?[^"]*">Log in with Email</,
      );
      assert.match(await (await identity.fetch(await openLogin(identity))).text(), />Email Address<\/label>/);
    },
  },
  {
    id: 'people-hashes',
    fact: 'bcrypt is taken as $2a, $2b and $2y, plain or in base64.',
    stand: 'kept',
    proof: async (servers) => {
      const forms = ['$2a$', '$2b$', '$2y$'].map((kind) => HASH.replace('$2y$', kind));
      for (const hash of [...forms, Buffer.from(HASH).toString('base64')])
        assert.equal(
          (await claimsOfPerson(servers, `hash: "${hash}", username: kim`))['name'],
          'kim',
          hash.slice(0, 4),
        );
    },
  },
  {
    id: 'people-hash-env',
    fact: 'hashFromEnv names a variable that holds the hash, and counts only where hash is empty.',
    stand: 'kept',
    proof: async (servers) => {
      const env = { THE_HASH: HASH };
      assert.equal((await claimsOfPerson(servers, 'hashFromEnv: THE_HASH, username: kim', { env }))['name'], 'kim');
      const both = `hash: "${HASH}", hashFromEnv: OTHER, username: kim`;
      assert.equal((await claimsOfPerson(servers, both, { env: { OTHER: 'nonsense' } }))['name'], 'kim');
    },
  },
  {
    id: 'people-claims',
    fact: 'name (else username), preferredUsername, groups and emailVerified (else true) are the claims.',
    stand: 'kept',
    dex: 'Since 2.45.',
    proof: async (servers) => {
      const all = 'name: Kim K., username: kim, preferredUsername: kk, groups: [a, b], emailVerified: false';
      const claims = await claimsOfPerson(servers, `hash: "${HASH}", ${all}`);
      assert.equal(`${claims['name']} ${claims['preferred_username']}`, 'Kim K. kk');
      assert.deepEqual(claims['groups'], ['a', 'b']);
      assert.equal(claims['email_verified'], false);
      const few = await claimsOfPerson(servers, `hash: "${HASH}", username: kim`);
      assert.equal(`${few['name']} ${few['email_verified']}`, 'kim true');
    },
  },
];

/** Every key of Dex's file that means something here, in one file. */
const WHOLE = `issuer: https://login.example.com/dex
storage: {type: sqlite3, config: {file: /var/lib/dex/dex.db}}
web:
  http: 0.0.0.0:5556
  https: 0.0.0.0:5554
  tlsCert: /etc/dex/tls.crt
  tlsKey: /etc/dex/tls.key
  tlsMinVersion: 1.2
  tlsMaxVersion: 1.3
  headers: {Content-Security-Policy: "default-src 'self'", X-Frame-Options: DENY, X-Content-Type-Options: nosniff, X-XSS-Protection: "1", Strict-Transport-Security: max-age=1}
  allowedOrigins: ["*"]
  allowedHeaders: [Authorization]
  clientRemoteIP: {header: X-Forwarded-For, trustedProxies: [10.0.0.0/8]}
telemetry: {http: 0.0.0.0:5558, enableProfiling: true}
grpc: {addr: 0.0.0.0:5557, tlsCert: /a.crt, tlsKey: /a.key, tlsClientCA: /ca.crt, tlsMinVersion: "1.2", tlsMaxVersion: "1.3", reflection: true}
oauth2:
  grantTypes: [authorization_code, implicit, password, refresh_token, client_credentials, "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange"]
  responseTypes: [code, token, id_token]
  skipApprovalScreen: true
  alwaysShowLoginScreen: false
  passwordConnector: local
  pkce: {enforce: false, codeChallengeMethodsSupported: [S256, plain]}
expiry:
  signingKeys: 6h
  idTokens: 24h
  authRequests: 24h
  deviceRequests: 5m
  refreshTokens: {disableRotation: false, reuseInterval: 3s, validIfNotUsedFor: 2160h, absoluteLifetime: 3960h}
signer: {type: local, config: {keysRotationPeriod: 6h, algorithm: RS256}}
logger: {level: debug, format: json, excludeFields: [user]}
frontend: {dir: /srv/dex/web, logoURL: theme/logo.png, issuer: Example, theme: light, extra: {help: ask}}
staticClients:
- id: one
  secret: s
  name: One
  redirectURIs: [/one]
  public: false
  trustedPeers: [two]
  logoURL: https://login.example.com/one.png
  postLogoutRedirectURIs: [/bye]
  backchannelLogoutURI: https://one.example.com/logout
  refreshTokenLifetime: standalone
  allowedConnectors: [local]
  mfaChain: []
  ssoSharedWith: [two]
  clientCredentialsClaims: {groups: [robots]}
- {idEnv: TWO_ID, secretEnv: TWO_SECRET, name: Two}
enablePasswordDB: true
staticPasswords:
- {email: a@b.example, hash: "${HASH}", username: a, userID: "1", name: A, preferredUsername: aa, groups: [x], emailVerified: true}
- {email: c@d.example, hashFromEnv: C_HASH, username: c, userID: "2"}
connectors:
- {type: mockCallback, id: mock, name: Mock, grantTypes: [authorization_code], config: {}}
sessions: {cookieName: dex_session, absoluteLifetime: 24h, validIfNotUsedFor: 1h, rememberMeCheckedByDefault: true, cookieEncryptionKey: 0123456789abcdef, ssoSharedWithDefault: none}
mfa: {authenticators: [], defaultMFAChain: []}
`;

const STORAGES = [
  '{type: memory}',
  '{type: memory, config: {}}',
  '{type: postgres, config: {database: d, user: u, password: p, host: "h:5432", port: 5432, connectionTimeout: 5, maxOpenConns: 5, maxIdleConns: 5, connMaxLifetime: 60, ssl: {mode: verify-ca, caFile: /ca.pem, keyFile: /k.pem, certFile: /c.pem}}}',
  '{type: kubernetes, config: {inCluster: true}}',
  '{type: kubernetes, config: {kubeConfigFile: /k, crdHandling: check}}',
];

const WHOLE_FILE: readonly Row[] = [
  {
    id: 'every-key',
    fact: 'A file with every key of Dex’s is taken without a mistake and without a warning.',
    stand: 'kept',
    proof: async (servers) => {
      const env = { TWO_ID: 'two', TWO_SECRET: 's', C_HASH: HASH };
      const storages = STORAGES.map((storage) => WHOLE.replace(/^storage: .*$/m, `storage: ${storage}`));
      for (const text of [WHOLE, ...storages]) {
        const { code, out, err } = await runMain(['check', fileOf(servers, text)], env);
        assert.equal(code, 0, out + err);
        assert.doesNotMatch(out, /Of no effect/, out);
        assert.match(out, /can be served: 2 users, 2 clients/);
      }
    },
  },
];

const LATER: readonly Row[] = [
  {
    id: 'reload',
    fact: 'A changed file is in use within seconds: people, clients, connectors; a broken one is reported and the old one stays.',
    stand: 'more',
    dex: 'Reads its file at the start alone.',
    why: 'Nobody is logged out because somebody else was added.',
    proof: async (servers) => {
      const identity = await servers.fresh();
      const said = async (words: string): Promise<void> => {
        while (!identity.log.some((line) => line.includes(words))) await delay(10);
      };
      writeFileSync(identity.file, configText({ config: USERS.replace('Admin@Kubeflow.org', 'new@example.com') }));
      await said('"msg":"configuration changed"');
      const form = { login: 'new@example.com', password: 'password' };
      assert.equal((await identity.post(await openLogin(identity), form)).status, 303);
      writeFileSync(identity.file, 'issuer: nonsense\n');
      await said('issuer');
      assert.equal((await identity.post(await openLogin(identity), form)).status, 303);
    },
  },
  {
    id: 'sessions-keys',
    fact: 'sessions has cookieName dex_session, absoluteLifetime 24h, validIfNotUsedFor 1h, and a checked box "Remember me".',
    stand: 'kept',
    dex: '2.45 has no sessions; later versions as here.',
    follows: 'head',
    proof: async (servers) => {
      const identity = await servers.fresh({ more: 'sessions: {}\n' });
      const browser = new CookieBrowser(identity);
      await browser.logIn();
      assert.ok(browser.cookies.has('dex_session'));
      identity.now += 59 * 60_000;
      assert.ok(await browser.isKnown());
      identity.now += 61 * 60_000;
      assert.equal(await browser.isKnown(), false);
      assert.match(await (await identity.fetch(await openLogin(identity))).text(), /id="remember"[^>]* checked/);
      const named = await servers.fresh({ more: 'sessions: {cookieName: mine, rememberMeCheckedByDefault: false}\n' });
      const other = new CookieBrowser(named);
      await other.logIn();
      assert.ok(other.cookies.has('mine'));
      assert.doesNotMatch(await (await named.fetch(await openLogin(named))).text(), /id="remember"[^>]* checked/);
    },
  },
  refusesToServe(
    'mfa',
    'mfa with an authenticator, and mfaChain of a client, are mistakes of the file.',
    { more: 'mfa: {authenticators: [{id: totp, type: TOTP}]}\n' },
    /mfa is not supported/,
  ),
];

export const SETTINGS: Section = {
  id: '1.4',
  title: 'The keys of the file',
  rows: [...WHOLE_FILE, ...STORAGE, ...LISTENERS, ...OAUTH2, ...APPEARANCE, ...CLIENTS, ...PEOPLE, ...LATER],
};
