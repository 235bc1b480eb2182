/** TLS by the files that a DestinationRule names, with the peers that other people run. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Cleanup } from '../../../../testkit/src/front-door/cleanup.ts';
import { temporaryDirectory } from '../../../../testkit/src/front-door/programs.ts';
import { selfSigned } from '../../rig/certificates.ts';
import { fetchText } from '../../rig/fetch-text.ts';
import { envoyProxy, nginxProxy } from '../../rig/http2-proxies.ts';
import { destinationRule, endpointSlice, service, to, virtualService } from '../../rig/objects.ts';
import { startRig } from '../../rig/rig.ts';
import { usualBudget } from '../cluster/open-upstream.ts';
import { createHttp2Upstream } from '../http2/http2-upstream.ts';
import type { UpstreamRequest } from '../upstream.ts';
import { createUpstreamTls } from './upstream-tls.ts';

const HOST = 'peer.kubeflow.svc.cluster.local';
const cleanup = new Cleanup();
let web: Server;
/** Files: of the server, of a client that it believes and of one that it does not, and those that the rule names. */
let files: Record<'server' | 'serverKey' | 'known' | 'cert' | 'key' | 'ca', string>;
let pems: Record<'known' | 'stranger' | 'server', { readonly cert: string; readonly key: string }>;

before(async () => {
  web = createServer((request, response) => response.end(`${request.method} ${request.url}`)).listen(0, '127.0.0.1');
  await once(web, 'listening');
  const directory = await temporaryDirectory(cleanup);
  const names = ['server', 'serverKey', 'known', 'cert', 'key', 'ca'].map((name) => [name, path.join(directory, name)]);
  files = Object.fromEntries(names) as typeof files;
  pems = {
    server: await selfSigned([HOST]),
    known: await selfSigned(['gateway']),
    stranger: await selfSigned(['stranger']),
  };
  await writeFile(files.server, pems.server.cert);
  await writeFile(files.serverKey, pems.server.key);
  await writeFile(files.known, pems.known.cert);
});
after(async () => {
  web.closeAllConnections();
  web.close();
  await cleanup.run();
});

/** As a mounted Secret is renewed: whole files take the place of others. */
async function mount(client: 'known' | 'stranger', authority: 'server' | 'stranger' = 'server'): Promise<void> {
  const contents = { cert: pems[client].cert, key: pems[client].key, ca: pems[authority].cert };
  for (const [name, text] of Object.entries(contents)) {
    const place = files[name as keyof typeof contents];
    await writeFile(`${place}.new`, text);
    await rename(`${place}.new`, place);
  }
}

const credential = (): object => ({
  clientCertificate: files.cert,
  privateKey: files.key,
  caCertificates: files.ca,
});

const REQUEST: UpstreamRequest = {
  method: 'GET',
  target: '/asked',
  authority: HOST,
  fields: [],
  body: { kind: 'none' },
  webSocket: false,
  isGrpc: false,
  clientIsHttp2: true,
};

for (const proxy of [envoyProxy, nginxProxy]) {
  describe(`MUTUAL by files, to ${proxy.name}`, { skip: proxy.skip }, () => {
    let port: number;
    let nowMs = 1_000_000;

    before(async () => {
      const tls = { certificate: files.server, key: files.serverKey, clientAuthority: files.known };
      port = await proxy.start(cleanup, { grpc: 1, web: (web.address() as AddressInfo).port }, tls);
    });

    /** Each asks on a connection of its own, by the same reader of files. */
    function openAsker(): () => Promise<string> {
      const { cert: certificate, key, ca: authorities } = files;
      const tls = createUpstreamTls({
        tls: {
          kind: 'tls',
          credential: { kind: 'files', certificate, key, authorities },
          sni: undefined,
          subjectAltNames: [],
          insecureSkipVerify: false,
        },
        host: HOST,
        secrets: { get: () => undefined },
        namespace: 'istio-system',
        now: () => nowMs,
      });
      return () =>
        new Promise((resolve) => {
          const upstream = createHttp2Upstream({ tls, openBudget: usualBudget });
          let status = 0;
          const finish = (text: string): void => {
            upstream.close();
            resolve(text);
          };
          upstream.send({ host: '127.0.0.1', port }, REQUEST, {
            onHead: (head) => void (status = head.status),
            onData: () => true,
            onEnd: () => finish(String(status)),
            onUpgrade: () => undefined,
            // Over TLS 1.3 a server refuses a certificate after the client's handshake is done.
            onFailure: () => finish('failed'),
          });
        });
    }

    test('shows the certificate of the files, and the new one some seconds after they were renewed', async () => {
      await mount('stranger');
      const ask = openAsker();
      assert.match(await ask(), /^(?:failed|400)$/);
      await mount('known');
      nowMs += 5_000;
      assert.match(await ask(), /^(?:failed|400)$/);
      nowMs += 5_001;
      assert.equal(await ask(), '200');
      // In the middle of the next renewal the files before are still good.
      await rm(files.key);
      nowMs += 10_001;
      assert.equal(await ask(), '200');
    });

    test('believes the authorities of the file alone, renewed ones too', async () => {
      await mount('known', 'stranger');
      const ask = openAsker();
      assert.equal(await ask(), 'failed');
      await mount('known', 'server');
      nowMs += 10_001;
      assert.equal(await ask(), '200');
    });

    test('works through a gateway with a DestinationRule', async () => {
      await mount('known');
      const rig = await startRig();
      try {
        rig.sources.services.put(service('peer', 'kubeflow', { name: 'http2' }));
        const slice = endpointSlice('peer', 'kubeflow', []);
        rig.sources.endpointSlices.put({ ...slice, ports: [{ name: 'http2', port }] });
        rig.sources.virtualServices.put(virtualService('peer', [to('peer')]));
        const rule = (tls: object): void =>
          rig.sources.destinationRules.put(destinationRule('peer', { host: 'peer', trafficPolicy: { tls } }));
        rule({ mode: 'MUTUAL', ...credential() });
        await rig.settle();
        assert.equal((await fetchText(rig.tlsPort(), '/through')).text, 'GET /through');
        rule({ mode: 'SIMPLE', caCertificates: files.ca });
        await rig.settle();
        assert.ok((await fetchText(rig.tlsPort(), '/refused')).status >= 400);
      } finally {
        await rig.close();
      }
    });
  });
}
