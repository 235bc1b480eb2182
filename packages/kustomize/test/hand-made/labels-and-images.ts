/** Labels, annotations, images and replicas. */

import { type Cases, objects, top } from './objects.ts';

export const labelsAndImagesCases: Cases = {
  'commonLabels int': top(objects + 'commonLabels: {a: 1}\n'),
  'commonLabels null': top(objects + 'commonLabels: {a: null}\n'),
  'commonLabels nested': top(objects + 'commonLabels: {a: {b: c}}\n'),
  'commonLabels invalid value': top(objects + 'commonLabels: {a: "b c"}\n'),
  'commonLabels invalid key': top(objects + 'commonLabels: {"a b": c}\n'),
  'commonAnnotations bool': top(objects + 'commonAnnotations: {a: true}\n'),
  'labels no pairs': top(objects + 'labels: [{includeSelectors: true}]\n'),
  'labels bad field': top(objects + 'labels: [{pair: {a: b}}]\n'),
  'labels same as common': top(objects + 'labels: [{pairs: {a: b}}]\ncommonLabels: {a: c}\n'),
  'labels twice': top(objects + 'labels: [{pairs: {a: b}}, {pairs: {a: c}}]\n'),
  'labels selectors and templates': top(
    objects + 'labels: [{pairs: {a: b}, includeSelectors: true, includeTemplates: true}]\n',
  ),
  'labels fields': top(
    objects + 'labels: [{pairs: {a: b}, fields: [{path: spec/x/labels, kind: Deployment, create: true}]}]\n',
  ),
  'images no name': top(objects + 'images: [{newTag: "2"}]\n'),
  'images int tag': top(objects + 'images: [{name: nginx, newTag: 2}]\n'),
  'images digest+tag': top(objects + 'images: [{name: nginx, newTag: "2", digest: "sha256:1"}]\n'),
  'images suffix': top(objects + 'images: [{name: nginx, tagSuffix: -x}]\n'),
  'images tag+suffix': top(objects + 'images: [{name: nginx, newTag: "2", tagSuffix: -x}]\n'),
  'images digest to tag': top(objects + 'images: [{name: "registry:5000/a/b", newTag: "2"}]\n'),
  imageTags: top(objects + 'imageTags: [{name: nginx, newTag: "2"}]\n'),
  'images regex': top(objects + 'images: [{name: "ngin.", newTag: "2"}]\n'),
  'images bad regex': top(objects + 'images: [{name: "ngin(", newTag: "2"}]\n'),
  'images empty list': top(objects + 'images: []\n'),
  'replicas missing': top(objects + 'replicas: [{name: nope, count: 2}]\n'),
  'replicas str': top(objects + 'replicas: [{name: web, count: "2"}]\n'),
  'replicas neg': top(objects + 'replicas: [{name: web, count: -1}]\n'),
  'replicas no count': top(objects + 'replicas: [{name: web}]\n'),
  'replicas float': top(objects + 'replicas: [{name: web, count: 1.5}]\n'),
  'replicas dup': top(objects + 'replicas: [{name: web, count: 1},{name: web, count: 2}]\n'),
};
