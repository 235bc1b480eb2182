import assert from 'node:assert/strict';
import { createServer as createPlainServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { selfSigned } from './rig/certificates.ts';
import { fetchText } from './rig/fetch-text.ts';
import { destinationRule, endpointSlice, requireAuthservice, service, to, virtualService } from './rig/objects.ts';
import { startRig } from './rig/rig.ts';
import type { Rig } from './rig/rig.ts';

const HOST = 'authservice.istio-system.svc.cluster.local';
let rig: Rig;
const servers: Server[] = [];

before(async () => {
  rig = await startRig();
  await rig.upstream('app', (request, response) => response.end(`hello ${request.headers['kubeflow-userid']}`));
  rig.sources.virtualServices.put(virtualService('app', [to('app')]));
  requireAuthservice(rig.sources);
});
after(async () => {
  await rig.close();
  for (const server of servers) server.close();
});

async function place(server: Server, port: { readonly name?: string } = {}): Promise<void> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const slice = endpointSlice('authservice', 'istio-system', []);
  rig.sources.services.put(service('authservice', 'istio-system', port));
  rig.sources.endpointSlices.put({
    ...slice,
    ports: [{ name: port.name ?? 'http', port: (server.address() as AddressInfo).port }],
  });
}

async function rule(trafficPolicy: object): Promise<void> {
  rig.sources.destinationRules.put(
    destinationRule('authservice', { host: HOST, trafficPolicy }, { namespace: 'istio-system' }),
  );
  await rig.settle();
}

const allow = (_request: IncomingMessage, response: ServerResponse): void =>
  void response.setHeader('kubeflow-userid', 'anna').end();

describe('the authorizer of a CUSTOM policy is asked by the rules of its service', () => {
  test('with TLS, and not at all where its certificate is another’s', async () => {
    const certificate = await selfSigned([HOST]);
    await place(createServer(certificate, allow));
    const metadata = { name: 'authservice-ca', namespace: 'istio-system' };
    const data = { 'ca.crt': Buffer.from(certificate.cert).toString('base64') };
    rig.sources.secrets.put({ apiVersion: 'v1', kind: 'Secret', metadata, data });
    await rule({ tls: { mode: 'SIMPLE', credentialName: 'authservice-ca' } });
    assert.equal((await fetchText(rig.tlsPort(), '/')).text, 'hello anna');
    await rule({ tls: { mode: 'SIMPLE', credentialName: 'authservice-ca', sni: 'other.example' } });
    assert.equal((await fetchText(rig.tlsPort(), '/')).status, 503);
    await rule({ tls: { mode: 'SIMPLE', credentialName: 'not-there' } });
    assert.equal((await fetchText(rig.tlsPort(), '/')).status, 503);
  });

  test('within its limits', async () => {
    const held: (() => void)[] = [];
    await place(createPlainServer((request, response) => void held.push(() => allow(request, response))));
    await rule({ connectionPool: { http: { http2MaxRequests: 1 } } });
    const first = fetchText(rig.tlsPort(), '/first');
    while (held.length === 0) await rig.settle();
    assert.equal((await fetchText(rig.tlsPort(), '/second')).status, 503);
    held[0]?.();
    assert.equal((await first).text, 'hello anna');
  });

  test('over HTTP/2 where its port says so', async () => {
    const server = createHttp2Server((_request, response) => {
      response.setHeader('kubeflow-userid', 'bob');
      response.end();
    });
    const sessions: { destroy(): void }[] = [];
    server.on('session', (session) => void sessions.push(session));
    await place(server, { name: 'http2' });
    await rule({});
    assert.equal((await fetchText(rig.tlsPort(), '/')).text, 'hello bob');
    for (const session of sessions) session.destroy();
  });

  test('and never in the clear where a rule that cannot be read asks for TLS', async () => {
    await place(createPlainServer(allow));
    rig.sources.destinationRules.remove('authservice', 'istio-system');
    await rig.settle();
    assert.equal((await fetchText(rig.tlsPort(), '/')).text, 'hello anna');
    await rule({ tls: { mode: 'SIMPEL' } });
    assert.equal((await fetchText(rig.tlsPort(), '/')).status, 503);
  });
});
