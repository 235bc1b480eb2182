/** Owns the row of a pod: the status that people read is a summary of phase, conditions and container states. */
import { asArray, asObject, asString, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import { renderAge } from './cells.ts';
import { columns } from './columns.ts';
import type { Printer } from './definition.ts';

export const podPrinter: Printer = {
  columns: columns('Name', 'Ready', 'Status', 'Restarts', 'Age', '+IP', '+Node', '+Nominated Node', '+Readiness Gates'),
  cells(pod, nowMs) {
    const containers = asArray(valueAt(pod, 'spec', 'containers'));
    const summary = summarize(pod);
    return [
      asString(valueAt(pod, 'metadata', 'name')),
      `${summary.ready}/${containers.length}`,
      summary.status,
      renderRestarts(summary, nowMs),
      renderAge(valueAt(pod, 'metadata', 'creationTimestamp'), nowMs),
      asString(valueAt(pod, 'status', 'podIP')) || '<none>',
      asString(valueAt(pod, 'spec', 'nodeName')) || '<none>',
      asString(valueAt(pod, 'status', 'nominatedNodeName')) || '<none>',
      '<none>',
    ];
  },
};

interface Summary {
  readonly status: string;
  readonly ready: number;
  readonly restarts: number;
  /** When a container ended last; undefined when none did. */
  readonly lastRestart: string | undefined;
}

function renderRestarts({ restarts, lastRestart }: Summary, nowMs: number): string {
  return restarts > 0 && lastRestart !== undefined
    ? `${restarts} (${renderAge(lastRestart, nowMs)} ago)`
    : String(restarts);
}

function summarize(pod: JsonObject): Summary {
  const status = asObject(pod['status']);
  const initial = asString(status['reason']) || asString(status['phase']);
  const init = summarizeInit(pod);
  const main = summarizeContainers(asArray(status['containerStatuses']).map(asObject), initial);
  const shown = init ?? main.status;
  const deleted = valueAt(pod, 'metadata', 'deletionTimestamp') !== undefined;
  const text = deleted ? (status['reason'] === 'NodeLost' ? 'Unknown' : 'Terminating') : shown;
  return { ...main, status: text };
}

/** The state of the first init container that is not done, as `Init:0/1`. */
function summarizeInit(pod: JsonObject): string | undefined {
  const total = asArray(valueAt(pod, 'spec', 'initContainers')).length;
  for (const [index, value] of asArray(valueAt(pod, 'status', 'initContainerStatuses')).entries()) {
    const state = asObject(asObject(value)['state']);
    const terminated = asObject(state['terminated']);
    if (state['terminated'] !== undefined && terminated['exitCode'] === 0) continue;
    if (state['terminated'] !== undefined) return `Init:${terminatedText(terminated)}`;
    const waiting = asString(valueAt(state, 'waiting', 'reason'));
    return waiting !== '' && waiting !== 'PodInitializing' ? `Init:${waiting}` : `Init:${index}/${total}`;
  }
  return undefined;
}

function terminatedText(terminated: JsonObject): string {
  const reason = asString(terminated['reason']);
  if (reason !== '') return reason;
  const signal = terminated['signal'];
  return typeof signal === 'number' && signal !== 0
    ? `Signal:${signal}`
    : `ExitCode:${String(terminated['exitCode'] ?? 0)}`;
}

function summarizeContainers(statuses: readonly JsonObject[], initial: string): Summary {
  let status = initial;
  let ready = 0;
  let restarts = 0;
  let lastRestart: string | undefined;
  let hasRunning = false;
  for (const container of statuses.toReversed()) {
    restarts += Number(container['restartCount'] ?? 0);
    const finishedAt = asString(valueAt(container, 'lastState', 'terminated', 'finishedAt'));
    if (finishedAt !== '' && (lastRestart === undefined || finishedAt > lastRestart)) lastRestart = finishedAt;
    const state = asObject(container['state']);
    const waiting = asString(valueAt(state, 'waiting', 'reason'));
    if (waiting !== '') status = waiting;
    else if (state['terminated'] !== undefined) status = terminatedText(asObject(state['terminated']));
    else if (container['ready'] === true && state['running'] !== undefined) {
      hasRunning = true;
      ready += 1;
    }
  }
  if (status === 'Completed' && hasRunning) status = ready === statuses.length ? 'Running' : 'NotReady';
  return { status, ready, restarts, lastRestart };
}
