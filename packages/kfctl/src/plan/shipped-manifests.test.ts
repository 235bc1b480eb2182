/** What the shipped packages rely on: nothing that only newer versions of Kubernetes do by themselves, nothing deprecated. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
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
