/** Owns an edit of a generated application: its speakers announce on the test's network alone; the machine's others must not hear of it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { NODE_LINK } from './real-cluster.ts';

const ONLY_THE_TEST_NETWORK = `
        - name: METALLB_EXCLUDED_INTERFACES
          value: ^(?!${NODE_LINK}$)`;

/** `app`: the application directory, after `kfctl generate`. */
export function confineSpeaker(app: string): void {
  const file = path.join(app, 'kustomize/metallb/overlays/speaker/speaker.yaml');
  const text = readFileSync(file, 'utf8');
  assert.match(text, /\n {8}env:\n/);
  writeFileSync(file, text.replace('\n        env:', `\n        env:${ONLY_THE_TEST_NETWORK}`));
}
