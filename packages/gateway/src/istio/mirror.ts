/** Owns reading of what a VirtualService rule copies its requests to. */
import type { ClusterTarget } from '../upstream/cluster/clusters.ts';
import type { Fields } from './fields.ts';

export interface Mirror {
  readonly target: ClusterTarget;
  /** Of the requests. */
  readonly percent: number;
}

const PORT = { min: 1, max: 65_535 };

/** `mirror` with `mirrorPercentage` (or the older `mirrorPercent`), or the list `mirrors`; all requests where no share is given. */
export function parseMirrors(rule: Fields, namespace: string): readonly Mirror[] {
  const single = rule.child('mirror');
  const listed = rule.children('mirrors');
  const percent = parsePercent(rule, 'mirrorPercentage') ?? rule.integer('mirrorPercent', { min: 0, max: 100 });
  rule.ignore('mirrorPercent');
  if (single !== undefined && listed !== undefined) rule.problem('mirror', 'excludes mirrors');
  if (single !== undefined) return [{ target: parseTarget(single, namespace), percent: percent ?? 100 }];
  return (listed ?? []).map((fields) => parseListed(fields, namespace));
}

function parseListed(fields: Fields, namespace: string): Mirror {
  const destination = fields.child('destination');
  if (destination === undefined) fields.problem('destination', 'is required');
  const percent = parsePercent(fields, 'percentage') ?? 100;
  fields.done();
  return { target: parseTarget(destination ?? fields, namespace), percent };
}

function parseTarget(fields: Fields, namespace: string): ClusterTarget {
  const port = fields.child('port');
  const target: ClusterTarget = {
    host: fields.requiredString('host').toLowerCase(),
    port: port?.integer('number', PORT),
    subset: fields.string('subset'),
    namespace,
  };
  port?.done();
  fields.done();
  return target;
}

function parsePercent(fields: Fields, name: string): number | undefined {
  const child = fields.child(name);
  const value = child?.number('value');
  child?.done();
  if (value !== undefined && (value < 0 || value > 100)) child?.problem('value', 'is no percentage');
  return value;
}
