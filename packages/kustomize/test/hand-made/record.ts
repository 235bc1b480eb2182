/** `node packages/kustomize/test/hand-made/record.ts` writes down what the machine's kubectl makes of the hand-made cases. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runKubectl } from '../differential/oracle.ts';
import { handMade } from './cases.ts';

let text = '';
for (const [name, one] of Object.entries(handMade)) {
  const { failed, output } = await runKubectl(one);
  text += `-- ${name} --\n${failed ? 'refused\n' : output}`;
}
writeFileSync(join(import.meta.dirname, '../../testdata/hand-made.txt'), text);
