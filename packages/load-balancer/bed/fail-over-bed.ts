/**
 * Fail-over as a client on the network sees it: run by fail-over.long.test.ts in namespaces of its own. Arguments: how often the owner is
 * killed, how often it is stopped. Prints one JSON object: the milliseconds without service of each move, and what was wrong.
 */
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { delay } from '@kfctl/core';
import { buildBed, hasLogged, macOf, until } from './network-bed.ts';
import type { SpeakerRun } from './network-bed.ts';

interface Seen {
  readonly at: number;
  readonly kind: 'ask' | 'reply' | 'gratuitous' | 'served';
  readonly mac?: string;
  readonly node?: string;
}

const [kills = 20, stops = 5] = process.argv.slice(2).map(Number);
const names = ['node-1', 'node-2', 'node-3'];
const bed = await buildBed();
for (const name of names) await bed.addNode(name);
const macs = new Map(names.map((name) => [macOf(name), name]));
const speakers = new Map<string, SpeakerRun>(names.map((name) => [name, bed.startSpeaker(name)]));
const ready = (run: SpeakerRun | undefined) => (): boolean =>
  run !== undefined && hasLogged(run, { event: 'stateSynced' });
for (const run of speakers.values()) await until('synced', ready(run));
const ip = await bed.addService('web', names);

const seen: Seen[] = [];
const client = bed.runAt('client', 'wire-client.ts', [ip]);
createInterface({ input: client.stdout ?? assert.fail() }).on('line', (line) => seen.push(JSON.parse(line) as Seen));
await until('the client is served', () => seen.some(({ kind }) => kind === 'served'));

const problems: string[] = [];
const results: Record<'kill' | 'stop', number[]> = { kill: [], stop: [] };
const lastOwner = (): string => seen.findLast(({ kind }) => kind === 'served')?.node ?? '';

async function move(how: 'kill' | 'stop'): Promise<void> {
  const old = lastOwner();
  const run = speakers.get(old) ?? assert.fail(`no speaker at ${old}`);
  const from = seen.length;
  const at = performance.timeOrigin + performance.now();
  run.process.kill(how === 'kill' ? 'SIGKILL' : 'SIGTERM');
  // Its address goes with it: a dead node does not answer. (Only the speaker is dead here; its node would serve on.)
  await until('another node serves', () =>
    seen.slice(from).some(({ kind, node }) => kind === 'served' && node !== old),
  );
  const heir = seen.slice(from).find(({ kind, node }) => kind === 'served' && node !== old) ?? assert.fail();
  results[how].push(Math.round(heir.at - at));
  const started = bed.startSpeaker(old);
  speakers.set(old, started);
  await until('the old owner is back', ready(started));
  await delay(1500);
  judge(seen.slice(from), { at, old });
  if (lastOwner() !== heir.node) problems.push(`the address went from ${heir.node} to ${lastOwner()} by itself`);
}

/** Nobody but the new owner answers or claims the address after it has begun. */
function judge(records: readonly Seen[], { at, old }: { readonly at: number; readonly old: string }): void {
  let heir = '';
  for (const { kind, mac = '', at: when } of records) {
    if (kind !== 'reply' && kind !== 'gratuitous') continue;
    const node = macs.get(mac) ?? mac;
    if (heir !== '' && node !== heir)
      problems.push(`${node} answers after ${heir} has begun, ${Math.round(when - at)} ms after ${old} ended`);
    if (node !== old) heir = node;
  }
}

for (let round = 0; round < kills; round += 1) await move('kill');
for (let round = 0; round < stops; round += 1) await move('stop');
client.kill();
await bed.stop();
process.stdout.write(`${JSON.stringify({ ...results, problems })}\n`);
process.exit(0);
