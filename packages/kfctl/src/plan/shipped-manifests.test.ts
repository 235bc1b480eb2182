/** What the shipped packages rely on: nothing that only newer versions of Kubernetes do by themselves, nothing deprecated. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { build, toObjects } from '@kfctl/kustomize';

const MANIFESTS = path.join(import.meta.dirname, '../../../manifests');

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
}

interface BuiltObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: {
    readonly ingress?: readonly { readonly from?: readonly { readonly namespaceSelector?: Selector }[] }[];
  };
}

const bases = readdirSync(MANIFESTS)
  .map((name) => path.join(MANIFESTS, name, 'base'))
  .filter((directory) => existsSync(directory));

function buildAll(): readonly BuiltObject[] {
  return bases.flatMap((directory) => toObjects(build({ directory }).nodes) as unknown as readonly BuiltObject[]);
}

// Kubernetes labels namespaces with their name from 1.21 on; on 1.20 nobody does unless we do.
test('each namespace that a network policy names carries the label it is known by', () => {
  const objects = buildAll();
  const namespaces = objects.filter(({ kind }) => kind === 'Namespace');
  const selectors = objects
    .filter(({ kind }) => kind === 'NetworkPolicy')
    .flatMap(({ metadata, spec }) =>
      (spec?.ingress ?? []).flatMap(({ from = [] }) =>
        from.flatMap(({ namespaceSelector }) =>
          namespaceSelector ? [{ policy: metadata.name, namespaceSelector }] : [],
        ),
      ),
    );
  assert.ok(selectors.length >= 3);
  for (const { policy, namespaceSelector } of selectors) {
    const wanted = Object.entries(namespaceSelector.matchLabels ?? {});
    const found = namespaces.filter(({ metadata }) => wanted.every(([key, value]) => metadata.labels?.[key] === value));
    assert.equal(found.length, 1, `${policy} allows ${JSON.stringify(namespaceSelector)}`);
  }
});

const GUIDE = path.join(import.meta.dirname, '../../../../docs/guides/login-pages.md');

test('the guide’s kustomization brings a company’s login pages into the pod', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'dex-'));
  t.after(() => rmSync(folder, { recursive: true }));
  cpSync(path.join(MANIFESTS, 'dex/base'), folder, { recursive: true });
  const example = /```yaml\n(# kustomization\.yaml[^]*?)```/.exec(readFileSync(GUIDE, 'utf8'))?.[1] ?? '';
  const [, generators = '', patches = ''] = /configMapGenerator:\n([^]*?)(patches:[^]*)$/.exec(example) ?? [];
  const files = [...generators.matchAll(/web\/[\w.]+/g)].map(([file]) => file);
  assert.ok(files.length >= 4);
  mkdirSync(path.join(folder, 'web'));
  for (const file of files) writeFileSync(path.join(folder, file), file);
  const file = path.join(folder, 'kustomization.yaml');
  const own = readFileSync(file, 'utf8').replace('configMapGenerator:\n', `configMapGenerator:\n${generators}`);
  writeFileSync(file, `${own}${patches}`);
  const objects = toObjects(build({ directory: folder }).nodes) as unknown as readonly BuiltObject[];
  const maps = objects.filter(({ kind }) => kind === 'ConfigMap').map(({ metadata }) => metadata.name);
  const deployment = JSON.stringify(objects.find(({ kind }) => kind === 'Deployment'));
  for (const name of ['dex-templates', 'dex-theme']) {
    const made = maps.find((one) => one.startsWith(`${name}-`)) ?? 'none';
    assert.ok(deployment.includes(`{"name":"${made}"}`), `${made} is mounted`);
  }
  assert.match(deployment, /"mountPath":"\/etc\/dex\/web\/themes\/acme"/);
  assert.match(deployment, /"mountPath":"\/etc\/dex\/cfg"/);
});
