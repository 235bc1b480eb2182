/** One case for every documented field and option that does what it is for: the mistakes are in the other files. */

import { type Cases, objects, replacement, top, vars } from './objects.ts';

const rbac = `apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
subjects:
- {kind: ServiceAccount, name: default, namespace: old}
- {kind: ServiceAccount, name: other, namespace: old}
- {kind: User, name: default}
`;

const foo = `apiVersion: x.io/v1
kind: Foo
metadata: {name: foo, labels: {a: "1"}, annotations: {b: "2"}}
spec: {ref: conf, image: "nginx:1", count: 1, note: $(V), sel: {x: z}, list: [{name: a}], obj: {name: conf}}
`;

/** The objects, Foo and a role binding. */
function all(fields: string, more: Readonly<Record<string, string>> = {}): Cases[string] {
  return top(`resources: [web.yaml, svc.yaml, cm.yaml, foo.yaml, rbac.yaml]\n${fields}`, {
    'top/foo.yaml': foo,
    'top/rbac.yaml': rbac,
    ...more,
  });
}

/** A JSON patch of the deployment, under a target's other fields. */
function operations(text: string, target = '{kind: Deployment}'): Cases[string] {
  return all(`patches:\n- target: ${target}\n  patch: |-\n    ${text.trim().replaceAll('\n', '\n    ')}\n`);
}

/** A label on what a target selects. */
function selected(target: string): Cases[string] {
  return operations('- {op: add, path: /selected, value: 1}', target);
}

function configured(configuration: string, fields: string): Cases[string] {
  return all(`configurations: [c.yaml]\n${fields}`, { 'top/c.yaml': configuration });
}

function transformer(kind: string, fields: string, list = 'transformers'): Cases[string] {
  return all(`${list}:\n- |-\n  apiVersion: builtin\n  kind: ${kind}\n  metadata: {name: plugin}\n  ${fields}\n`);
}

const generator = '{name: g, literals: [a=1], files: [cm.yaml], options: ';

export const optionCases: Cases = {
  'option namePrefix': all('namePrefix: p-\n'),
  'option nameSuffix': all('nameSuffix: -s\n'),
  'option namespace': all('namespace: shop\n'),
  'option commonAnnotations': all('commonAnnotations: {c: d}\n'),
  'option labels includeTemplates': all('labels: [{pairs: {c: d}, includeTemplates: true}]\n'),
  'option labels includeSelectors': all('labels: [{pairs: {c: d}, includeSelectors: true}]\n'),
  'option labels fields create': all(
    'labels: [{pairs: {c: d}, fields: [{path: spec/labels, kind: Foo, group: x.io, version: v1, create: true}]}]\n',
  ),
  'option images newName newTag digest': all(
    'images: [{name: nginx, newName: mirror/nginx, newTag: "2"}, {name: "registry:5000/a/b", digest: "sha256:11"}]\n',
  ),
  'option patch target group': selected('{group: apps}'),
  'option patch target version': selected('{version: v1, kind: ConfigMap}'),
  'option patch target kind pattern': selected('{kind: "Con.*|Foo"}'),
  'option patch target name pattern': selected('{name: "[wf].*"}'),
  'option patch target namespace': selected('{namespace: ""}'),
  'option patch target labelSelector': selected('{labelSelector: "a in (1, 2), !zzz"}'),
  'option patch target annotationSelector': selected('{annotationSelector: "b=2"}'),
  'option patch json move copy test': operations(`
- {op: test, path: /metadata/name, value: web}
- {op: copy, from: /metadata/labels, path: /spec/template/metadata/annotations}
- {op: move, from: /spec/replicas, path: /spec/copies}`),
  'option patch json append insert remove': operations(`
- {op: add, path: /spec/template/spec/containers/-, value: {name: last}}
- {op: add, path: /spec/template/spec/containers/0, value: {name: first}}
- {op: remove, path: /spec/template/spec/containers/2}`),
  'option patch json escaped path': operations(`
- {op: add, path: /metadata/annotations/a.b~1c~0d, value: x}
- {op: replace, path: /metadata/annotations/note, value: y}`),
  'option patch allowNameChange': all(
    'patches: [{target: {kind: ConfigMap}, options: {allowNameChange: true}, patch: "{apiVersion: v1, kind: ConfigMap, metadata: {name: n}}"}]\n',
  ),
  'option patch allowKindChange': all(
    'patches: [{target: {kind: Foo}, options: {allowKindChange: true}, patch: "{apiVersion: x.io/v1, kind: Bar, metadata: {name: foo}}"}]\n',
  ),
  'option patch directives': all(
    'patches: [{patch: "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {selector: {$patch: replace, q: r}, template: {spec: {containers: [{name: side, $patch: delete}]}}}}"}]\n',
  ),
  'option patch path of several documents': all('patches: [{path: p.yaml}]\n', {
    'top/p.yaml':
      'apiVersion: v1\nkind: Service\nmetadata: {name: web, labels: {x: z}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf, labels: {x: z}}\n',
  }),
  'option generator immutable': top(`configMapGenerator: [${generator}{immutable: true}}]\n`),
  'option generator disableNameSuffixHash': top(`configMapGenerator: [${generator}{disableNameSuffixHash: true}}]\n`),
  'option generator labels annotations': top(`secretGenerator: [${generator}{labels: {a: b}, annotations: {c: d}}}]\n`),
  'option generatorOptions all': top(
    'configMapGenerator: [{name: g, literals: [a=1]}]\ngeneratorOptions: {labels: {a: b}, annotations: {c: d}, immutable: true, disableNameSuffixHash: true}\n',
  ),
  'option secretGenerator type and envs': top(
    'secretGenerator: [{name: g, type: x.io/own, envs: [e.env], namespace: shop}]\n',
    { 'top/e.env': 'A=1\n# comment\nB=two words\n' },
  ),
  'option replacement delimiter and index': top(
    replacement(
      'kind: ConfigMap, name: conf, fieldPath: data.host, options: {delimiter: ".", index: 1}',
      '{select: {kind: Deployment}, fieldPaths: ["spec.template.spec.containers.[name=main].env.[name=A].value"], options: {delimiter: "-", index: 2}}',
    ),
  ),
  'option replacement encoding': top(
    replacement(
      'kind: ConfigMap, name: conf, fieldPath: data.host',
      '{select: {kind: Service}, fieldPaths: [spec.host], options: {create: true, encoding: base64}}',
    ),
  ),
  'option replacement select and reject': all(
    'replacements: [{source: {kind: ConfigMap, name: conf}, targets: [{select: {version: v1}, reject: [{kind: Service}, {name: foo}], fieldPaths: [metadata.labels.from], options: {create: true}}]}]\n',
  ),
  'option replacement select by label': all(
    'replacements: [{source: {kind: ConfigMap, name: conf}, targets: [{select: {labelSelector: "a=1"}, fieldPaths: [spec.ref, "spec.list.*.name"]}]}]\n',
  ),
  'option vars fieldref': top(
    vars('{name: V, objref: {apiVersion: v1, kind: Service, name: web}, fieldref: {fieldpath: "spec.ports[0].port"}}'),
  ),
  'option configurations nameReference': configured(
    'nameReference: [{kind: ConfigMap, version: v1, fieldSpecs: [{kind: Foo, path: spec/ref}]}]\n',
    'namePrefix: p-\n',
  ),
  'option configurations varReference': configured(
    'varReference: [{kind: Foo, path: spec/note}]\n',
    'vars: [{name: V, objref: {apiVersion: v1, kind: Service, name: web}}]\n',
  ),
  'option configurations namePrefix': configured('namePrefix: [{kind: Foo, path: spec/ref}]\n', 'namePrefix: p-\n'),
  'option configurations nameSuffix': configured('nameSuffix: [{kind: Foo, path: spec/ref}]\n', 'nameSuffix: -s\n'),
  'option configurations namespace': configured(
    'namespace: [{kind: Foo, path: spec/ns, create: true}]\n',
    'namespace: shop\n',
  ),
  'option configurations commonLabels': configured(
    'commonLabels: [{kind: Foo, path: spec/sel}]\n',
    'commonLabels: {c: d}\n',
  ),
  'option configurations labels': configured('labels: [{kind: Foo, path: spec/sel}]\n', 'labels: [{pairs: {c: d}}]\n'),
  'option configurations templateLabels': configured(
    'templateLabels: [{kind: Foo, path: spec/sel}]\n',
    'labels: [{pairs: {c: d}, includeTemplates: true}]\n',
  ),
  'option configurations commonAnnotations': configured(
    'commonAnnotations: [{kind: Foo, path: spec/sel}]\n',
    'commonAnnotations: {c: d}\n',
  ),
  'option configurations images': configured(
    'images: [{kind: Foo, path: spec/image}]\n',
    'images: [{name: nginx, newTag: "2"}]\n',
  ),
  'option configurations replicas': configured(
    'replicas: [{kind: Foo, path: spec/count}]\n',
    'replicas: [{name: foo, count: 5}]\n',
  ),
  'option crds': all('crds: [crd.json]\nnamePrefix: p-\ncommonLabels: {c: d}\ncommonAnnotations: {e: f}\n', {
    'top/crd.json':
      '{"x.io/v1.Foo": {"Schema": {"properties": {"apiVersion": {}, "kind": {}, "metadata": {}, "spec": {"$ref": "x.io/v1.Spec"}}}}, "x.io/v1.Spec": {"Schema": {"properties": {"obj": {"x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": "ConfigMap"}, "sel": {"x-kubernetes-label-selector": ""}, "notes": {"x-kubernetes-annotation": ""}}}}}',
  }),
  'option openapi path': all(
    'openapi: {path: s.json}\npatches: [{patch: "{apiVersion: x.io/v1, kind: Foo, metadata: {name: foo}, spec: {list: [{name: b}]}}"}]\n',
    {
      'top/s.json':
        '{"definitions": {"io.x.v1.Foo": {"properties": {"spec": {"properties": {"list": {"type": "array", "items": {"type": "object"}, "x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge"}}}}, "x-kubernetes-group-version-kind": [{"group": "x.io", "version": "v1", "kind": "Foo"}]}}}',
    },
  ),
  'option sortOptions orderFirst orderLast': all(
    'sortOptions: {order: legacy, legacySortOptions: {orderFirst: [Foo, Service], orderLast: [ConfigMap]}}\n',
  ),
  'option buildMetadata managedByLabel': all('buildMetadata: [managedByLabel]\n'),
  'option buildMetadata originAnnotations': all('buildMetadata: [originAnnotations]\nnamePrefix: p-\n'),
  'option buildMetadata transformerAnnotations': all('buildMetadata: [transformerAnnotations]\nnamePrefix: p-\n'),
  'option transformer AnnotationsTransformer': transformer(
    'AnnotationsTransformer',
    'annotations: {c: d}\n  fieldSpecs: [{path: metadata/annotations, create: true}]',
  ),
  'option transformer LabelTransformer': transformer(
    'LabelTransformer',
    'labels: {c: d}\n  fieldSpecs: [{path: metadata/labels, create: true}]',
  ),
  'option transformer PrefixTransformer': transformer(
    'PrefixTransformer',
    'prefix: p-\n  fieldSpecs: [{path: metadata/name}]',
  ),
  'option transformer SuffixTransformer': transformer(
    'SuffixTransformer',
    'suffix: -s\n  fieldSpecs: [{path: metadata/name}]',
  ),
  'option transformer ImageTagTransformer': transformer(
    'ImageTagTransformer',
    'imageTag: {name: nginx, newTag: "2"}\n  fieldSpecs: [{path: spec/image}]',
  ),
  'option transformer ReplicaCountTransformer': transformer(
    'ReplicaCountTransformer',
    'replica: {name: web, count: 7}\n  fieldSpecs: [{path: spec/replicas, kind: Deployment}]',
  ),
  'option transformer PatchTransformer': transformer(
    'PatchTransformer',
    `patch: '[{"op": "add", "path": "/x", "value": 1}]'\n  target: {kind: Foo}`,
  ),
  'option transformer PatchJson6902Transformer': transformer(
    'PatchJson6902Transformer',
    `jsonOp: '[{"op": "add", "path": "/x", "value": 1}]'\n  target: {group: x.io, version: v1, kind: Foo, name: foo}`,
  ),
  'option transformer PatchStrategicMergeTransformer': transformer(
    'PatchStrategicMergeTransformer',
    `patches: '{apiVersion: x.io/v1, kind: Foo, metadata: {name: foo}, spec: {count: 9}}'`,
  ),
  'option transformer ReplacementTransformer': transformer(
    'ReplacementTransformer',
    'replacements: [{source: {kind: ConfigMap, name: conf}, targets: [{select: {kind: Foo}, fieldPaths: [spec.note]}]}]',
  ),
  'option transformer NamespaceTransformer unsetOnly': transformer(
    'NamespaceTransformer',
    'unsetOnly: true\n  fieldSpecs: [{path: metadata/namespace, create: true}]',
  ),
  ...Object.fromEntries(
    ['defaultOnly', 'allServiceAccounts', 'none', 'nonsense'].map((mode) => [
      `option transformer NamespaceTransformer setRoleBindingSubjects ${mode}`,
      all(
        `transformers:\n- |-\n  apiVersion: builtin\n  kind: NamespaceTransformer\n  metadata: {name: plugin, namespace: shop}\n  setRoleBindingSubjects: ${mode}\n`,
      ),
    ]),
  ),
  'option generator ConfigMapGenerator': transformer('ConfigMapGenerator', 'literals: [a=1]', 'generators'),
  'option generator SecretGenerator': transformer('SecretGenerator', 'literals: [a=1]\n  type: own', 'generators'),
  'option components in order': {
    files: {
      'top/kustomization.yaml': `${objects}namePrefix: top-\ncomponents: [one, two]\n`,
      ...Object.fromEntries(Object.entries(top('').files).filter(([path]) => path !== 'top/kustomization.yaml')),
      'top/one/kustomization.yaml':
        'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: one-\nconfigMapGenerator: [{name: g, literals: [a=1]}]\n',
      'top/two/kustomization.yaml':
        'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnameSuffix: -two\nconfigMapGenerator: [{name: g, behavior: merge, literals: [b=2]}]\n',
    },
    directory: 'top',
  },
  'option annotations of a local configuration': top('resources: [a.yaml]\n', {
    'top/a.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept, annotations: {config.kubernetes.io/local-config: "false"}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: left-out, annotations: {config.kubernetes.io/local-config: "true"}}\n',
  }),
};
