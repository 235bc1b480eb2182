/** grpc-web through the gateway to a grpc-js server, beside Envoy's grpc_web filter, and from a browser. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { launchChromium } from '../../../testkit/src/chromium.ts';
import { Cleanup } from '../../../testkit/src/front-door/cleanup.ts';
import { startEcho } from '../rig/grpc-echo.ts';
import type { EchoServer } from '../rig/grpc-echo.ts';
import { callWeb, decodeGroups, frame, openWebCall, readFrames, text } from '../rig/grpc-web-call.ts';
import type { Place, WebAnswerParts } from '../rig/grpc-web-call.ts';
import { envoyGrpcWeb } from '../rig/http2-proxies.ts';
import { destinationRule, endpointSlice, service, to, virtualService } from '../rig/objects.ts';
import { startRig } from '../rig/rig.ts';
import type { Rig } from '../rig/rig.ts';

const cleanup = new Cleanup();
const BINARY = { 'content-type': 'application/grpc-web+proto', 'x-grpc-web': '1' };
const TEXT = { 'content-type': 'application/grpc-web-text', accept: 'application/grpc-web-text', 'x-grpc-web': '1' };
let rig: Rig;
let echo: EchoServer;
let gateway: Place;

before(async () => {
  rig = await startRig();
  gateway = { port: rig.tlsPort(), isTls: true };
  echo = await startEcho(['web.Echo']);
  rig.sources.services.put(service('web', 'kubeflow', { name: 'grpc' }));
  const slice = endpointSlice('web', 'kubeflow', []);
  rig.sources.endpointSlices.put({ ...slice, ports: [{ name: 'grpc', port: echo.port }] });
  await rig.upstream('page', (request, response) => {
    response.setHeader('content-type', 'text/html').end(`page ${request.headers['content-type']}`);
  });
  rig.sources.virtualServices.put(
    virtualService('web', [
      { match: [{ uri: { prefix: '/web.Echo/Hang' } }], timeout: '50ms', ...to('web') },
      { match: [{ uri: { prefix: '/web.Echo/' } }], ...to('web') },
      { match: [{ uri: { prefix: '/absent' } }], ...to('absent') },
      to('page'),
    ]),
  );
  await rig.settle();
});
after(async () => {
  echo.close();
  await rig.close();
  await cleanup.run();
});

async function call(
  place: Place,
  method: string,
  body: Buffer,
  headers: Record<string, string>,
): Promise<WebAnswerParts> {
  const answer = await callWeb(place, `/web.Echo/${method}`, { body, headers });
  if (answer === 'broken') throw new Error('the answer broke off');
  return answer;
}

const lines = ({ trailers }: WebAnswerParts): Record<string, string> =>
  Object.fromEntries((trailers ?? []).map((line) => line.split(/:\s*/, 2) as [string, string]));

describe('a grpc-web call', () => {
  test('gets its messages, and its trailers as the last frame', async () => {
    const answer = await call(gateway, 'Unary', frame('hello'), { ...BINARY, 'x-text': 'metadata' });
    assert.deepEqual([answer.status, answer.headers['content-type']], [200, 'application/grpc-web+proto']);
    assert.deepEqual([answer.headers['x-text'], answer.messages], ['metadata', ['hello']]);
    assert.deepEqual([lines(answer)['grpc-status'], lines(answer)['x-size']], ['0', '5']);
    assert.equal(answer.headers['grpc-status'], undefined);
  });

  test('as text gets text, with padding wherever the client puts it', async () => {
    const twice = Buffer.concat([text(frame('3')), text(frame('4'))]);
    for (const [method, body, expected] of [
      ['Unary', text(frame('hello')), 'hello'],
      ['Sum', twice, '7'],
    ] as const) {
      const answer = await call(gateway, method, body, TEXT);
      assert.equal(answer.headers['content-type'], 'application/grpc-web-text+proto');
      assert.match(answer.raw.toString(), /^[A-Za-z0-9+/=]+$/);
      assert.deepEqual([answer.messages, lines(answer)['grpc-status']], [[expected], '0']);
    }
    const asBytes = await call(gateway, 'Unary', text(frame('x')), { 'content-type': 'application/grpc-web-text' });
    assert.equal(asBytes.headers['content-type'], 'application/grpc-web+proto');
  });

  test('that fails says why: all in the head, or after messages', async () => {
    const failed = await call(gateway, 'Fail', frame(''), BINARY);
    assert.deepEqual([failed.status, failed.headers['grpc-status'], failed.raw.length], [200, '5', 0]);
    assert.equal(decodeURIComponent(String(failed.headers['grpc-message'])), 'nöthing % here');
    const late = await call(gateway, 'FailLate', text(frame('')), TEXT);
    assert.deepEqual([late.messages, lines(late)['grpc-status'], lines(late)['grpc-message']], [['one'], '9', 'late']);
  });

  test('streams both ways, message by message', async () => {
    for (const headers of [BINARY, TEXT]) {
      const encode = headers === TEXT ? text : (bytes: Buffer): Buffer => bytes;
      const talk = openWebCall(gateway, '/web.Echo/Talk', headers);
      talk.write(encode(frame('first')));
      const [response] = (await once(talk, 'response')) as [NodeJS.ReadableStream];
      let received = Buffer.alloc(0);
      response.on('data', (chunk: Buffer) => void (received = Buffer.concat([received, chunk])));
      const frames = (): ReturnType<typeof readFrames> =>
        readFrames(headers === TEXT ? decodeGroups(received.toString('latin1')) : received);
      for (const [index, word] of ['first', 'second', 'third'].entries()) {
        if (index > 0) talk.write(encode(frame(word)));
        while (frames().messages.length <= index) await rig.settle();
        assert.equal(frames().messages[index], word);
      }
      talk.end();
      await once(response, 'end');
      assert.ok(frames().trailers?.some((line) => /^grpc-status: ?0$/.test(line)));
    }
  });

  test('of a thousand messages and of 3 MiB passes whole', async () => {
    const counted = await call(gateway, 'Count', text(frame('1000')), TEXT);
    assert.deepEqual(
      counted.messages,
      Array.from({ length: 1000 }, (_, index) => String(index)),
    );
    const large = 'x'.repeat(3 * 1024 * 1024);
    for (const headers of [BINARY, TEXT]) {
      const body = headers === TEXT ? text(frame(large)) : frame(large);
      assert.deepEqual((await call(gateway, 'Unary', body, headers)).messages, [large]);
    }
  });

  test('keeps its time, and hears of the gateway by HTTP statuses', async () => {
    const hang = await call(gateway, 'Hang', frame(''), BINARY);
    assert.equal(hang.status, 504);
    const short = await call(gateway, 'Unary', frame('x'), { ...BINARY, 'grpc-timeout': '5S' });
    assert.equal(short.status, 200);
    const absent = await callWeb(gateway, '/absent', { body: frame(''), headers: BINARY });
    assert.ok(absent !== 'broken');
    assert.equal(absent.status, 503);
  });

  test('goes on as it is where the port does not say that it speaks HTTP/2', async () => {
    const answer = await callWeb(gateway, '/page', { body: frame('x'), headers: BINARY });
    assert.ok(answer !== 'broken');
    assert.equal(answer.raw.toString(), 'page application/grpc-web+proto');
  });

  test('is sent again to another endpoint as any other', async () => {
    rig.sources.destinationRules.put(destinationRule('web', { host: 'web' }));
    const slice = endpointSlice('web', 'kubeflow', []);
    const metadata = { ...slice.metadata, name: 'web-dead' };
    rig.sources.endpointSlices.put({ ...slice, metadata, ports: [{ name: 'grpc', port: 9 }] });
    await rig.settle();
    for (let turn = 0; turn < 4; turn += 1) {
      assert.deepEqual((await call(gateway, 'Unary', text(frame('again')), TEXT)).messages, ['again']);
    }
    rig.sources.endpointSlices.remove('web-dead', 'kubeflow');
    await rig.settle();
  });
});

describe('what is no sequence of messages', () => {
  const long = Buffer.from([0, 255, 255, 255, 255]);
  const cases: Readonly<Record<string, readonly [headers: Record<string, string>, body: Buffer]>> = {
    'is no base64': [TEXT, Buffer.from('AAAA*AAA')],
    'is base64 of another alphabet': [TEXT, Buffer.from('AAAA-_AA')],
    'has padding alone': [TEXT, Buffer.from('====')],
    'has padding too early': [TEXT, Buffer.from('A===')],
    'has bytes behind padding in a group': [TEXT, Buffer.from('AA=A')],
    'ends within a group': [TEXT, text(frame('hello')).subarray(0, -1)],
    'ends within a message': [BINARY, frame('hello').subarray(0, -1)],
    'ends within a prefix': [BINARY, Buffer.concat([frame('hello'), Buffer.from([0, 0])])],
    'promises 4 GiB and ends': [BINARY, long],
    'has trailers of its own': [BINARY, Buffer.concat([frame('hello'), frame('kubeflow-userid: mallory\r\n', 0x80)])],
    'has flags that nobody knows': [BINARY, frame('hello', 2)],
    'has them behind a message': [TEXT, text(Buffer.concat([frame('hello'), frame('x', 0x40)]))],
  };
  for (const [name, [headers, body]] of Object.entries(cases)) {
    test(`${name}: 400`, async () => {
      assert.equal((await call(gateway, 'Sum', body, headers)).status, 400);
    });
  }

  test('breaks off an answer that has begun, and the call at the server', async () => {
    const talk = openWebCall(gateway, '/web.Echo/Talk', BINARY);
    talk.on('error', () => undefined);
    talk.write(frame('fine'));
    const [response] = (await once(talk, 'response')) as [NodeJS.ReadableStream];
    await once(response, 'data');
    const calls = echo.cancelled.length;
    talk.write(Buffer.from([0x80, 0, 0, 0, 0]));
    const [error] = (await once(response, 'error')) as [Error];
    assert.equal(error.message, 'aborted');
    while (echo.cancelled.length === calls) await rig.settle();
    assert.equal(echo.cancelled.at(-1), 'Talk');
  });

  test('does not include a message that is large: its server says what it takes', async () => {
    const small = await startEcho(['small.Echo'], {});
    try {
      rig.sources.services.put(service('small', 'kubeflow', { name: 'grpc' }));
      const slice = endpointSlice('small', 'kubeflow', []);
      rig.sources.endpointSlices.put({ ...slice, ports: [{ name: 'grpc', port: small.port }] });
      const match = [{ uri: { prefix: '/small.Echo/' } }];
      rig.sources.virtualServices.put(virtualService('small', [{ match, ...to('small') }]));
      await rig.settle();
      const body = frame(Buffer.alloc(5 * 1024 * 1024));
      const answer = await callWeb(gateway, '/small.Echo/Unary', { body, headers: BINARY });
      assert.ok(answer !== 'broken');
      assert.deepEqual([answer.status, answer.headers['grpc-status']], [200, '8']);
    } finally {
      small.close();
    }
  });
});

describe('beside Envoy’s grpc_web filter', { skip: envoyGrpcWeb.skip }, () => {
  let envoy: Place;
  before(async () => {
    envoy = { port: await envoyGrpcWeb.start(cleanup, { grpc: echo.port, web: 1 }), isTls: false };
  });

  const calls: readonly (readonly [method: string, body: Buffer, headers: Record<string, string>])[] = [
    ['Unary', frame('hello'), BINARY],
    ['Unary', frame('hello'), { ...BINARY, 'content-type': 'application/grpc-web' }],
    ['Unary', text(frame('hello')), TEXT],
    ['Unary', text(frame('hello')), { ...TEXT, accept: '*/*' }],
    ['Unary', frame('hello'), { ...BINARY, accept: 'application/grpc-web-text+proto' }],
    ['Fail', frame(''), BINARY],
    ['Fail', text(frame('')), TEXT],
    ['FailLate', frame(''), BINARY],
    ['Count', frame('50'), BINARY],
    ['Count', text(frame('50')), TEXT],
    ['Nothing', frame(''), BINARY],
    ['Unary', Buffer.from('****'), TEXT],
    ['Unary', Buffer.from('AAAAA'), TEXT],
  ];
  for (const [index, [method, body, headers]] of calls.entries()) {
    test(`the same answer: ${method}, case ${index}`, async () => {
      const seen = (answer: WebAnswerParts): unknown => ({
        status: answer.status,
        ...(answer.status === 200 && {
          type: answer.headers['content-type'],
          grpc: [answer.headers['grpc-status'], answer.headers['grpc-message']],
          messages: answer.messages,
          trailers: lines(answer),
        }),
      });
      const [ours, theirs] = [await call(gateway, method, body, headers), await call(envoy, method, body, headers)];
      assert.deepEqual(seen(ours), seen(theirs));
    });
  }
});

test('a browser reads messages as they come', async () => {
  const browser = await launchChromium();
  try {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    await page.goto(`https://127.0.0.1:${rig.tlsPort()}/page`);
    const script = `(async () => {
      const body = new Uint8Array([0, 0, 0, 0, 2, 53, 48]);
      const headers = { 'content-type': 'application/grpc-web+proto', 'x-grpc-web': '1' };
      const response = await fetch('/web.Echo/Count', { method: 'POST', headers, body });
      const bytes = [];
      for await (const chunk of response.body) bytes.push(...chunk);
      return { type: response.headers.get('content-type'), bytes };
    })()`;
    const { type, bytes } = await page.evaluate<{ type: string; bytes: number[] }>(script);
    const { messages, trailers } = readFrames(Buffer.from(bytes));
    assert.deepEqual([type, messages.length, messages.at(-1)], ['application/grpc-web+proto', 50, '49']);
    assert.ok(trailers?.some((line) => /^grpc-status: ?0$/.test(line)));
  } finally {
    await browser.close();
  }
});
