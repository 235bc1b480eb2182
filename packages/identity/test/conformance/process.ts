/** Owns the rows about the process: its command line, its variables, how it ends. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { authUrl, basic, configText, login, USERS } from '../test-identity.ts';
import { CookieBrowser } from '../cookie-browser.ts';
import { createDexApiClients, refused } from '../dex-api-client.ts';
import { expectNoStart, expectPage } from './expectations.ts';
import { held } from './held-by.ts';
import { certificateOf, fileOf, folderOf, portOf, runMain, serveMain } from './main-process.ts';
import type { Section } from './row.ts';

const IMAGE = path.join(import.meta.dirname, '../../../../images/Dockerfile');

export const PROCESS: Section = {
  id: '1.1',
  title: 'The process',
  rows: [
    {
      id: 'http-option',
      fact: '--web-http-addr and --telemetry-addr stand in for what the file says, or does not say.',
      stand: 'kept',
      proof: async (servers) => {
        const bare = configText()
          .replace(/^web: .*$/m, '')
          .replace(/^telemetry: .*$/m, '');
        const args = ['--web-http-addr', '127.0.0.1:0', '--telemetry-addr=127.0.0.1:0', fileOf(servers, bare)];
        const log = await serveMain(servers, args, (text) => portOf(text) !== '');
        assert.equal((await fetch(`http://127.0.0.1:${portOf(log)}/dex/healthz`)).status, 200);
      },
    },
    {
      id: 'https-option',
      fact: '--web-https-addr and --grpc-addr stand in for the addresses of HTTPS and of the management API.',
      stand: 'kept',
      proof: async (servers) => {
        const folder = folderOf(servers);
        const { cert, key } = certificateOf(folder);
        const tls = `tlsCert: ${cert}, tlsKey: ${key}`;
        const text = configText({ web: `, ${tls}`, more: `grpc: {${tls}, tlsClientCA: ${cert}}` }).replace(
          'http: "127.0.0.1:0", ',
          '',
        );
        writeFileSync(path.join(folder, 'config.yaml'), text);
        const options = ['--web-https-addr', '127.0.0.1:0', '--grpc-addr', '127.0.0.1:0'];
        const log = await serveMain(
          servers,
          [...options, path.join(folder, 'config.yaml')],
          (text) => portOf(text) !== '',
        );
        assert.match(log, /management api serving .*port=[1-9]\d*/);
        const socket = connectTls({ port: Number(portOf(log)), host: '127.0.0.1', rejectUnauthorized: false });
        await once(socket, 'secureConnect');
        assert.equal(socket.getPeerCertificate().subject.CN, 'localhost');
        socket.destroy();
      },
    },
    {
      id: 'version',
      fact: 'The command version prints the version and ends with 0.',
      stand: 'kept',
      proof: async () => {
        const { code, out } = await runMain(['version']);
        assert.equal(code, 0);
        assert.match(out, /\d+\.\d+\.\d+/);
      },
    },
    {
      id: 'start-failure',
      fact: 'A start that fails says why on standard error and ends with 1; a wrong command line ends with 2.',
      stand: 'other',
      dex: 'Ends with 2 in both cases.',
      why: 'Whoever starts it by a script can tell a typing mistake from a broken file.',
      proof: async (servers) => {
        const broken = await runMain(['serve', fileOf(servers, 'storage: {type: memory}\n')]);
        assert.equal(broken.code, 1);
        assert.match(broken.err, /issuer is required/);
        const missing = await runMain(['serve', '/nonexistent/config.yaml']);
        assert.equal(missing.code, 1);
        assert.match(missing.err, /\/nonexistent\/config\.yaml/);
        assert.equal((await runMain(['frobnicate'])).code, 2);
      },
    },
    {
      id: 'image',
      fact: 'The image runs as user and group 1001.',
      stand: 'kept',
      proof: () => Promise.resolve(assert.match(readFileSync(IMAGE, 'utf8'), /^USER 1001:1001$/m)),
    },
    {
      id: 'gomplate',
      fact: 'No template language is applied to the file: {{ … }} stays what it is.',
      stand: 'absent',
      dex: 'Its image runs gomplate over the file first.',
      why: '$VAR and the keys that end in Env take secrets from the environment.',
      proof: async (servers) => {
        const config =
          'connectors: [{type: mockCallback, id: m, name: "{{ .Env.HOME }}"}, {type: authproxy, id: p, name: P}]\n';
        const text = await (await (await servers.at({ config })).fetch(authUrl({}, '/dex/auth'))).text();
        assert.ok(text.includes('Log in with {{ .Env.HOME }}'));
      },
    },
    {
      id: 'frontend-dir',
      fact: 'DEX_FRONTEND_DIR is frontend.dir where the file has none.',
      stand: 'kept',
      proof: async (servers) => {
        const dir = folderOf(servers);
        mkdirSync(path.join(dir, 'static'));
        writeFileSync(path.join(dir, 'static/a.css'), 'a');
        const identity = await servers.fresh({ env: { DEX_FRONTEND_DIR: dir } });
        assert.equal((await identity.fetch('/dex/static/a.css')).status, 200);
        const own = await servers.fresh({ env: { DEX_FRONTEND_DIR: dir }, more: 'frontend: {dir: /nowhere}' });
        assert.equal((await own.fetch('/dex/static/a.css')).status, 404);
      },
    },
    held({
      id: 'namespace',
      fact: 'KUBERNETES_POD_NAMESPACE is the namespace of the objects that the storage keeps.',
      stand: 'kept',
      by: [['src/storage/kubernetes/api-server.test.ts', 'two replicas on one namespace agree on one key']],
    }),
    {
      id: 'vault',
      fact: 'A signer of type vault, and with it VAULT_ADDR and VAULT_TOKEN, is a mistake of the file.',
      stand: 'absent',
      dex: 'Signs with Vault’s transit engine.',
      why: 'Keys are in the storage, which replicas share anyway.',
      proof: async () => {
        await expectNoStart({ signer: 'signer: {type: vault}\n' }, /signer\.type/);
      },
    },
    {
      id: 'switch-words',
      fact: 'Switches DEX_… are on with 1, t, T, true, TRUE, True, off with 0, f, F, false, FALSE, False; other words change nothing.',
      stand: 'kept',
      proof: async (servers) => {
        const expands = async (value: string): Promise<boolean> => {
          const config = `connectors: [{type: mockPassword, id: m, name: M, config: {username: $WHO, password: p}}]\n`;
          const identity = await servers.at({ config, env: { WHO: 'kim', DEX_EXPAND_ENV: value } });
          const page = (await identity.fetch(authUrl({}, '/dex/auth/m'))).headers.get('location') ?? '';
          return (await identity.post(page, { login: 'kim', password: 'p' })).status === 303;
        };
        const grants = async (value: string): Promise<boolean> => {
          const identity = await servers.at({ env: { DEX_CLIENT_CREDENTIAL_GRANT_ENABLED_BY_DEFAULT: value } });
          const form = { grant_type: 'client_credentials', scope: 'openid' };
          return (await identity.post('/dex/token', form, basic('app', 's3cret'))).status === 200;
        };
        for (const value of ['1', 't', 'T', 'true', 'TRUE', 'True']) assert.ok(await grants(value), value);
        for (const value of ['0', 'f', 'F', 'false', 'FALSE', 'False'])
          assert.equal(await expands(value), false, value);
        for (const value of ['yes', 'no', 'junk', '']) {
          assert.equal(await grants(value), false, value);
          assert.ok(await expands(value), value);
        }
      },
    },
    {
      id: 'switch-connectors-crud',
      fact: 'DEX_API_CONNECTORS_CRUD opens the API’s methods about connectors; off by default.',
      stand: 'kept',
      proof: async (servers) => {
        const more = 'grpc: {addr: "127.0.0.1:0", insecureWithoutClientCertificates: true}\n';
        const clients = createDexApiClients();
        servers.after(() => clients.close());
        const off = await servers.at({ more });
        await refused(clients.at(off.grpc)('ListConnectors'), 2, /not enabled/);
        const on = await servers.at({ more, env: { DEX_API_CONNECTORS_CRUD: 'true' } });
        assert.ok(Array.isArray((await clients.at(on.grpc)('ListConnectors'))['connectors']));
      },
    },
    {
      id: 'switch-continue',
      fact: 'A connector that fails to open never stops the others, whatever DEX_CONTINUE_ON_CONNECTOR_FAILURE says.',
      stand: 'other',
      dex: 'With the switch off a connector that fails stops the start.',
      why: 'Connectors are opened when they are needed and tried again; `identity check` tells beforehand.',
      proof: async (servers) => {
        const search = '{baseDN: "dc=x", username: uid, idAttr: uid, emailAttr: mail}';
        const broken = `{type: ldap, id: ldap, name: L, config: {host: "x:1", rootCA: /nonexistent/ca.pem, userSearch: ${search}}}`;
        const env = { DEX_CONTINUE_ON_CONNECTOR_FAILURE: 'false' };
        const identity = await servers.at({ config: `${USERS}connectors: [${broken}]\n`, env });
        assert.equal((await login(identity)).status, 303);
        await expectPage(await identity.fetch(authUrl({}, '/dex/auth/ldap')), 400, /Connector failed to initialize/);
      },
    },
    {
      id: 'switch-sessions',
      fact: 'The section sessions turns sessions on by itself, without DEX_SESSIONS_ENABLED.',
      stand: 'other',
      dex: '2.45 has no sessions; later versions want the switch too.',
      follows: 'head',
      why: 'Whoever writes the section means it.',
      proof: async (servers) => {
        const identity = await servers.at({ more: 'sessions: {}\n' });
        const browser = new CookieBrowser(identity);
        await browser.logIn();
        assert.ok(await browser.isKnown());
        const without = await servers.at({ env: { DEX_SESSIONS_ENABLED: 'true' } });
        assert.deepEqual((await login(without)).headers.getSetCookie(), []);
      },
    },
    {
      id: 'switch-ent',
      fact: 'DEX_ENT_ENABLED changes nothing.',
      stand: 'absent',
      dex: 'Exchanges the code that speaks to SQL databases.',
      why: 'There is one such code here.',
      proof: async (servers) => {
        const file = path.join(folderOf(servers), 'dex.db');
        const identity = await servers.fresh({
          storage: `type: sqlite3, config: {file: ${file}}`,
          env: { DEX_ENT_ENABLED: 'true' },
        });
        assert.equal((await login(identity)).status, 303);
      },
    },
  ],
};
