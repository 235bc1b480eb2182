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

it(
  'brings an address to its preferred node and back there, keeps to chosen interfaces, and says what is wrong',
  { skip: whyNoBed() },
  async () => {
    await runInNamespace('./preference-bed.ts');
  },
);

it(
  "answers the kernel's neighbour discovery: who has it, is it still there, is it free",
  { skip: whyNoBed() },
  async () => {
    await runInNamespace('./neighbour-bed.ts');
  },
);
