/** Which of three nodes announces, on a network of their own. */
import { it } from 'node:test';
import { runInNamespace, whyNoBed } from '../bed/in-namespace.ts';

it(
  'brings an address to its preferred node and back there, keeps to chosen interfaces, and says what is wrong',
  { skip: whyNoBed() },
  async () => {
    await runInNamespace('./preference-bed.ts');
  },
);
