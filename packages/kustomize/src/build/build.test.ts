import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build, createMemoryFileSystem, renderYaml } from '../index.ts';

const files = {
  '/app/base/kustomization.yaml':
    'resources: [deployment.yaml]\nconfigMapGenerator: [{name: settings, literals: [color=blue]}]\n',
  '/app/base/deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers: [{name: web, image: "nginx:1", envFrom: [{configMapRef: {name: settings}}]}]
`,
  '/app/prod/kustomization.yaml':
    'resources: [../base]\nnamePrefix: prod-\nnamespace: shop\nimages: [{name: nginx, newTag: "2"}]\n',
};

test('an overlay renames objects and the references to them', () => {
  const { nodes } = build({ directory: '/app/prod', fileSystem: createMemoryFileSystem(files) });
  assert.equal(
    renderYaml(nodes),
    `apiVersion: v1
data:
  color: blue
kind: ConfigMap
metadata:
  name: prod-settings-747dfcb89d
  namespace: shop
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: prod-web
  namespace: shop
spec:
  template:
    spec:
      containers:
      - envFrom:
        - configMapRef:
            name: prod-settings-747dfcb89d
        image: nginx:2
        name: web
`,
  );
});

test('a component makes narrow field specs take the place of wide ones that a base brought', () => {
  const noted = (kind: string): string =>
    `apiVersion: v1\nkind: ${kind}\nmetadata: {name: web, annotations: {note: $(VAR)}}\n`;
  const notes = (components: string): string[] => {
    const fileSystem = createMemoryFileSystem({
      '/app/base/kustomization.yaml': 'resources: [service.yaml]\n',
      '/app/base/service.yaml': noted('Service'),
      '/app/component/kustomization.yaml':
        'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonLabels: {a: b}\n',
      '/app/top/kustomization.yaml': `resources: [../base, pod.yaml]\nconfigurations: [config.yaml]\n${components}
vars: [{name: VAR, objref: {apiVersion: v1, kind: Pod, name: web}}]\n`,
      '/app/top/pod.yaml': noted('Pod'),
      '/app/top/config.yaml': 'varReference: [{path: metadata/annotations, kind: Pod}]\n',
    });
    const text = renderYaml(build({ directory: '/app/top', fileSystem }).nodes);
    return [...text.matchAll(/note: (.*)/gu)].map(([, note = '']) => note);
  };
  assert.deepEqual(notes(''), ['web', 'web']);
  assert.deepEqual(notes('components: [../component]\n'), ['$(VAR)', 'web']);
});
