/** Owns the rows about health, scripts of other origins, headers, and whom the log says a request came from. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { authUrl, openLogin } from '../test-identity.ts';
import type { TestIdentity } from '../test-identity.ts';
import { expectPage } from './expectations.ts';
import type { Section } from './row.ts';
import { ask } from './servers.ts';
import type { RawAnswer } from './servers.ts';

const CORS = { web: ', allowedOrigins: ["https://a.example"]' };
const READABLE = ['', '/.well-known/openid-configuration', '/token', '/keys', '/userinfo', '/token/introspect'];

function preflight(identity: TestIdentity, target: string, origin = 'https://a.example'): Promise<RawAnswer> {
  const headers = {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization',
  };
  return ask(identity, target, { method: 'OPTIONS', headers });
}

/** The address that the log gives for a refused login with this header. */
async function addressInLog(identity: TestIdentity, header: Record<string, string>): Promise<unknown> {
  identity.log.length = 0;
  const form = { login: `nobody-${identity.now}@example.com`, password: 'wrong' };
  identity.now += 600_000;
  assert.equal((await identity.post(await openLogin(identity), form, header)).status, 401);
  const line = identity.log.find((text) => text.includes('"login refused"')) ?? '{}';
  return (JSON.parse(line) as { from?: unknown }).from;
}

export const HEADERS: Section = {
  id: '2.14',
  title: 'Health, scripts, headers, addresses',
  rows: [
    {
      id: 'healthy',
      fact: '/healthz is 200 with "Health check passed" while the storage answers.',
      stand: 'kept',
      proof: async (servers) => {
        const { status, body } = await ask(await servers.at(), '/dex/healthz');
        assert.equal(status, 200);
        assert.match(body, /^Health check passed/);
      },
    },
    {
      id: 'unhealthy',
      fact: '/healthz is a page with 500 while the storage does not answer, within seconds and without a write for each look.',
      stand: 'kept',
      dex: 'Looks every 15 s by writing a login request and deleting it.',
      why: 'The probe reads only; several callers within 5 s share one look.',
      proof: async (servers) => {
        const directory = mkdtempSync(path.join(tmpdir(), 'identity-health-'));
        servers.after(() => rmSync(directory, { recursive: true, force: true }));
        const file = path.join(directory, 'dex.db');
        const identity = await servers.fresh({ storage: `type: sqlite3, config: {file: ${file}}` });
        assert.equal((await identity.fetch('/dex/healthz')).status, 200);
        const database = new DatabaseSync(file);
        database.exec('DROP TABLE record');
        database.close();
        identity.now += 6000;
        const text = await expectPage(await identity.fetch('/dex/healthz'), 500, /Health check failed\./);
        assert.doesNotMatch(text, /sqlite|record|no such table/i);
      },
    },
    {
      id: 'preflight',
      fact: 'A preflight of an allowed origin is answered with that origin, the methods, and web.allowedHeaders, which is Authorization when not set.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at(CORS);
        for (const target of READABLE) {
          const { status, headers } = await preflight(identity, `/dex${target}`);
          assert.equal(status, 204, target);
          assert.equal(headers['access-control-allow-origin'], 'https://a.example', target);
          assert.match(String(headers['access-control-allow-headers']), /^authorization$/i);
          for (const method of ['GET', 'POST', 'HEAD'])
            assert.match(String(headers['access-control-allow-methods']), new RegExp(method));
        }
        const web = ', allowedOrigins: ["https://a.example"], allowedHeaders: [X-One, X-Two]';
        const chosen = await preflight(await servers.at({ web }), '/dex/token');
        assert.equal(chosen.headers['access-control-allow-headers'], 'X-One, X-Two');
      },
    },
    {
      id: 'preflight-foreign',
      fact: 'A preflight of another origin, and every preflight where none is configured, allows nothing.',
      stand: 'kept',
      proof: async (servers) => {
        for (const identity of [await servers.at(CORS), await servers.at()]) {
          for (const target of READABLE) {
            const { headers } = await preflight(identity, `/dex${target}`, 'https://b.example');
            assert.equal(headers['access-control-allow-origin'], undefined, target);
            assert.equal(headers['access-control-allow-headers'], undefined, target);
          }
        }
      },
    },
    {
      id: 'credentials',
      fact: 'No answer lets scripts send credentials along.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at({ web: ', allowedOrigins: ["*"]' });
        for (const target of READABLE) {
          const plain = await ask(identity, `/dex${target}`, { headers: { origin: 'https://b.example' } });
          assert.equal(plain.headers['access-control-allow-origin'], '*', target);
          const asked = await preflight(identity, `/dex${target}`);
          for (const { headers } of [plain, asked])
            assert.equal(headers['access-control-allow-credentials'], undefined);
        }
      },
    },
    {
      id: 'configured-headers',
      fact: 'web.headers are on every answer: pages, JSON, redirects, refusals and unknown addresses.',
      stand: 'kept',
      proof: async (servers) => {
        const configured = {
          'content-security-policy': "default-src 'self'",
          'x-frame-options': 'SAMEORIGIN',
          'x-content-type-options': 'nosniff',
          'x-xss-protection': '1; mode=block',
          'strict-transport-security': 'max-age=31536000',
        };
        const keys = ['Content-Security-Policy', 'X-Frame-Options', 'X-Content-Type-Options', 'X-XSS-Protection'];
        const names = [...keys, 'Strict-Transport-Security'];
        const web = names.map(
          (name) => `${name}: ${JSON.stringify(configured[name.toLowerCase() as 'x-frame-options'])}`,
        );
        const identity = await servers.at({ web: `, headers: {${web.join(', ')}}` });
        for (const target of ['/dex', '/dex/keys', authUrl(), '/dex/token', '/dex/userinfo', '/nowhere']) {
          const { headers } = await ask(identity, target);
          for (const [name, value] of Object.entries(configured))
            assert.equal(headers[name], value, `${target} ${name}`);
        }
      },
    },
    {
      id: 'built-in-headers',
      fact: 'Without web.headers answers cannot be framed or sniffed and send no referrer, and pages allow no script.',
      stand: 'safer',
      dex: 'Sends none that are not configured.',
      why: 'A login page without them can be put into a frame of another site.',
      proof: async (servers) => {
        const identity = await servers.at();
        for (const target of ['/dex', '/dex/keys', authUrl(), '/nowhere']) {
          const { headers } = await ask(identity, target);
          assert.equal(headers['x-frame-options'], 'DENY', target);
          assert.equal(headers['x-content-type-options'], 'nosniff', target);
          assert.equal(headers['referrer-policy'], 'no-referrer', target);
        }
        const policy = String((await ask(identity, '/dex')).headers['content-security-policy']);
        assert.match(policy, /default-src 'none'/);
        assert.doesNotMatch(policy, /script-src|unsafe/);
      },
    },
    {
      id: 'address-off',
      fact: 'Without web.clientRemoteIP the log names the peer of the connection, whatever headers say.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.fresh();
        assert.equal(await addressInLog(identity, { 'x-forwarded-for': '203.0.113.9' }), '127.0.0.1');
      },
    },
    {
      id: 'address-trusted',
      fact: 'With web.clientRemoteIP the log names the address that trusted proxies tell.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.fresh({
          web: ', clientRemoteIP: {header: X-Forwarded-For, trustedProxies: [127.0.0.0/8, 10.0.0.0/8]}',
        });
        assert.equal(await addressInLog(identity, { 'x-forwarded-for': '203.0.113.9, 10.1.2.3' }), '203.0.113.9');
        assert.equal(await addressInLog(identity, {}), '127.0.0.1');
      },
    },
    {
      id: 'address-forged',
      fact: 'A hop that is no trusted proxy ends the search: what a client writes before it is not believed.',
      stand: 'kept',
      dex: '2.45 believes the header where any hop is trusted; later versions where all are.',
      follows: 'head',
      proof: async (servers) => {
        const web = (proxies: string) => ({
          web: `, clientRemoteIP: {header: X-Forwarded-For, trustedProxies: [${proxies}]}`,
        });
        const trusting = await servers.fresh(web('127.0.0.0/8, 10.0.0.0/8'));
        const forged = { 'x-forwarded-for': '198.51.100.1, 203.0.113.9, 10.1.2.3' };
        assert.equal(await addressInLog(trusting, forged), '203.0.113.9');
        const wary = await servers.fresh(web('10.0.0.0/8'));
        assert.equal(await addressInLog(wary, { 'x-forwarded-for': '198.51.100.1, 10.1.2.3' }), '127.0.0.1');
      },
    },
  ],
};
