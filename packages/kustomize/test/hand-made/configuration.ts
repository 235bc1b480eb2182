/** Transformer configurations, crds, openapi, plugins. */

import { type Cases, objects, top } from './objects.ts';

export const configurationCases: Cases = {
  'conf missing': top(objects + 'configurations: [nope.yaml]\n'),
  'conf bad': top(objects + 'configurations: [c.yaml]\n', { 'top/c.yaml': 'namePrefix: 5\n' }),
  'conf unknown': top(objects + 'configurations: [c.yaml]\n', { 'top/c.yaml': 'zap: [{path: a}]\n' }),
  'crds missing': top(objects + 'crds: [nope.json]\n'),
  'crds bad': top(objects + 'crds: [c.json]\n', { 'top/c.json': 'hello' }),
  'openapi missing': top(objects + 'openapi: {path: nope.json}\n'),
  'openapi bad': top(objects + 'openapi: {path: c.json}\n', { 'top/c.json': 'hello' }),
  'openapi both': top(objects + 'openapi: {path: c.json, version: v1.21.2}\n', { 'top/c.json': '{"definitions": {}}' }),
  'openapi version ok': top(objects + 'openapi: {version: v1.21.2}\n'),
  'openapi version bad': top(objects + 'openapi: {version: v9}\n'),
  validators: top(objects + 'validators: [v.yaml]\n', {
    'top/v.yaml': 'apiVersion: v1\nkind: X\nmetadata: {name: a}\n',
  }),
  helm: top(objects + 'helmCharts: [{name: a}]\n'),
  'helm empty': top(objects + 'helmCharts: []\n'),
  'transformer missing': top(objects + 'transformers: [nope.yaml]\n'),
  'transformer unknown': top(objects + 'transformers: ["{apiVersion: builtin, kind: Zap, metadata: {name: a}}"]\n'),
  'helm globals': top(objects + 'helmGlobals: {chartHome: x}\n'),
};
