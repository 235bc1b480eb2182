import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { delay } from '@kfctl/core';
import { resources } from '@kfctl/kube';
import type { CoreEvent, Service } from '@kfctl/kube';
import { MemoryKubeClient } from '@kfctl/testkit';
import { readConfig } from '../config.ts';
import { ipAddressPools } from '../pools/configuration.ts';
import { createSeedLogger } from './seed-logger.ts';
import { startController } from './start-controller.ts';

const SEED_CONFIG = 'address-pools:\n- name: default\n  protocol: layer2\n  addresses:\n  - 10.0.0.100-10.0.0.110\n';

interface Bed {
  readonly cluster: MemoryKubeClient;
  /** What the controller logged, parsed. */
  readonly log: Record<string, unknown>[];
  readonly metricsUrl: string;
  stop(): Promise<void>;
}

async function startBed(
  context: TestContext,
  options: { config?: string; cluster?: MemoryKubeClient; env?: Record<string, string> } = {},
): Promise<Bed> {
  const { cluster = new MemoryKubeClient(), config = SEED_CONFIG } = options;
  if (options.cluster === undefined && config !== '') await cluster.create(resources.configMaps, configMap(config));
  const abort = new AbortController();
  const log: Record<string, unknown>[] = [];
  const synced = Promise.withResolvers<void>();
  const logger = createSeedLogger({
    write: (line) => {
      const record = JSON.parse(line) as Record<string, unknown>;
      log.push(record);
      if (record['event'] === 'stateSynced') synced.resolve();
    },
  });
  const settings = readConfig({ METALLB_PORT: '0', ...options.env });
  // Port 0 takes a free one.
  const running = await startController({
    client: cluster,
    config: { ...settings, port: 0 },
    log: logger,
    signal: abort.signal,
    host: '127.0.0.1',
  });
  await synced.promise;
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    abort.abort();
    stopped ??= running.stop();
    return stopped;
  };
  context.after(stop);
  return { cluster, log, metricsUrl: `http://127.0.0.1:${running.port}/metrics`, stop };
}

function configMap(config: string): {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string };
  data: { config: string };
} {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'config', namespace: 'metallb-system' },
    data: { config },
  };
}

function service(name: string, spec: Service['spec'] = {}, annotations: Record<string, string> = {}): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default', annotations },
    spec: { type: 'LoadBalancer', clusterIP: '10.96.0.9', ports: [{ port: 80, protocol: 'TCP' }], ...spec },
  };
}

const addressOf = (object: Service | undefined): string => object?.status?.loadBalancer?.ingress?.[0]?.ip ?? '';

/** Waits until the service has (or, for '', has not) the address. */
async function untilAddress({ cluster }: Bed, name: string, ip: string): Promise<void> {
  const { resourceVersion } = await cluster.list(resources.services);
  const place = { namespace: 'default' };
  if (addressOf(await cluster.get(resources.services, name, place)) === ip) return;
  for await (const event of cluster.watch(resources.services, { resourceVersion, signal: AbortSignal.timeout(5000) })) {
    if (event.kind !== 'bookmark' && event.object.metadata.name === name && addressOf(event.object) === ip) return;
  }
  assert.fail(`${name} has ${addressOf(await cluster.get(resources.services, name, place))}, not ${ip}`);
}

async function untilEvent(
  { cluster }: Bed,
  reason: string,
  fits: (event: CoreEvent) => boolean = () => true,
): Promise<CoreEvent> {
  const { items, resourceVersion } = await cluster.list(resources.events);
  const wanted = (event: CoreEvent): boolean => event.reason === reason && fits(event);
  const present = items.find(wanted);
  if (present !== undefined) return present;
  for await (const event of cluster.watch(resources.events, { resourceVersion, signal: AbortSignal.timeout(5000) })) {
    if (event.kind !== 'bookmark' && wanted(event.object)) return event.object;
  }
  return assert.fail(`no event ${reason}`);
}

describe('the controller', () => {
  it("gives an address with the seed's event and log line", async (t) => {
    const bed = await startBed(t);
    await bed.cluster.create(resources.services, service('nginx'));
    await untilAddress(bed, 'nginx', '10.0.0.100');
    const event = await untilEvent(bed, 'IPAllocated');
    assert.deepEqual(
      [event.type, event.source, event.message],
      ['Normal', { component: 'metallb-controller' }, 'Assigned IP "10.0.0.100"'],
    );
    assert.equal(event.involvedObject.name, 'nginx');
    const line = bed.log.find((record) => record['event'] === 'ipAllocated') ?? {};
    assert.deepEqual(Object.keys(line), ['caller', 'event', 'ip', 'msg', 'service', 'ts']);
    assert.ok(
      isDeepStrictEqual(
        { ...line, caller: '', ts: '' },
        {
          caller: '',
          event: 'ipAllocated',
          ip: '10.0.0.100',
          msg: 'IP address assigned by controller',
          service: 'default/nginx',
          ts: '',
        },
      ),
    );
    assert.match(String(line['caller']), /^write-service\.ts:\d+$/);
    assert.match(String(line['ts']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  });

  it('writes the status through its subresource, and only when it changes', async (t) => {
    const bed = await startBed(t);
    await bed.cluster.create(resources.services, service('a'));
    await untilAddress(bed, 'a', '10.0.0.100');
    await bed.cluster.patch(resources.services, 'a', {
      namespace: 'default',
      patch: { kind: 'merge', body: { metadata: { labels: { x: 'y' } } } },
    });
    await bed.cluster.create(resources.services, service('b'));
    await untilAddress(bed, 'b', '10.0.0.101');
    const writes = bed.cluster.calls.filter(
      ({ verb, type, subresource }) => verb === 'patch' && type.plural === 'services' && subresource === 'status',
    );
    assert.deepEqual(
      writes.map(({ name }) => name),
      ['a', 'b'],
    );
  });

  it('keeps every address over a restart, and gives none of them to a service that waits', async (t) => {
    const config = SEED_CONFIG.replace('10.0.0.100-10.0.0.110', '10.0.0.100-10.0.0.102');
    const first = await startBed(t, { config });
    for (const name of ['c', 'b', 'a']) {
      await first.cluster.create(resources.services, service(name));
      await untilAddress(first, name, `10.0.0.${{ c: 100, b: 101, a: 102 }[name]}`);
    }
    await first.stop();
    await first.cluster.create(resources.services, service('0-waits'));
    const second = await startBed(t, { cluster: first.cluster });
    await untilEvent(second, 'AllocationFailed', ({ involvedObject }) => involvedObject.name === '0-waits');
    const { items } = await second.cluster.list(resources.services);
    assert.deepEqual(Object.fromEntries(items.map((item) => [item.metadata.name, addressOf(item)])), {
      c: '10.0.0.100',
      b: '10.0.0.101',
      a: '10.0.0.102',
      '0-waits': '',
    });
    await second.cluster.delete(resources.services, 'b', { namespace: 'default' });
    await untilAddress(second, '0-waits', '10.0.0.101');
  });

  it('frees the address of a service that is no load balancer any more', async (t) => {
    const bed = await startBed(t, { config: SEED_CONFIG.replace('-10.0.0.110', '-10.0.0.100') });
    await bed.cluster.create(resources.services, service('a'));
    await untilAddress(bed, 'a', '10.0.0.100');
    await bed.cluster.create(resources.services, service('b'));
    await untilEvent(
      bed,
      'AllocationFailed',
      ({ message }) => message === 'Failed to allocate IP for "default/b": no available IPs',
    );
    await bed.cluster.patch(resources.services, 'a', {
      namespace: 'default',
      patch: { kind: 'merge', body: { spec: { type: 'ClusterIP' } } },
    });
    await untilAddress(bed, 'a', '');
    await untilAddress(bed, 'b', '10.0.0.100');
  });

  it('follows requests: address, pool, sharing', async (t) => {
    const config = `${SEED_CONFIG}- {name: manual, protocol: layer2, auto-assign: false, addresses: [10.9.0.6/32]}\n`;
    const bed = await startBed(t, { config });
    const add = async (object: Service, ip: string): Promise<void> => {
      await bed.cluster.create(resources.services, object);
      await untilAddress(bed, object.metadata.name ?? '', ip);
    };
    await add(service('field', { loadBalancerIP: '10.0.0.105' }), '10.0.0.105');
    await add(service('annotated', {}, { 'metallb.universe.tf/loadBalancerIPs': '10.0.0.106' }), '10.0.0.106');
    await add(
      service(
        'pooled',
        {},
        { 'metallb.universe.tf/address-pool': 'manual', 'metallb.universe.tf/allow-shared-ip': 'k' },
      ),
      '10.9.0.6',
    );
    const shared = service(
      'shared',
      { loadBalancerIP: '10.9.0.6', ports: [{ port: 443 }] },
      { 'metallb.io/allow-shared-ip': 'k' },
    );
    await add(shared, '10.9.0.6');
    await bed.cluster.patch(resources.services, 'field', {
      namespace: 'default',
      patch: { kind: 'merge', body: { spec: { loadBalancerIP: '10.0.0.107' } } },
    });
    await untilAddress(bed, 'field', '10.0.0.107');
    await untilEvent(bed, 'ClearAssignment');
  });

  it('leaves a working service alone when its request becomes a mistake', async (t) => {
    const bed = await startBed(t);
    await bed.cluster.create(resources.services, service('a'));
    await untilAddress(bed, 'a', '10.0.0.100');
    await bed.cluster.patch(resources.services, 'a', {
      namespace: 'default',
      patch: { kind: 'merge', body: { spec: { loadBalancerIP: 'garbage' } } },
    });
    const event = await untilEvent(bed, 'LoadBalancerFailed');
    assert.equal(event.message, 'invalid requested loadbalancer IPs: invalid spec.loadBalancerIP "garbage"');
    assert.equal(addressOf(await bed.cluster.get(resources.services, 'a', { namespace: 'default' })), '10.0.0.100');
  });

  it('replaces what the status should not say', async (t) => {
    const bed = await startBed(t);
    await bed.cluster.create(resources.services, {
      ...service('foreign'),
      status: { loadBalancer: { ingress: [{ ip: '192.168.7.7' }] } },
    });
    await untilAddress(bed, 'foreign', '10.0.0.100');
    await bed.cluster.create(resources.services, {
      ...service('named'),
      status: { loadBalancer: { ingress: [{ hostname: 'lb.example.org' }] } },
    });
    await untilAddress(bed, 'named', '10.0.0.101');
  });

  it('leaves services of another class to others', async (t) => {
    const bed = await startBed(t);
    await bed.cluster.create(resources.services, {
      ...service('cloud', { loadBalancerClass: 'cloud.example/lb' }),
      status: { loadBalancer: { ingress: [{ ip: '10.0.0.100' }] } },
    });
    await bed.cluster.create(resources.services, {
      ...service('plain', { type: 'ClusterIP' }),
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
    });
    await bed.cluster.create(resources.services, service('ours'));
    await untilAddress(bed, 'ours', '10.0.0.100');
    assert.deepEqual(
      bed.cluster.calls
        .filter(({ verb, type }) => verb === 'patch' && type.plural === 'services')
        .map(({ name }) => name),
      ['ours'],
    );
  });

  it('keeps the configuration in force when a bad one comes, and tells every mistake on the ConfigMap', async (t) => {
    const bed = await startBed(t);
    await bed.cluster.patch(resources.configMaps, 'config', {
      namespace: 'metallb-system',
      patch: {
        kind: 'merge',
        body: { data: { config: 'address-pools:\n- name: default\n  addresses: [10.0.0.300/8]\n' } },
      },
    });
    const event = await untilEvent(bed, 'ConfigInvalid');
    assert.equal(event.involvedObject.kind, 'ConfigMap');
    assert.match(event.message ?? '', /stays in force: .*invalid CIDR[^]*\(line 3\)[^]*missing the protocol field/);
    assert.match(
      String(bed.log.find((record) => record['event'] === 'configStale')?.['error']),
      /invalid CIDR.*; .*protocol/,
    );
    await bed.cluster.create(resources.services, service('a'));
    await untilAddress(bed, 'a', '10.0.0.100');
    const metrics = await (await fetch(bed.metricsUrl)).text();
    for (const sample of [
      'metallb_allocator_addresses_total{pool="default"} 11',
      'metallb_allocator_addresses_in_use_total{pool="default"} 1',
      'metallb_allocator_ipv4_addresses_total{pool="default"} 11',
      'metallb_allocator_ipv6_addresses_in_use_total{pool="default"} 0',
      'metallb_allocator_services_allocated_total{pool="default"} 1',
      'metallb_k8s_client_updates_total 1',
      'metallb_k8s_client_update_errors_total 0',
      'metallb_k8s_client_config_loaded_bool 1',
      'metallb_k8s_client_config_stale_bool 1',
    ])
      assert.ok(metrics.includes(`${sample}\n`), sample);
  });

  it('moves services whose pool has gone, and serves those that waited for the configuration', async (t) => {
    const bed = await startBed(t, { config: '' });
    await bed.cluster.create(resources.services, service('a'));
    await bed.cluster.create(resources.configMaps, configMap(SEED_CONFIG));
    await untilAddress(bed, 'a', '10.0.0.100');
    await bed.cluster.patch(resources.configMaps, 'config', {
      namespace: 'metallb-system',
      patch: { kind: 'merge', body: { data: { config: SEED_CONFIG.replaceAll('10.0.0', '10.5.0') } } },
    });
    await untilAddress(bed, 'a', '10.5.0.100');
  });

  it('writes again what failed to be written', async (t) => {
    const bed = await startBed(t);
    let failures = 2;
    bed.cluster.onWrite = ({ subresource }) => {
      if (subresource === 'status' && failures > 0) {
        failures -= 1;
        throw new Error('server away');
      }
    };
    await bed.cluster.create(resources.services, service('a'));
    await untilAddress(bed, 'a', '10.0.0.100');
    await untilEvent(bed, 'IPAllocated');
  });

  it('serves from IPAddressPool objects, tells their status, and refuses both forms at once', async (t) => {
    const bed = await startBed(t, { config: '' });
    const place = { namespace: 'metallb-system' };
    const pool = { apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool', metadata: { name: 'lan', ...place } };
    await bed.cluster.create(ipAddressPools, { ...pool, spec: { addresses: ['10.7.0.0/30'] } });
    await bed.cluster.create(resources.services, service('a'));
    await untilAddress(bed, 'a', '10.7.0.0');
    const status = async (): Promise<Record<string, unknown>> =>
      (await bed.cluster.get(ipAddressPools, 'lan', place))?.status ?? {};
    const untilStatus = async (isTrue: (text: string) => boolean): Promise<void> => {
      for (let round = 0; round < 500 && !isTrue(JSON.stringify(await status())); round += 1) await delay(10);
      assert.ok(isTrue(JSON.stringify(await status())), JSON.stringify(await status()));
    };
    await untilStatus((text) => text.includes('"assignedIPv4":1,') && text.includes('"availableIPv4":3,'));
    await untilStatus((text) => text.includes('"reason":"InForce"'));
    assert.ok(bed.log.some(({ msg }) => String(msg).startsWith('pools without an L2Advertisement')));
    await bed.cluster.create(resources.configMaps, configMap(SEED_CONFIG));
    const event = await untilEvent(
      bed,
      'ConfigInvalid',
      ({ involvedObject }) => involvedObject.kind === 'IPAddressPool',
    );
    assert.match(event.message ?? '', /stays in force: configured twice/);
    await untilStatus((text) => text.includes('"reason":"Invalid"') && text.includes('"assignedIPv4":1,'));
    assert.equal(addressOf(await bed.cluster.get(resources.services, 'a', { namespace: 'default' })), '10.7.0.0');
  });
});
