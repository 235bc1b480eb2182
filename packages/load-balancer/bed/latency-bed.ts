/**
 * The bench's bed: a speaker that owns nothing, then 500 addresses, is weighed; it is flooded; a busy one is asked. Prints one JSON object.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { delay } from '@kfctl/core';
import { buildBed, hasLogged, pathOf, until } from './network-bed.ts';
import type { SpeakerRun } from './network-bed.ts';

const ADDRESSES = 500;
/** Longer than the pause after which the speaker lets go of what its start needed. */
const SETTLED_MS = 8000;
const OBSERVED_MS = 5000;

const bed = await buildBed('address-pools:\n- {name: default, protocol: layer2, addresses: [10.88.4.0/22]}\n');
await bed.addNode('node-1');
await bed.addNode('node-2');
// As in the image: compiled once, kept on disk. The first run fills the cache, and the thread that announces with it.
const warm = { NODE_COMPILE_CACHE: process.argv[2] ?? '' };
const announced = (run: SpeakerRun): number => run.log.filter(({ event }) => event === 'serviceAnnounced').length;
const first = bed.startSpeaker('node-1', warm);
await until('synced', () => hasLogged(first, { event: 'stateSynced' }));
await bed.addService('web-0', ['node-1']);
await until('announced', () => announced(first) === 1);
first.process.kill('SIGTERM');
await once(first.process, 'exit');
await bed.removeService('web-0');

const run = bed.startSpeaker('node-1', warm);
await until('synced', () => hasLogged(run, { event: 'stateSynced' }));
const pid = run.process.pid ?? assert.fail();

function cpuMs(): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function cpuWhile(work: () => Promise<unknown>): Promise<number> {
  const before = cpuMs();
  await work();
  return cpuMs() - before;
}

function memoryMb(): { readonly rss: number; readonly own: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mb = (name: string): number => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
  return { rss: mb('VmRSS'), own: mb('RssAnon') };
}

/** Frames of one kind at 50,000 a second; how many came to be sent, and what they cost the speaker. */
async function flood(
  kind: string,
): Promise<{ readonly kind: string; readonly perSecond: number; readonly cpuMs: number }> {
  let perSecond = 0;
  const cost = await cpuWhile(async () => {
    const output = await bed.execAt('client', [
      process.execPath,
      pathOf('flood.ts'),
      '250000',
      '50000',
      kind,
      '10.88.4.7',
    ]);
    perSecond = Number(output);
  });
  // What is queued in the socket is not part of it.
  await delay(1500);
  return { kind, perSecond, cpuMs: cost };
}

await delay(SETTLED_MS);
const idleCpuMs = await cpuWhile(() => delay(OBSERVED_MS));
const nothing = memoryMb();
for (let index = 0; index < ADDRESSES; index += 1) await bed.addService(`web-${index}`, ['node-1']);
await until('announced', () => announced(run) >= ADDRESSES, 60_000);
await delay(SETTLED_MS);
const owningCpuMs = await cpuWhile(() => delay(OBSERVED_MS));
const full = memoryMb();
const floods = [];
for (const kind of ['others', 'hostile', 'ours']) floods.push(await flood(kind));
assert.equal(run.process.exitCode, null);

const busy = bed.runAt('node-2', 'busy-announcer.ts', []);
await once(busy.stdout ?? assert.fail(), 'data');
const output = await bed.execAt('client', [
  process.execPath,
  pathOf('latency-probe.ts'),
  '1000',
  '2',
  '10.88.0.12',
  '10.88.1.7',
]);
await bed.stop();
const times = JSON.parse(output) as Record<string, number[]>;
const result = { idleCpuMs, owningCpuMs, nothing, full, floods, kernel: times['10.88.0.12'], ours: times['10.88.1.7'] };
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
