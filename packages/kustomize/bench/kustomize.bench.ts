/**
 * Builds directories with the published `kustomize-js`, with `kfctl kustomize` and with the machine's kubectl, process start included, in
 * turns; beside them Node with an empty program, which is the floor. `npm run bench -- kustomize`. Good: every factor above 1, memory at
 * most 1.5 times kubectl's.
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printTable } from '../../../bench/table.ts';

const packages = join(import.meta.dirname, '../..');

interface Shape {
  readonly name: string;
  readonly kustomization: string;
  readonly object: (index: number) => string;
}

const configMap = (index: number): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings-${index}\n  labels:\n    app: app-${index}\ndata:\n  k: "value ${index}"\n`;

const deployment = (index: number): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-${index}
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
`;

/** Renaming, labels and images over pairs that refer to each other. kubectl compares every object with every other: 7 minutes for 5,000. */
const renamed: Shape = {
  name: 'renamed pairs',
  kustomization:
    'resources: [all.yaml]\nnamePrefix: x-\nnamespace: ns\nlabels: [{pairs: {team: a}, includeSelectors: true}]\nimages: [{name: nginx, newTag: "9"}]\n',
  object: (index) => (index % 2 === 0 ? deployment(index) : configMap(index - 1)),
};

/** Labels and annotations only: the shape with which kubectl ends 5,000 objects within a minute. */
const labelled: Shape = {
  name: 'labelled maps',
  kustomization: 'resources: [all.yaml]\nlabels: [{pairs: {team: a}}]\ncommonAnnotations: {a: b}\n',
  object: configMap,
};

interface Case {
  readonly shape: Shape;
  readonly objects: number;
  readonly rounds: number;
}

const cases: readonly Case[] = [
  { shape: renamed, objects: 10, rounds: 15 },
  { shape: renamed, objects: 100, rounds: 9 },
  { shape: renamed, objects: 1000, rounds: 3 },
  { shape: labelled, objects: 1000, rounds: 3 },
  { shape: labelled, objects: 5000, rounds: 1 },
];

interface Run {
  readonly milliseconds: number;
  readonly cpuMilliseconds: number;
  readonly megabytes: number;
  readonly digest: string;
}

/** GNU time writes CPU seconds and peak kilobytes to a file of its own. */
function measure(root: string, command: readonly string[]): Run {
  const report = join(root, 'time.txt');
  const started = process.hrtime.bigint();
  const run = spawnSync('/usr/bin/time', ['-f', '%U %S %M', '-o', report, ...command], {
    env: { PATH: process.env['PATH'] ?? '', HOME: root },
    maxBuffer: 1 << 30,
  });
  const milliseconds = Number(process.hrtime.bigint() - started) / 1e6;
  if (run.status !== 0) throw new Error(`${command.join(' ')}: ${run.stderr.toString()}`);
  const [user = 0, system = 0, kilobytes = 0] = readFileSync(report, 'utf8').trim().split(' ').map(Number);
  return {
    milliseconds,
    cpuMilliseconds: (user + system) * 1000,
    megabytes: kilobytes / 1024,
    digest: createHash('sha256').update(run.stdout).digest('hex'),
  };
}

const floor = 'node -e 0';

interface Contender {
  readonly name: string;
  readonly command: readonly string[];
}

function writeCase(root: string, { shape, objects }: Case): string {
  const directory = join(root, `${shape.name}-${objects}`.replaceAll(' ', '-'));
  mkdirSync(directory);
  const texts = Array.from({ length: objects }, (_, index) => shape.object(index));
  writeFileSync(join(directory, 'all.yaml'), texts.join('---\n'));
  writeFileSync(join(directory, 'kustomization.yaml'), shape.kustomization);
  return directory;
}

/** The last contender is the one that the others are compared with. */
function compare(root: string, one: Case, contenders: readonly Contender[]): string[][] {
  const directory = writeCase(root, one);
  const line = ({ name, command }: Contender): readonly string[] =>
    name === floor ? command : [...command, directory];
  const runs = contenders.map((): Run[] => []);
  for (const contender of contenders.slice(0, -1)) measure(root, line(contender));
  for (let round = 0; round < one.rounds; round += 1)
    for (const [index, contender] of contenders.entries()) runs[index]?.push(measure(root, line(contender)));
  // The best of some runs: what other programs on the machine do makes runs slower, never faster.
  const best = (index: number, key: Exclude<keyof Run, 'digest'>): number =>
    Math.min(...(runs.at(index) ?? []).map((run) => run[key]));
  const expected = runs.at(-1)?.[0]?.digest;
  return contenders.map(({ name }, index) => [
    `${one.objects} ${one.shape.name}`,
    name,
    best(index, 'milliseconds').toFixed(0),
    best(index, 'cpuMilliseconds').toFixed(0),
    `${(best(-1, 'milliseconds') / best(index, 'milliseconds')).toFixed(1)}x`,
    best(index, 'megabytes').toFixed(0),
    `${(best(index, 'megabytes') / best(-1, 'megabytes')).toFixed(2)}x`,
    name === floor ? '' : runs[index]?.every(({ digest }) => digest === expected) === true ? 'same' : 'DIFFERENT',
  ]);
}

export async function run(): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'kustomize-bench-'));
  try {
    for (const target of [[], [join(root, 'dist')]])
      spawnSync(process.execPath, [join(packages, 'kustomize/scripts/build-package.ts'), ...target]);
    const contenders: readonly Contender[] = [
      { name: floor, command: [process.execPath, '-e', '0'] },
      { name: 'kustomize-js', command: [process.execPath, join(root, 'dist/package/bin/kustomize-js.cjs')] },
      { name: 'kfctl kustomize', command: [join(packages, 'kfctl/bin/kfctl'), 'kustomize'] },
      { name: 'kubectl kustomize', command: ['kubectl', 'kustomize'] },
    ];
    const rows = cases.flatMap((one) => compare(root, one, contenders));
    printTable(['objects', 'program', 'ms', 'CPU ms', 'faster', 'MB', 'of kubectl', 'bytes'], rows);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
