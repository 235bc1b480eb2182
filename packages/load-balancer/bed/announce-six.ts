/** Announces the IPv6 address of its argument, and tells each answer, one JSON object a line, after `ready`. */
import { startAnnouncer } from '../src/announce/announcer.ts';
import { requireNamespace } from './in-namespace.ts';

requireNamespace();

const nothing = (): void => undefined;
const { promise: linked, resolve: onLinks } = Promise.withResolvers<unknown>();
const announcer = await startAnnouncer({
  excluded: ['^lo$'],
  refreshMs: 0,
  listener: {
    onLinks,
    onAnswered: (answered) => void process.stdout.write(`${JSON.stringify(answered)}\n`),
    onConflict: nothing,
    onYielded: nothing,
    onDeath: nothing,
  },
});
await linked;
announcer.setFence(2n ** 62n);
announcer.announce(process.argv[2] ?? '', undefined);
await announcer.counters();
process.stdout.write('ready\n');
