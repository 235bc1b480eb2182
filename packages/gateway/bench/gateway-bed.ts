/**
 * A gateway in a process of its own for benchmarks. `gateway-bed.ts APPLICATION AUTHSERVICE SESSIONS SERVICES CREDENTIAL`: AUTHSERVICE 0: no check;
 * SESSIONS above 0: decided in the process, and that many are there; SERVICES: VirtualServices besides the application's. Writes its ports,
 * and the cookie of one session, to stderr; at SIGUSR2 it changes a route and tells how long that took to be in force.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { releaseMemory } from '@kfctl/core';
import type { SecretObject } from '@kfctl/kube';
import { kubeflowGateway, requireAuthservice, to, virtualService, withoutRedirect } from '../src/rig/objects.ts';
import { startRig } from '../src/rig/rig.ts';
import { createSessionBed } from '../src/rig/session-bed.ts';

const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

const [application = 0, authservice = 0, sessions = 0, services = 0] = process.argv.slice(2, 6).map(Number);
const file = process.argv[6];
const credential = file === undefined ? {} : { credential: JSON.parse(readFileSync(file, 'utf8')) as SecretObject };
const rig = await startRig({ env: { ACCESS_LOG: 'false' }, ...credential });
rig.sources.gateways.put(withoutRedirect(kubeflowGateway()));
rig.addService('application', application);
for (let index = 0; index < services; index += 1) {
  const match = [{ uri: { prefix: `/notebook/team-${index}/lab/` } }];
  rig.sources.virtualServices.put(virtualService(`lab-${index}`, [{ match, ...to('application') }]));
}
rig.sources.virtualServices.put(virtualService('application', [to('application')]));
if (authservice !== 0) {
  rig.addService('authservice', authservice, 'istio-system');
  requireAuthservice(rig.sources);
}
/** On the heap, and outside of it. */
const bytesHeld = (): number => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
const report = (text: string): void => void process.stderr.write(`${text}\n`);
if (sessions > 0) {
  const bed = createSessionBed({ sessions: rig.sessions, secrets: rig.sources.secrets });
  rig.sources.secrets.put({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'identity-assertion', namespace: 'istio-system', uid: 'bench', resourceVersion: '1' },
    data: { key: Buffer.from('a'.repeat(44)).toString('base64') },
  });
  const lease = (): void => bed.lease({ provesIdentity: true });
  lease();
  setInterval(lease, 5_000);
  const token = bed.logIn();
  globalThis.gc?.();
  const before = bytesHeld();
  for (let index = 1; index < sessions; index += 1) {
    bed.logIn({ userId: `person-${index}@example.com`, subject: `subject-${index}`, userAgent: AGENT });
    if (index % 1_000 === 0) rig.sessions.forget();
  }
  rig.sessions.forget();
  // As the process itself does some seconds after its start.
  const releasing = performance.now();
  releaseMemory();
  report(`released in ${Math.round(performance.now() - releasing)} ms`);
  report(`bytes ${Math.round((bytesHeld() - before) / sessions)}`);
  report(`token ${token}`);
}
await rig.settle();
report(`ports ${rig.plainPort()} ${rig.tlsPort()}`);

let changes = 0;
process.on('SIGUSR2', () => {
  changes += 1;
  const path = `/changed-${changes}`;
  const direct = { directResponse: { status: 418, body: { string: 'new' } } };
  const began = performance.now();
  rig.sources.virtualServices.put(virtualService('changed', [{ match: [{ uri: { exact: path } }], ...direct }]));
  const ask = (): void => {
    const socket = connect(rig.plainPort(), '127.0.0.1').setEncoding('latin1');
    socket.write(`GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
    socket.once('data', (text: string) => {
      socket.destroy();
      // Where a check comes first, a refusal by the old route and by the new one look alike: the bed of this row has none.
      if (text.includes(' 418 ')) report(`changed ${Math.round(performance.now() - began)}`);
      else ask();
    });
  };
  ask();
});
