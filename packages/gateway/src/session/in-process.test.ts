import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { kubeflowGateway, requireAuthservice, to, virtualService, withoutRedirect } from '../rig/objects.ts';
import { rawExchange } from '../rig/raw-exchange.ts';
import { startRig } from '../rig/rig.ts';
import type { Rig } from '../rig/rig.ts';
import { createSessionBed } from '../rig/session-bed.ts';
import type { SessionBed } from '../rig/session-bed.ts';

let rig: Rig;
let bed: SessionBed;
const asked: string[] = [];
const reached: string[] = [];

before(async () => {
  rig = await startRig();
  rig.sources.gateways.put(withoutRedirect(kubeflowGateway()));
  await rig.upstream('app', (request, response) => {
    reached.push(JSON.stringify(request.rawHeaders));
    response.end('page');
  });
  await rig.upstream(
    'authservice',
    (request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(401).end();
    },
    'istio-system',
  );
  rig.sources.virtualServices.put(virtualService('app', [to('app')]));
  requireAuthservice(rig.sources);
  bed = createSessionBed({ sessions: rig.sessions, secrets: rig.sources.secrets });
  await rig.settle();
});
after(() => rig.close());

const get = (token: string): Promise<string> =>
  rawExchange(
    rig.plainPort(),
    `GET /x HTTP/1.1\r\nHost: h\r\nCookie: authservice_session=${token}\r\nKubeflow-UserID: root\r\nConnection: close\r\n\r\n`,
  );

test('a live session reaches the upstream without a question, with its identity and without its cookie', async () => {
  const token = bed.logIn();
  assert.match(await get(token), /^HTTP\/1\.1 401/);
  bed.lease();
  assert.match(await get(token), /^HTTP\/1\.1 200 [^]*page$/);
  assert.deepEqual(asked, ['/x']);
  assert.match(reached[0] ?? '', /"kubeflow-userid","anna@example.com"/);
  assert.doesNotMatch(reached[0] ?? '', /root|authservice_session/);
  assert.match(rig.gateway.renderMetrics(), /kfctl_gateway_sessions 1\n/);
});

test('a session that was ended is asked about, and so is one that nobody made', async () => {
  const token = bed.logIn();
  bed.lease();
  assert.match(await get(token), /^HTTP\/1\.1 200/);
  bed.logOut(token);
  for (const other of [token, 'x'.repeat(59)]) assert.match(await get(other), /^HTTP\/1\.1 401/);
});
