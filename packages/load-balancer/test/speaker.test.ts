/** The speakers of three nodes on a network of their own. */
import { it } from 'node:test';
import { runInNamespace, whyNoBed } from '../bed/in-namespace.ts';

it(
  'announces as the guide says, survives a flood, hands over at a clean stop, stays there, takes no address in use',
  { skip: whyNoBed() },
  async () => {
    await runInNamespace('./speaker-bed.ts');
  },
);
