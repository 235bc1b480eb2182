/** Strategic merge and JSON patches in all three fields. */

import { type Cases, objects, web, top } from './objects.ts';

export const patchesCases: Cases = {
  'patch none': top(objects + 'patches: [{target: {kind: Deployment}}]\n'),
  'patch both': top(objects + 'patches: [{path: p.yaml, patch: "a: b"}]\n', { 'top/p.yaml': web }),
  'patch missing file': top(objects + 'patches: [{path: nope.yaml}]\n'),
  'patch no such object': top(
    objects + 'patches: [{patch: "{apiVersion: v1, kind: Service, metadata: {name: nope}}"}]\n',
  ),
  'patch target none matches': top(
    objects + 'patches: [{target: {kind: Nope}, patch: "[{\\"op\\": \\"remove\\", \\"path\\": \\"/x\\"}]"}]\n',
  ),
  'patch json no target': top(objects + 'patches: [{patch: "[{\\"op\\": \\"remove\\", \\"path\\": \\"/spec\\"}]"}]\n'),
  'patch empty': top(objects + 'patches: [{patch: ""}]\n'),
  'patch garbage': top(objects + 'patches: [{target: {kind: Service}, patch: "hello"}]\n'),
  'patch bad op': top(
    objects + 'patches: [{target: {kind: Service}, patch: "[{\\"op\\": \\"zap\\", \\"path\\": \\"/x\\"}]"}]\n',
  ),
  'patch no path': top(
    objects + 'patches: [{target: {kind: Service}, patch: "[{\\"op\\": \\"add\\", \\"value\\": 1}]"}]\n',
  ),
  'patch label sel bad': top(objects + 'patches: [{target: {labelSelector: "a in b"}, patch: "{a: b}"}]\n'),
  'patch bad name regex': top(
    objects + 'patches: [{target: {name: "("}, patch: "{apiVersion: v1, kind: x, metadata: {name: y}}"}]\n',
  ),
  'patch bad option': top(
    objects +
      'patches: [{target: {kind: Service}, options: {foo: true}, patch: "{apiVersion: v1, kind: Service, metadata: {name: web}}"}]\n',
  ),
  'patch option string': top(
    objects +
      'patches: [{target: {kind: Service}, options: {allowNameChange: "true"}, patch: "{apiVersion: v1, kind: Service, metadata: {name: web}}"}]\n',
  ),
  'patch delete': top(
    objects + 'patches: [{patch: "{apiVersion: v1, kind: Service, metadata: {name: web}, $patch: delete}"}]\n',
  ),
  'patch bad directive': top(
    objects + 'patches: [{patch: "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {$patch: zap}}"}]\n',
  ),
  'patch ns target': top(
    objects +
      'patches: [{target: {kind: Service, namespace: default}, patch: "[{\\"op\\": \\"add\\", \\"path\\": \\"/spec/x\\", \\"value\\": 1}]"}]\n',
  ),
  'patch add index oob': top(
    objects +
      'patches: [{target: {kind: Deployment}, patch: "[{\\"op\\": \\"add\\", \\"path\\": \\"/spec/template/spec/containers/7\\", \\"value\\": 1}]"}]\n',
  ),
  'patch yaml ops': top(
    objects +
      'patches:\n- target: {kind: Deployment}\n  patch: |-\n    - op: test\n      path: /spec/replicas\n      value: 1\n    - op: replace\n      path: /spec/replicas\n      value: 3\n',
  ),
  'patch 1 value test float': top(
    objects +
      'patches:\n- target: {kind: Deployment}\n  patch: |-\n    - op: test\n      path: /spec/replicas\n      value: 1.0\n',
  ),
  'patch list setElementOrder': top(
    objects +
      'patches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: web}\n    spec:\n      template:\n        spec:\n          $setElementOrder/containers: [{name: side},{name: main}]\n          containers: [{name: side, image: x}]\n',
  ),
  'patch deleteFromPrimitive': top(
    objects +
      'patches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: web}\n    spec:\n      template:\n        spec:\n          containers:\n          - name: main\n            $deleteFromPrimitiveList/args: ["--x"]\n',
  ),
  'patch retainKeys': top(
    objects +
      'patches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: web}\n    spec:\n      strategy:\n        $retainKeys: [type]\n        type: Recreate\n',
  ),
  'psm missing': top(objects + 'patchesStrategicMerge: [nope.yaml]\n'),
  'psm no match': top(objects + 'patchesStrategicMerge: ["{apiVersion: v1, kind: X, metadata: {name: y}}"]\n'),
  'psm dup same patch twice': top(
    objects +
      'patchesStrategicMerge: ["{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {a: 1}}", "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {b: 1}}"]\n',
  ),
  'pj no target': top(objects + 'patchesJson6902: [{patch: "[]"}]\n'),
  'pj none': top(objects + 'patchesJson6902: [{target: {version: v1, kind: Service, name: web}}]\n'),
  'pj empty ops': top(objects + 'patchesJson6902: [{target: {version: v1, kind: Service, name: web}, patch: "[]"}]\n'),
  'pj no match': top(
    objects +
      'patchesJson6902: [{target: {version: v1, kind: Service, name: nope}, patch: "[{\\"op\\": \\"remove\\", \\"path\\": \\"/spec\\"}]"}]\n',
  ),
};
