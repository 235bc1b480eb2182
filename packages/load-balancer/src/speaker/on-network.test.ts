import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseAddress } from '../address/address.ts';
import { isOnNetwork, readNetworks } from './on-network.ts';

it('knows the networks of the interfaces, without the loopback one', () => {
  const networks = readNetworks(() => ({
    lo: [{ address: '127.0.0.1', cidr: '127.0.0.1/8', internal: true } as never],
    eth0: [
      { address: '10.0.0.11', cidr: '10.0.0.11/24', internal: false } as never,
      { address: 'fd77::1', cidr: 'fd77::1/64', internal: false } as never,
      { address: 'fe80::1', cidr: null, internal: false } as never,
    ],
  }));
  assert.deepEqual(networks, ['eth0 10.0.0.11/24', 'eth0 fd77::1/64']);
  const isOn = (text: string): boolean => isOnNetwork(parseAddress(text) ?? assert.fail(), networks);
  assert.deepEqual(['10.0.0.101', '10.0.1.1', 'fd77::64', 'fd78::64', '127.0.0.9'].map(isOn), [
    true,
    false,
    true,
    false,
    false,
  ]);
});
