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
