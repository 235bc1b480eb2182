/** Replacements and vars. */

import { type Cases, configMap, objects, replacement, vars, top } from './objects.ts';

export const replacementsCases: Cases = {
  'rep ok': top(
    replacement(
      configMap + ', fieldPath: data.k',
      '{select: {kind: Deployment}, fieldPaths: [metadata.annotations.note]}',
    ),
  ),
  'rep no source': top('replacements: [{targets: [{select: {kind: Deployment}, fieldPaths: [a]}]}]\n' + objects),
  'rep no targets': top(objects + `replacements: [{source: {${configMap}}}]\n`),
  'rep no select': top(replacement(configMap, '{fieldPaths: [metadata.name]}')),
  'rep no fieldPaths': top(replacement(configMap, '{select: {kind: Deployment}}')),
  'rep missing source': top(replacement('kind: Nope', '{select: {kind: Deployment}, fieldPaths: [a]}')),
  'rep many sources': top(replacement('name: web', '{select: {kind: Deployment}, fieldPaths: [spec.x]}')),
  'rep missing field': top(
    replacement(configMap + ', fieldPath: data.z', '{select: {kind: Deployment}, fieldPaths: [spec.replicas]}'),
  ),
  'rep missing target field': top(replacement(configMap, '{select: {kind: Deployment}, fieldPaths: [spec.zap]}')),
  'rep create': top(
    replacement(configMap, '{select: {kind: Deployment}, fieldPaths: [spec.zap.y], options: {create: true}}'),
  ),
  'rep delim src': top(
    replacement(
      configMap + ', fieldPath: data.host, options: {delimiter: ".", index: 1}',
      '{select: {kind: Deployment}, fieldPaths: ["spec.template.spec.containers.[name=main].env.[name=A].value"], options: {delimiter: "-", index: 1}}',
    ),
  ),
  'rep delim oob src': top(
    replacement(
      configMap + ', fieldPath: data.host, options: {delimiter: ".", index: 9}',
      '{select: {kind: Deployment}, fieldPaths: [spec.replicas]}',
    ),
  ),
  'rep delim oob tgt': top(
    replacement(
      configMap + ', fieldPath: data.k',
      '{select: {kind: Deployment}, fieldPaths: ["spec.template.spec.containers.0.env.0.value"], options: {delimiter: "-", index: 9}}',
    ),
  ),
  'rep delim neg tgt': top(
    replacement(
      configMap + ', fieldPath: data.k',
      '{select: {kind: Deployment}, fieldPaths: ["spec.template.spec.containers.0.env.0.value"], options: {delimiter: "-", index: -1}}',
    ),
  ),
  'rep reject': top(
    replacement(
      configMap + ', fieldPath: data.k',
      '{select: {name: web}, reject: [{kind: Service}], fieldPaths: [metadata.labels.app], options: {create: true}}',
    ),
  ),
  'rep index no delim': top(
    replacement(
      configMap + ', fieldPath: data.k',
      '{select: {kind: Deployment}, fieldPaths: [spec.replicas], options: {index: 1}}',
    ),
  ),
  'rep wildcard': top(
    replacement(
      configMap + ', fieldPath: data.k',
      '{select: {kind: Deployment}, fieldPaths: ["spec.template.spec.containers.*.image"]}',
    ),
  ),
  'rep map into map': top(
    replacement(configMap + ', fieldPath: data', '{select: {kind: Deployment}, fieldPaths: [metadata.annotations]}'),
  ),
  'rep default fieldPath': top(replacement(configMap, '{select: {kind: Service}, fieldPaths: [spec.selector.app]}')),
  'rep quoted key': top(
    replacement(
      configMap + ', fieldPath: "data.[k]"',
      '{select: {kind: Service}, fieldPaths: ["metadata.annotations.[a.b/c]"], options: {create: true}}',
    ),
  ),
  'rep append': top(
    replacement(
      configMap,
      '{select: {kind: Deployment}, fieldPaths: ["spec.template.spec.containers.[name=main].args.-"], options: {create: true}}',
    ),
  ),
  'rep bad option': top(replacement(configMap, '{select: {kind: Service}, fieldPaths: [spec.x], options: {foo: 1}}')),
  'rep sourceValue': top(
    objects + 'replacements: [{sourceValue: zz, targets: [{select: {kind: Service}, fieldPaths: [metadata.name]}]}]\n',
  ),
  'rep source regex name': top(
    replacement('kind: ConfigMap, name: "c.*"', '{select: {kind: Service}, fieldPaths: [spec.selector.app]}'),
  ),
  'rep path': top(objects + 'replacements: [{path: r.yaml}]\n', {
    'top/r.yaml': `source: {${configMap}}\ntargets: [{select: {kind: Service}, fieldPaths: [spec.selector.app]}]\n`,
  }),
  'rep path missing': top(objects + 'replacements: [{path: r.yaml}]\n'),
  'rep path and source': top(objects + `replacements: [{path: r.yaml, source: {${configMap}}}]\n`, {
    'top/r.yaml': `source: {${configMap}}\n`,
  }),
  'rep index target': top(
    replacement(configMap, '{select: {kind: Service}, fieldPaths: ["spec.ports.0.name"], options: {create: true}}'),
  ),
  'rep oob list': top(replacement(configMap, '{select: {kind: Service}, fieldPaths: ["spec.ports.5.name"]}')),
  'var ok': top(vars('{name: VAR, objref: {kind: Service, apiVersion: v1, name: web}}')),
  'var missing obj': top(vars('{name: VAR, objref: {kind: Service, apiVersion: v1, name: nope}}')),
  'var missing field': top(
    vars('{name: VAR, objref: {kind: Service, apiVersion: v1, name: web}, fieldref: {fieldpath: spec.zap}}'),
  ),
  'var dup': top(
    vars(
      '{name: VAR, objref: {kind: Service, apiVersion: v1, name: web}},{name: VAR, objref: {kind: Service, apiVersion: v1, name: web}}',
    ),
  ),
  'var no name': top(vars('{objref: {kind: Service, apiVersion: v1, name: web}}')),
  'var int': top(
    vars(
      '{name: VAR, objref: {kind: Deployment, apiVersion: apps/v1, name: web}, fieldref: {fieldpath: spec.replicas}}',
    ),
  ),
  'var index': top(
    vars(
      '{name: VAR, objref: {kind: Service, apiVersion: v1, name: web}, fieldref: {fieldpath: "spec.ports[0].port"}}',
    ),
  ),
  'var map': top(
    vars('{name: VAR, objref: {kind: Service, apiVersion: v1, name: web}, fieldref: {fieldpath: spec.selector}}'),
  ),
  'var fieldPath camel': top(
    vars('{name: VAR, objref: {kind: Service, apiVersion: v1, name: web}, fieldref: {fieldPath: spec.ports[0].port}}'),
  ),
};
