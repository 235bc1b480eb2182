/** The bench's bed: an idle speaker to be weighed, a busy one to be asked. Prints one JSON object. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { delay } from '@kfctl/core';
import { resources } from '@kfctl/kube';
import { buildBed, hasLogged, until } from './network-bed.ts';

const bed = await buildBed();
await bed.addNode('node-1');
await bed.addNode('node-2');
// As in the image: compiled once, kept on disk. The first run fills the cache, and the thread that announces with it.
await bed.addService('web', ['node-1']);
const warm = { NODE_COMPILE_CACHE: process.argv[2] ?? '' };
const first = bed.startSpeaker('node-1', warm);
await until('announced', () => hasLogged(first, { event: 'serviceAnnounced' }));
first.process.kill('SIGTERM');
await once(first.process, 'exit');
await bed.client.delete(resources.services, 'web', { namespace: 'default' });
await bed.client.delete(resources.endpointSlices, 'web', { namespace: 'default' });
const run = bed.startSpeaker('node-1', warm);
await until('synced', () => hasLogged(run, { event: 'stateSynced' }));
// Idle: it follows the cluster and owns nothing.
await delay(1000);
const pid = run.process.pid ?? assert.fail();
const ticks = (): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
};
const before = ticks();
await delay(5000);
const idleCpuMs = (ticks() - before) * 10;
await bed.addService('web', ['node-1']);
await until('announced', () => hasLogged(run, { event: 'serviceAnnounced' }));
await delay(1000);
const owning = ticks();
await delay(5000);
const owningCpuMs = (ticks() - owning) * 10;
const rssMb = Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);

const busy = bed.runAt('node-2', 'busy-announcer.ts', []);
await once(busy.stdout ?? assert.fail(), 'data');
const probe = process.execPath;
const script = new URL('latency-probe.ts', import.meta.url).pathname;
const output = await bed.execAt('client', [probe, script, '1000', '2', '10.88.0.12', '10.88.1.7']);
await bed.stop();
const times = JSON.parse(output) as Record<string, number[]>;
process.stdout.write(
  `${JSON.stringify({ idleCpuMs, owningCpuMs, rssMb, kernel: times['10.88.0.12'], ours: times['10.88.1.7'] })}\n`,
);
process.exit(0);
