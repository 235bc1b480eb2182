/** The root restriction, lifted and not, on a real disk: what is written down here is what kubectl does, and is tried where there is one. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { KustomizeError, type LoadRestrictor, build, renderYaml } from '../src/index.ts';
import { hasKubectl } from './differential/oracle.ts';

const root = mkdtempSync(join(tmpdir(), 'kustomize-root-'));
after(() => rmSync(root, { recursive: true, force: true }));

const object = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;

function write(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

write('outside/a.yaml', object('outside'));
write('outside/base/kustomization.yaml', 'resources: [../a.yaml]\n');
write('outside/closed/kustomization.yaml', 'resources: [a.yaml]\n');
write('outside/closed/a.yaml', object('closed'));
write('app/own.yaml', object('own'));
write('app/deep/b.yaml', object('deep'));
write('app/inner/kustomization.yaml', 'resources: [../own.yaml]\n');
symlinkSync('../outside/a.yaml', join(root, 'app/link-out.yaml'));
symlinkSync('deep/b.yaml', join(root, 'app/link-in.yaml'));
symlinkSync('../outside', join(root, 'app/folder-out'));
symlinkSync('../outside/closed', join(root, 'app/base-out'));
symlinkSync('nowhere.yaml', join(root, 'app/link-nowhere.yaml'));
symlinkSync('app', join(root, 'app-link'));

type Outcome = 'both' | 'lifted' | 'none';

/** What the kustomization says, and under which restrictor it builds: both, only the lifted one, none. */
const cases: readonly (readonly [string, Outcome])[] = [
  ['resources: [own.yaml]', 'both'],
  ['resources: [deep/../own.yaml]', 'both'],
  [`resources: [${root}/app/own.yaml]`, 'both'],
  ['resources: [../app/own.yaml]', 'both'],
  ['resources: [../app-link/own.yaml]', 'both'],
  ['resources: [link-in.yaml]', 'both'],
  ['resources: [../outside/a.yaml]', 'lifted'],
  [`resources: [${root}/outside/a.yaml]`, 'lifted'],
  ['resources: [link-out.yaml]', 'lifted'],
  ['resources: [folder-out/a.yaml]', 'lifted'],
  ['resources: [link-nowhere.yaml]', 'none'],
  ['resources: [../outside/closed]', 'both'],
  ['resources: [base-out]', 'both'],
  ['resources: [folder-out/closed]', 'both'],
  ['resources: [../outside/base]', 'lifted'],
  ['resources: [inner]', 'lifted'],
  ['resources: [..]', 'none'],
  ['resources: [../app-link]', 'none'],
  ['resources: [own.yaml]\npatches: [{path: ../outside/a.yaml, target: {name: own}}]', 'lifted'],
  ['resources: [own.yaml]\npatchesStrategicMerge: [../outside/a.yaml]', 'none'],
  ['resources: [own.yaml]\nconfigurations: [../outside/a.yaml]', 'none'],
  ['configMapGenerator: [{name: g, files: [../outside/a.yaml]}]', 'lifted'],
  ['configMapGenerator: [{name: g, files: [k=link-out.yaml]}]', 'lifted'],
  ['configMapGenerator: [{name: g, envs: [../outside/a.yaml]}]', 'lifted'],
  ['configMapGenerator: [{name: g, files: [deep/b.yaml, k=link-in.yaml]}]', 'both'],
];

const restrictors: readonly (readonly [LoadRestrictor, string])[] = [
  ['rootOnly', 'LoadRestrictionsRootOnly'],
  ['none', 'LoadRestrictionsNone'],
];

function expectedOf(outcome: Outcome): readonly boolean[] {
  return [outcome === 'both', outcome !== 'none'];
}

function buildOurs(loadRestrictor: LoadRestrictor): string | undefined {
  try {
    return renderYaml(build({ directory: join(root, 'app'), loadRestrictor }).nodes);
  } catch (error) {
    if (error instanceof KustomizeError) return undefined;
    throw error;
  }
}

function buildTheirs(flag: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(
      'kubectl',
      ['kustomize', join(root, 'app'), `--load-restrictor=${flag}`],
      { encoding: 'utf8' },
      (error, out) => resolve(error === null ? out : undefined),
    );
  });
}

const available = await hasKubectl();

for (const [fields, outcome] of cases) {
  test(`${fields.replaceAll(root, '').replaceAll('\n', ' ')} builds with: ${outcome}`, async () => {
    write('app/kustomization.yaml', `${fields}\n`);
    const ours = restrictors.map(([restrictor]) => buildOurs(restrictor));
    assert.deepEqual(
      ours.map((output) => output !== undefined),
      expectedOf(outcome),
    );
    if (!available) return;
    for (const [at, [, flag]] of restrictors.entries()) assert.equal(ours[at], await buildTheirs(flag), flag);
  });
}
