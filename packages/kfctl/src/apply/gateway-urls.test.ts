import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UnknownObject } from '@kfctl/kube';
import { gatewayUrls } from './gateway-urls.ts';

const service = (ingress: object[], bound?: string): UnknownObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: bound === undefined ? {} : { annotations: { 'kfctl.kubeflow.org/bound-ports': bound } },
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
