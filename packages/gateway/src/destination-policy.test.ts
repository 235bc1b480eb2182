import assert from 'node:assert/strict';
import { request as httpsRequest } from 'node:https';
import { after, before, describe, test } from 'node:test';
import { policy, requireAuthservice, virtualService } from './rig/objects.ts';
import { startRig } from './rig/rig.ts';
import type { Rig } from './rig/rig.ts';

let rig: Rig;
/** The Authorization headers that the authorizer was asked about. */
const questions: unknown[] = [];

before(async () => {
  rig = await startRig();
  await rig.upstream(
    'nb',
    (request, response) => response.end(`notebook of ${request.headers['kubeflow-userid']}`),
    'anna',
  );
  await rig.upstream(
    'authservice',
    (request, response) => {
      questions.push(request.headers.authorization);
      response
        .setHeader('kubeflow-userid', String(request.headers.authorization))
        .setHeader('x-envoy-auth-headers-to-remove', 'authorization')
        .end();
    },
    'istio-system',
  );
  rig.sources.virtualServices.put(
    virtualService(
      'notebook-anna-nb',
      [
        {
          match: [{ uri: { prefix: '/notebook/anna/nb/' } }],
          rewrite: { uri: '/' },
          headers: { request: { set: { 'kubeflow-userid': 'anna@example.com' } } },
          route: [{ destination: { host: 'nb.anna.svc.cluster.local', port: { number: 80 } } }],
        },
      ],
      { namespace: 'anna' },
    ),
  );
  requireAuthservice(rig.sources);
  // What the Profile controller writes into a profile's namespace.
  rig.sources.authorizationPolicies.put(
    policy(
      'ns-owner-access-istio',
      {
        rules: [
          {
            from: [
              { source: { principals: ['cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account'] } },
            ],
            when: [{ key: 'request.headers[kubeflow-userid]', values: ['anna@example.com'] }],
          },
          { when: [{ key: 'source.namespace', values: ['anna'] }] },
          { to: [{ operation: { paths: ['/healthz'] } }] },
        ],
      },
      'anna',
    ),
  );
  await rig.settle();
});
after(() => rig.close());

function get(path: string, user: string): Promise<string> {
  return new Promise((resolve, reject) => {
    httpsRequest(
      {
        port: rig.tlsPort(),
        host: '127.0.0.1',
        path,
        rejectUnauthorized: false,
        agent: false,
        headers: { authorization: user },
      },
      (response) => {
        let text = `${response.statusCode} `;
        response
          .setEncoding('utf8')
          .on('data', (chunk: string) => void (text += chunk))
          .on('end', () => resolve(text));
      },
    )
      .on('error', reject)
      .end();
  });
}

describe('the policies of a profile namespace', () => {
  test('ask the authorizer once, though it takes away what it judged by', async () => {
    questions.length = 0;
    assert.equal(await get('/notebook/anna/nb/tree', 'anna@example.com'), '200 notebook of anna@example.com');
    assert.deepEqual(questions, ['anna@example.com']);
  });

  test('let the owner in', async () => {
    assert.equal(await get('/notebook/anna/nb/tree', 'anna@example.com'), '200 notebook of anna@example.com');
  });

  test('keep everybody else out, whatever a VirtualService sets', async () => {
    assert.equal(await get('/notebook/anna/nb/tree', 'eve@example.com'), '403 RBAC: access denied');
  });

  test('judge the path that the workload gets', async () => {
    assert.equal(await get('/notebook/anna/nb/healthz', 'eve@example.com'), '200 notebook of eve@example.com');
    assert.equal(await get('/notebook/anna/nb/x/../healthz/../tree', 'eve@example.com'), '403 RBAC: access denied');
  });

  test('that are broken keep everybody out, and are watched', async () => {
    rig.sources.authorizationPolicies.put(policy('odd', { rules: [{ towards: [] }] }, 'anna'));
    await rig.settle();
    assert.match(await get('/notebook/anna/nb/tree', 'anna@example.com'), /^403/);
    rig.sources.authorizationPolicies.remove('odd', 'anna');
    await rig.settle();
    assert.match(await get('/notebook/anna/nb/tree', 'anna@example.com'), /^200/);
  });
});
