/** The metadata of random objects, and the few names that they have and refer to. */

import type { Random } from './random.ts';
import type { Value } from './write-yaml.ts';

export type Obj = { [key: string]: Value };

export const names: readonly string[] = ['web', 'api', 'db', 'cache'];
const namespaces = ['', '', '', 'shop', 'infra', 'default'];
export const images: readonly string[] = [
  'nginx',
  'nginx:1.25',
  'redis:7@sha256:abc',
  'registry.local:5000/team/app:v1',
  'gcr.io/x/y@sha256:0123',
  'busybox',
];

export function makeMetadata(random: Random, name: string, extra: Obj = {}): Obj {
  const namespace = random.pick(namespaces);
  return {
    name,
    ...(namespace === '' ? {} : { namespace }),
    ...(random.chance(0.4)
      ? { labels: { app: name, ...(random.chance(0.3) ? { tier: random.pick(['front', 'back', 'true', '1']) } : {}) } }
      : {}),
    ...(random.chance(0.25)
      ? { annotations: { note: random.pick(['plain', 'true', 'a: b', '$(VAR)', 'x\ny\n', '']) } }
      : {}),
    ...(random.chance(0.08) ? { finalizers: random.some(['a/x', 'b/y', 'c/z'], 0.6) } : {}),
    ...extra,
  };
}
