/** Which objects a patch, a replacement or a transformer aims at. */

import { meta, splitApiVersion, text } from './case.ts';
import type { Obj } from './make-objects.ts';
import type { Random } from './random.ts';

export function makeTarget(random: Random, object: Obj): Obj {
  const all: Obj = { kind: text(object['kind']), name: text(meta(object)['name']) };
  switch (random.below(11)) {
    case 0:
      return { kind: text(object['kind']) };
    case 1:
      return { name: random.pick(['.*', 'w.*', 'web|api', '^web$', 'web', '[a-d].*', 'no-such']) };
    case 2:
      return {
        labelSelector: random.pick(['app=web', 'app in (web, api)', '!tier', 'app', 'app!=db', 'app notin (db)']),
      };
    case 3:
      return { annotationSelector: random.pick(['note=plain', 'note', '!note', 'note in (plain, true)']) };
    case 4:
      return { ...all, namespace: random.pick(['shop', 'default', '.*', 's.*']) };
    case 5:
      return { kind: random.pick(['.*Set', 'Deploy.*', 'ConfigMap|Secret', 'Role']) };
    case 6:
      return { ...all, ...splitApiVersion(object) };
    case 7:
      return { version: splitApiVersion(object).version, labelSelector: random.pick(['app', 'owner=me']) };
    default:
      return all;
  }
}
