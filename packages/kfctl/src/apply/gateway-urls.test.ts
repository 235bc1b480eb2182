import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UnknownObject } from '@kfctl/kube';
import { gatewayUrls, unboundReason } from './gateway-urls.ts';

const service = (ingress: object[], bound?: string, unbound?: string): UnknownObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    annotations: {
      ...(bound === undefined ? {} : { 'kfctl.kubeflow.org/bound-ports': bound }),
      ...(unbound === undefined ? {} : { 'kfctl.kubeflow.org/unbound-ports': unbound }),
    },
  },
  status: { loadBalancer: { ingress } },
});

for (const [expected, ingress, bound] of [
  [[], []],
  [['https://10.0.0.100/'], [{ ip: '10.0.0.100' }]],
  [
    ['https://[fd00::1]/', 'https://lb.example.org/'],
    [{ ip: 'fd00::1' }, { hostname: 'lb.example.org' }],
  ],
  [['https://127.64.1.100:8443/'], [{ ip: '127.64.1.100' }], '{"443":8443,"80":8080}'],
  [['https://127.64.1.100/'], [{ ip: '127.64.1.100' }], '{"80":8080}'],
  [['https://127.64.1.100/'], [{ ip: '127.64.1.100' }], 'rubbish'],
  [['https://127.64.1.100/'], [{ ip: '127.64.1.100' }], 'null'],
  [['https://127.64.1.100/'], [{ ip: '127.64.1.100' }], '{"443":"8443/@evil"}'],
] as const) {
  test(`${JSON.stringify(ingress)} ${bound ?? ''} is ${JSON.stringify(expected)}`, () =>
    assert.deepEqual(gatewayUrls(service([...ingress], bound)), expected));
}

test('a gateway that could not bind its port has no address, and a reason', () => {
  const taken = service([{ ip: '127.0.0.1' }], undefined, '{"443":"listen EADDRINUSE"}');
  assert.deepEqual(gatewayUrls(taken), []);
  assert.equal(unboundReason(taken), 'listen EADDRINUSE');
  assert.equal(unboundReason(service([{ ip: '127.0.0.1' }], undefined, '{"80":"listen EADDRINUSE"}')), undefined);
});
