/** IPv6 with the kernel as the peer, on a network of its own. */
import { it } from 'node:test';
import { runInNamespace, whyNoBed } from '../bed/in-namespace.ts';

it(
  "answers the kernel's neighbour discovery: who has it, is it still there, is it free",
  { skip: whyNoBed() },
  async () => {
    await runInNamespace('./neighbour-bed.ts');
  },
);
