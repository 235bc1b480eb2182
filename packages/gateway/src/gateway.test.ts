import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { requireAuthservice, testCredential, to, virtualService } from './rig/objects.ts';
import { startRig } from './rig/rig.ts';
import type { Rig } from './rig/rig.ts';

const run = promisify(execFile);

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function h2Request(
  session: ClientHttp2Session,
  headers: Record<string, string | string[]>,
  body?: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': '/', ...headers }, { endStream: body === undefined });
    let answer: IncomingHttpHeaders = {};
    let text = '';
    stream.on('response', (received) => void (answer = received));
    stream.setEncoding('utf8').on('data', (chunk: string) => void (text += chunk));
    stream.on('end', () => resolve({ status: Number(answer[':status']), headers: answer, body: text }));
    stream.on('error', reject);
    if (body !== undefined) stream.end(body);
  });
}

describe('a gateway over real sockets', () => {
  let rig: Rig;
  let session: ClientHttp2Session;
  const seen: {
    path: string;
    headers: Record<string, string | string[] | undefined>;
    rawHeaders: string[];
    body: string;
  }[] = [];

  before(async () => {
    rig = await startRig();
    await rig.upstream('centraldashboard', (request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => void (body += chunk));
      request.on('end', () => {
        seen.push({ path: request.url ?? '', headers: request.headers, rawHeaders: request.rawHeaders, body });
        response.setHeader('set-cookie', ['a=1', 'b=2']);
        response.end(`dashboard ${request.method} ${request.url} ${body}`);
      });
    });
    await rig.upstream('dex', (request, response) => {
      seen.push({ path: request.url ?? '', headers: request.headers, rawHeaders: request.rawHeaders, body: '' });
      response.end(`dex ${request.url}`);
    });
    await rig.upstream(
      'authservice',
      (request, response) => {
        if (request.headers.cookie === 'authservice_session=good') {
          response.setHeader('kubeflow-userid', 'anna@example.com').setHeader('x-secret', 'not for the upstream').end();
        } else if (request.headers.cookie === 'authservice_session=broken') {
          response.writeHead(500).end('stack trace');
        } else {
          response.writeHead(302, {
            location: `/dex/auth?from=${request.method}${request.url}`,
            'set-cookie': ['s=1', 't=2'],
            'x-internal': '1',
          });
          response.end('go and log in');
        }
      },
      'istio-system',
    );
    rig.sources.virtualServices.put(virtualService('dex', [{ match: [{ uri: { prefix: '/dex/' } }], ...to('dex') }]));
    rig.sources.virtualServices.put(
      virtualService('centraldashboard', [
        {
          match: [{ uri: { prefix: '/' } }],
          rewrite: { uri: '/' },
          headers: { request: { set: { 'kubeflow-userid': 'root', 'x-from': 'vs' } } },
          ...to('centraldashboard'),
        },
      ]),
    );
    requireAuthservice(rig.sources);
    await rig.settle();
    session = connectHttp2(`https://127.0.0.1:${rig.tlsPort()}`, { rejectUnauthorized: false });
  });

  after(async () => {
    session.close();
    await rig.close();
  });

  test('curl negotiates HTTP/2 and gets the redirect of the authorizer', async () => {
    const { stdout } = await run('curl', ['-sk', '--http2', '-i', `https://127.0.0.1:${rig.tlsPort()}/pipeline/?a=b`]);
    assert.match(stdout, /^HTTP\/2 302/);
    assert.match(stdout, /location: \/dex\/auth\?from=GET\/pipeline\/\?a=b\r\n/);
    assert.match(stdout, /server: kfctl-gateway/);
    assert.match(stdout, /set-cookie: s=1\r\nset-cookie: t=2/);
    assert.doesNotMatch(stdout, /x-internal/);
    assert.match(stdout, /go and log in$/);
  });

  test('an allowed request reaches the upstream with the identity of the authorizer alone', async () => {
    seen.length = 0;
    const answer = await h2Request(session, {
      ':path': '/api/x?y=1',
      cookie: 'authservice_session=good',
      'kubeflow-userid': 'admin@example.com',
      kubeflow_userid: 'admin@example.com',
      'x-team-name': 'forged',
      'x-forwarded-for': '6.6.6.6',
    });
    assert.equal(answer.status, 200);
    assert.equal(answer.body, 'dashboard GET /api/x?y=1 ');
    assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
    assert.match(String(answer.headers['x-envoy-upstream-service-time']), /^\d+$/);
    const [request] = seen;
    assert.equal(request?.headers['kubeflow-userid'], 'anna@example.com');
    assert.equal(request?.rawHeaders.filter((name) => /userid/i.test(name)).length, 1);
    assert.equal(request?.headers['x-secret'], undefined);
    assert.equal(request?.headers['x-team-name'], undefined);
    assert.equal(request?.headers['x-from'], 'vs');
    assert.equal(request?.headers['x-forwarded-for'], '127.0.0.1');
    assert.equal(request?.headers['x-forwarded-proto'], 'https');
    assert.match(String(request?.headers['x-request-id']), /^[0-9a-f-]{36}$/);
  });

  test('a path that the policy leaves out is not checked, and still carries no forged identity', async () => {
    seen.length = 0;
    const answer = await h2Request(session, {
      ':path': '/dex/auth',
      'Kubeflow-UserID': 'admin',
      'KUBEFLOW-GROUPS': 'admins',
    });
    assert.equal(answer.body, 'dex /dex/auth');
    assert.equal(
      seen[0]?.rawHeaders.some((name) => /userid|groups/i.test(name)),
      false,
    );
  });

  test('a failing authorizer lets nobody in', async () => {
    const answer = await h2Request(session, { cookie: 'authservice_session=broken' });
    assert.equal(answer.status, 503);
    assert.doesNotMatch(answer.body, /stack/);
  });

  test('a body is passed on, with its length over HTTP/1.1 and without one over HTTP/2', async () => {
    seen.length = 0;
    const answer = await h2Request(
      session,
      { ':path': '/up', ':method': 'POST', cookie: 'authservice_session=good' },
      'hello body',
    );
    assert.equal(answer.body, 'dashboard POST /up hello body');
    assert.equal(seen[0]?.headers['transfer-encoding'], 'chunked');
    const text = await new Promise<string>((resolve, reject) => {
      const sent = httpsRequest(
        {
          port: rig.tlsPort(),
          host: '127.0.0.1',
          path: '/up',
          method: 'POST',
          rejectUnauthorized: false,
          headers: { cookie: 'authservice_session=good', 'content-length': 3 },
        },
        (response) => {
          let received = '';
          response
            .setEncoding('utf8')
            .on('data', (chunk: string) => void (received += chunk))
            .on('end', () => resolve(received));
        },
      );
      sent.on('error', reject).end('abc');
    });
    assert.equal(text, 'dashboard POST /up abc');
    assert.equal(seen[1]?.headers['content-length'], '3');
  });

  test('port 80 only redirects', async () => {
    const location = await new Promise<string | undefined>((resolve, reject) => {
      httpRequest(
        { port: rig.plainPort(), host: '127.0.0.1', path: '/x?y', headers: { host: 'kf.example.com' } },
        (response) => {
          response.resume();
          resolve(`${response.statusCode} ${response.headers.location}`);
        },
      )
        .on('error', reject)
        .end();
    });
    assert.equal(location, '301 https://kf.example.com/x?y');
  });

  test('a new certificate is used for the next connection, without a restart', async () => {
    const secret = await testCredential('rotated.example.com');
    rig.sources.secrets.put(secret);
    await rig.settle();
    const { stderr } = await run('curl', ['-skv', '-o', '/dev/null', `https://127.0.0.1:${rig.tlsPort()}/dex/`]);
    assert.match(stderr, /CN=rotated\.example\.com/);
    rig.sources.secrets.put({ ...secret, data: { 'tls.crt': 'AAAA', 'tls.key': 'AAAA' } });
    await rig.settle();
    const again = await run('curl', ['-skv', '-o', '/dev/null', `https://127.0.0.1:${rig.tlsPort()}/dex/`]);
    assert.match(again.stderr, /CN=rotated\.example\.com/);
    assert.match(rig.warnings.join('\n'), /Secret istio-ingressgateway-certs: InvalidCertificate/);
  });

  test('a broken VirtualService keeps its last good routes and says what is wrong', async () => {
    rig.sources.virtualServices.put(virtualService('dex', [{ match: [{ uri: { regexp: '/dex/' } }], ...to('dex') }]));
    await rig.settle();
    const answer = await h2Request(session, { ':path': '/dex/keys' });
    assert.equal(answer.body, 'dex /dex/keys');
    assert.match(rig.warnings.join('\n'), /VirtualService dex: Invalid: .*regexp: is not supported.*last good version/);
  });

  test('without ready endpoints the answer is 503 no healthy upstream, without route 404', async () => {
    rig.sources.virtualServices.put(
      virtualService('gone', [{ match: [{ uri: { prefix: '/dex/gone' } }], ...to('nobody') }], {
        created: '2020-01-01T00:00:00Z',
      }),
    );
    await rig.settle();
    const answer = await h2Request(session, { ':path': '/dex/gone' });
    assert.equal(`${answer.status} ${answer.body}`, '503 no healthy upstream');
    rig.sources.virtualServices.remove('centraldashboard', 'kubeflow');
    await rig.settle();
    assert.equal((await h2Request(session, { ':path': '/other' })).status, 404);
  });

  test('the access log has a line in the default format of Envoy, without secrets of the query', async () => {
    await h2Request(session, { ':path': '/dex/auth?code=topsecret&x=1', 'user-agent': 'te"st' });
    while (!rig.accessLog.some((line) => line.includes('x=1'))) await rig.settle();
    const line = rig.accessLog.find((entry) => entry.includes('x=1'));
    assert.match(
      line ?? '',
      /^\[\d{4}-\d\d-\d\dT[\d:.]+Z\] "GET \/dex\/auth\?code=\[masked\]&x=1 HTTP\/2" 200 - 0 \d+ \d+ \d+ "127\.0\.0\.1" "te\\x22st" "[0-9a-f-]{36}" "127\.0\.0\.1:\d+" "127\.0\.0\.1:\d+"$/,
    );
  });
});
