/** Announces 500 addresses (10.88.1.0 and on) from a process whose main thread is busy for 80 of each 100 ms. */
import { startAnnouncer } from '../src/announce/announcer.ts';
import { requireNamespace } from './in-namespace.ts';

requireNamespace();

const nothing = (): void => undefined;
const { promise: linked, resolve: onLinks } = Promise.withResolvers<unknown>();
const announcer = await startAnnouncer({
  excluded: ['^lo$'],
  refreshMs: 0,
  listener: { onLinks, onAnswered: nothing, onConflict: nothing, onYielded: nothing, onDeath: nothing },
});
await linked;
announcer.setFence(2n ** 62n);
for (let index = 0; index < 500; index += 1) announcer.announce(`10.88.${1 + (index >> 8)}.${index & 255}`, undefined);
await announcer.counters();
process.stdout.write('ready\n');
setInterval(() => {
  const end = performance.now() + 80;
  while (performance.now() < end);
}, 100);
