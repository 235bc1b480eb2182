/** Owns the rows of the kinds that make pods. */
import { asArray, asString, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import { renderSelector } from '../registry/render-selector.ts';
import { renderAge, renderDuration } from './cells.ts';
import { columns } from './columns.ts';
import type { Printer, TableCell } from './definition.ts';

function count(object: JsonObject, ...path: readonly string[]): number {
  const value = valueAt(object, ...path);
  return typeof value === 'number' ? value : 0;
}

function name(object: JsonObject): string {
  return asString(valueAt(object, 'metadata', 'name'));
}

function age(object: JsonObject, nowMs: number): string {
  return renderAge(valueAt(object, 'metadata', 'creationTimestamp'), nowMs);
}

/** Names and images of a template's containers. */
function containerCells(object: JsonObject, ...path: readonly string[]): [string, string] {
  const containers = asArray(valueAt(object, ...path, 'spec', 'containers'));
  const list = (field: string): string => containers.map((container) => asString(valueAt(container, field))).join(',');
  return [list('name'), list('image')];
}

function selector(object: JsonObject): string {
  return renderSelector(valueAt(object, 'spec', 'selector')) || '<none>';
}

const deploymentPrinter: Printer = {
  columns: columns('Name', 'Ready', 'Up-to-date', 'Available', 'Age', '+Containers', '+Images', '+Selector'),
  cells: (object, nowMs) => [
    name(object),
    `${count(object, 'status', 'readyReplicas')}/${count(object, 'spec', 'replicas')}`,
    count(object, 'status', 'updatedReplicas'),
    count(object, 'status', 'availableReplicas'),
    age(object, nowMs),
    ...containerCells(object, 'spec', 'template'),
    selector(object),
  ],
};

const replicaSetPrinter: Printer = {
  columns: columns('Name', 'Desired', 'Current', 'Ready', 'Age', '+Containers', '+Images', '+Selector'),
  cells: (object, nowMs) => [
    name(object),
    count(object, 'spec', 'replicas'),
    count(object, 'status', 'replicas'),
    count(object, 'status', 'readyReplicas'),
    age(object, nowMs),
    ...containerCells(object, 'spec', 'template'),
    selector(object),
  ],
};

const statefulSetPrinter: Printer = {
  columns: columns('Name', 'Ready', 'Age', '+Containers', '+Images'),
  cells: (object, nowMs) => [
    name(object),
    `${count(object, 'status', 'readyReplicas')}/${count(object, 'spec', 'replicas')}`,
    age(object, nowMs),
    ...containerCells(object, 'spec', 'template'),
  ],
};

const daemonSetPrinter: Printer = {
  columns: columns(
    'Name',
    'Desired',
    'Current',
    'Ready',
    'Up-to-date',
    'Available',
    'Node Selector',
    'Age',
    '+Containers',
    '+Images',
    '+Selector',
  ),
  cells: (object, nowMs) => [
    name(object),
    count(object, 'status', 'desiredNumberScheduled'),
    count(object, 'status', 'currentNumberScheduled'),
    count(object, 'status', 'numberReady'),
    count(object, 'status', 'updatedNumberScheduled'),
    count(object, 'status', 'numberAvailable'),
    renderSelector({ matchLabels: valueAt(object, 'spec', 'template', 'spec', 'nodeSelector') }) || '<none>',
    age(object, nowMs),
    ...containerCells(object, 'spec', 'template'),
    selector(object),
  ],
};

const jobPrinter: Printer = {
  columns: columns('Name', 'Status', 'Completions', 'Duration', 'Age', '+Containers', '+Images', '+Selector'),
  cells: (job, nowMs) => [
    name(job),
    jobStatus(job),
    jobCompletions(job),
    jobDuration(job, nowMs),
    age(job, nowMs),
    ...containerCells(job, 'spec', 'template'),
    selector(job),
  ],
};

function jobStatus(job: JsonObject): string {
  const isTrue = (type: string): boolean =>
    asArray(valueAt(job, 'status', 'conditions')).some(
      (condition) => valueAt(condition, 'type') === type && valueAt(condition, 'status') === 'True',
    );
  if (isTrue('Complete')) return 'Complete';
  if (isTrue('Failed')) return 'Failed';
  if (valueAt(job, 'metadata', 'deletionTimestamp') !== undefined) return 'Terminating';
  return isTrue('Suspended') ? 'Suspended' : 'Running';
}

function jobCompletions(job: JsonObject): string {
  const done = count(job, 'status', 'succeeded');
  const wanted = valueAt(job, 'spec', 'completions');
  if (typeof wanted === 'number') return `${done}/${wanted}`;
  const parallelism = count(job, 'spec', 'parallelism');
  return parallelism > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`;
}

function jobDuration(job: JsonObject, nowMs: number): string {
  const start = Date.parse(asString(valueAt(job, 'status', 'startTime')));
  if (Number.isNaN(start)) return '';
  const end = Date.parse(asString(valueAt(job, 'status', 'completionTime')));
  return renderDuration(Math.floor(((Number.isNaN(end) ? nowMs : end) - start) / 1000));
}

const cronJobPrinter: Printer = {
  columns: columns(
    'Name',
    'Schedule',
    'Timezone',
    'Suspend',
    'Active',
    'Last Schedule',
    'Age',
    '+Containers',
    '+Images',
  ),
  cells: (object, nowMs) => {
    const last = valueAt(object, 'status', 'lastScheduleTime');
    return [
      name(object),
      asString(valueAt(object, 'spec', 'schedule')),
      asString(valueAt(object, 'spec', 'timeZone')) || '<none>',
      valueAt(object, 'spec', 'suspend') === true ? 'True' : 'False',
      asArray(valueAt(object, 'status', 'active')).length,
      last === undefined ? '<none>' : renderAge(last, nowMs),
      age(object, nowMs),
      ...containerCells(object, 'spec', 'jobTemplate', 'spec', 'template'),
    ] satisfies TableCell[];
  },
};

export const workloadPrinters: Readonly<Record<string, Printer>> = {
  'apps/deployments': deploymentPrinter,
  'apps/replicasets': replicaSetPrinter,
  '/replicationcontrollers': replicaSetPrinter,
  'apps/statefulsets': statefulSetPrinter,
  'apps/daemonsets': daemonSetPrinter,
  'apps/controllerrevisions': {
    columns: columns('Name', 'Controller', 'Revision', 'Age'),
    cells: (object, nowMs) => {
      const owner = asArray(valueAt(object, 'metadata', 'ownerReferences')).find(
        (reference) => valueAt(reference, 'controller') === true,
      );
      const shown =
        owner === undefined
          ? '<none>'
          : `${asString(valueAt(owner, 'kind')).toLowerCase()}.apps/${asString(valueAt(owner, 'name'))}`;
      return [name(object), shown, count(object, 'revision'), age(object, nowMs)];
    },
  },
  'batch/jobs': jobPrinter,
  'batch/cronjobs': cronJobPrinter,
};
