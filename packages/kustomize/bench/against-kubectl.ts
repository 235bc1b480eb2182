/**
 * Builds generated directories with this package and with the machine's kubectl, process start included, in turns; prints time and memory.
 * `node packages/kustomize/bench/against-kubectl.ts [objects...]`. kubectl takes minutes from 5,000 objects on.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const entry = join(import.meta.dirname, 'print.ts');

function pair(index: number): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-${index}
  labels:
    app: app-${index}
spec:
  selector:
    matchLabels:
      app: app-${index}
  template:
    metadata:
      labels:
        app: app-${index}
    spec:
      containers:
      - name: main
        image: nginx:1.${index}
        env:
        - name: SETTING
          valueFrom:
            configMapKeyRef:
              name: settings-${index}
              key: k
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings-${index}
data:
  k: "value ${index}"
`;
}

const kustomization = `resources: [all.yaml]
namePrefix: x-
namespace: ns
labels: [{pairs: {team: a}, includeSelectors: true}]
images: [{name: nginx, newTag: '9'}]
`;

interface Run {
  readonly seconds: number;
  readonly megabytes: number;
  readonly output: string;
}

/** GNU time writes seconds and peak kilobytes to a file of its own. */
function measure(root: string, command: readonly string[], env: NodeJS.ProcessEnv): Run {
  const report = join(root, 'time.txt');
  const started = process.hrtime.bigint();
  const run = spawnSync('/usr/bin/time', ['-f', '%M', '-o', report, ...command], {
    encoding: 'utf8',
    env,
    maxBuffer: 1 << 30,
  });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const memory = spawnSync('tail', ['-n', '1', report], { encoding: 'utf8' }).stdout;
  return { seconds, megabytes: Number(memory) / 1024, output: run.stdout };
}

function best(runs: readonly Run[]): Run {
  const [first, ...rest] = runs;
  if (first === undefined) throw new Error('no runs');
  return rest.reduce((left, right) => (right.seconds < left.seconds ? right : left), first);
}

function show(objects: number, ours: Run, theirs: Run): void {
  const cells = [
    String(objects).padStart(7),
    `${(ours.seconds * 1000).toFixed(0)} ms`.padStart(10),
    `${(theirs.seconds * 1000).toFixed(0)} ms`.padStart(10),
    `${(theirs.seconds / ours.seconds).toFixed(1)}x`.padStart(7),
    `${ours.megabytes.toFixed(0)} MB`.padStart(8),
    `${theirs.megabytes.toFixed(0)} MB`.padStart(8),
    ours.output === theirs.output ? 'same bytes' : 'DIFFERENT',
  ];
  process.stdout.write(`${cells.join('  ')}\n`);
}

const root = mkdtempSync(join(tmpdir(), 'kustomize-bench-'));
const sizes = process.argv.slice(2).map(Number);
try {
  process.stdout.write('objects        ours     kubectl  faster      ours   kubectl\n');
  for (const objects of sizes.length > 0 ? sizes : [10, 100, 500]) {
    writeFileSync(join(root, 'all.yaml'), Array.from({ length: objects / 2 }, (_, index) => pair(index)).join('---\n'));
    writeFileSync(join(root, 'kustomization.yaml'), kustomization);
    const env = { ...process.env, NODE_COMPILE_CACHE: join(root, 'cache') };
    const rounds = objects > 500 ? 1 : 5;
    measure(root, [process.execPath, entry, root], env);
    const ours = best(Array.from({ length: rounds }, () => measure(root, [process.execPath, entry, root], env)));
    const theirs = best(Array.from({ length: rounds }, () => measure(root, ['kubectl', 'kustomize', root], env)));
    show(objects, ours, theirs);
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
