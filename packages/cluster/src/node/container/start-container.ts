/** Owns one start of a container: image, environment, mounts, process, probes. */
import { mkdir, rm } from 'node:fs/promises';
import { AppError, describeError, isAppError } from '@kfctl/core';
import { resolveImage } from '../images/registry.ts';
import type { LocalProgram } from '../images/program.ts';
import { openLogWriter } from '../logs/log-writer.ts';
import { tellEvent } from '../pod-event.ts';
import { containerDirectory, logFile } from '../pod/pod-runtime.ts';
import type { Mount } from '../sandbox/sandbox.ts';
import { resolveMounts } from '../volumes/prepare-volumes.ts';
import {
  containerEnvironment,
  expandAll,
  hostnameOf,
  hostsMounts,
  isPlatformImage,
  nameRealPlaces,
  systemFiles,
} from './container-environment.ts';
import { terminalCommand } from './join-container.ts';
import { startContainerProcess } from './container-process.ts';
import type { Begun, Start } from './begun.ts';
import { endOf } from './container-state.ts';
import { forgetProcess, recordProcess } from './leftovers.ts';
import { startProbes } from './container-probes.ts';
import { runPostStart } from './lifecycle.ts';
import { openRealPorts } from './open-real-ports.ts';

const IMAGE_PAUSE = { initialMs: 10_000, maxMs: 300_000 } as const;
/** When to try again after a mistake in the pod's configuration that no watched object will announce. */
const CONFIG_RETRY_MS = 10_000;

/** Starts the container now, or says in its state why not; resolves with the milliseconds until it is worth trying again. */
export async function startContainer(start: Start): Promise<number | undefined> {
  const { deps, state } = start;
  const program = findProgram(start);
  if (program === undefined) return Math.max(0, state.image.retryAtMs - deps.now().getTime());
  try {
    await launch(start, program);
    return undefined;
  } catch (error) {
    const isConfig = isAppError(error) && (error.code === 'CONTAINER_CONFIG' || error.code === 'POD_FIELD');
    const reason = isConfig ? 'CreateContainerConfigError' : 'RunContainerError';
    const message = describeError(error);
    if (state.waiting?.message !== message)
      tellEvent(deps, start.pod, { type: 'Warning', reason: 'Failed', message: `Error: ${message}` });
    state.waiting = { reason, message };
    return CONFIG_RETRY_MS;
  }
}

/** The kubelet's pair of reasons: ErrImagePull at a failed try, ImagePullBackOff until the next one. */
function findProgram({ deps, pod, state }: Start): LocalProgram | undefined {
  const now = deps.now().getTime();
  const image = state.spec.image ?? '';
  if (now < state.image.retryAtMs) {
    if (state.waiting?.reason === 'ImagePullBackOff') return undefined;
    state.waiting = {
      reason: 'ImagePullBackOff',
      message: `Back-off pulling image "${image}": ${state.waiting?.message ?? ''}`,
    };
    tellEvent(deps, pod, { type: 'Normal', reason: 'BackOff', message: `Back-off pulling image "${image}"` });
    return undefined;
  }
  const answer = resolveImage(deps.images, image);
  if (answer.kind === 'found') return answer.program;
  const pauseMs = Math.min(Math.max(state.image.pauseMs * 2, IMAGE_PAUSE.initialMs), IMAGE_PAUSE.maxMs);
  state.image = { retryAtMs: now + pauseMs, pauseMs };
  const invalid = answer.kind === 'invalid';
  state.waiting = { reason: invalid ? 'InvalidImageName' : 'ErrImagePull', message: answer.message };
  const text = invalid ? answer.message : `Failed to pull image "${image}": ${answer.message}`;
  tellEvent(deps, pod, { type: 'Warning', reason: invalid ? 'InspectFailed' : 'Failed', message: text });
  return undefined;
}

async function launch(start: Start, program: LocalProgram): Promise<void> {
  const { deps, runtime, pod, state } = start;
  const { spec } = state;
  const directory = containerDirectory(runtime, state);
  const environment = containerEnvironment(deps, runtime, { pod, container: spec });
  const volumes = await resolveMounts(spec, runtime.places ?? new Map(), environment);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const prepared = await program.prepare({
    command: expandAll(spec.command, environment),
    args: expandAll(spec.args, environment),
    podIp: runtime.ip,
    directory,
    mounts: volumes,
    place: (port) => deps.overlay?.ports.place(runtime.ip, port) ?? Promise.resolve({ host: runtime.ip, port }),
  });
  if (deps.overlay !== undefined && !isPlatformImage(spec)) await openRealPorts(start, deps.overlay.ports);
  for (const [name, value] of Object.entries(prepared.env ?? {})) environment.set(name, value);
  const shared = isPlatformImage(spec) ? deps.sharedDirectories.map(sharedMount) : [];
  const carried = deps.overlay === undefined ? [] : [sharedMount(deps.overlay.network.directory)];
  const mounts = [...volumes, ...(prepared.mounts ?? []), ...shared, ...carried, ...hostsMounts(deps, runtime)];
  nameRealPlaces(environment, mounts, deps);
  const sandboxed = await deps.sandbox.launch({
    directory,
    argv: terminalCommand({ command: prepared.argv, tty: spec.tty === true }),
    env: environment,
    workingDirectory: spec.workingDir || '/',
    mounts,
    files: systemFiles(deps, runtime, pod),
    hostname: hostnameOf(pod),
    readOnlyRoot: spec.securityContext?.readOnlyRootFilesystem === true,
  });
  if (deps.signal.aborted) throw new AppError('NODE_STOPPING', 'the node stops');
  const run = state.run.kind === 'never' ? state.restartCount : state.restartCount + 1;
  const log = await openLogWriter({ file: logFile(runtime, state, run) });
  const process = await startContainerProcess({
    launch: sandboxed,
    log,
    directory,
    ownsProcesses: deps.sandbox.ownsProcesses,
    wantsInput: spec.stdin === true,
  });
  began(start, { process, run, log, mounts, environment });
}

function sharedMount(path: string): Mount {
  return { source: path, target: path, kind: 'directory', readOnly: false };
}

function began(start: Start, begun: Begun): void {
  const { deps, runtime, pod, state } = start;
  const { process, run } = begun;
  if (state.run.kind === 'ended') state.last = state.run.end;
  state.restartCount = run;
  state.run = { kind: 'running', process };
  state.begun = begun;
  state.waiting = undefined;
  state.ready = false;
  state.started = false;
  const directory = containerDirectory(runtime, state);
  void recordProcess(directory, process.pid);
  void rm(logFile(runtime, state, run - 2), { force: true });
  const { name, image = '' } = state.spec;
  tellEvent(deps, pod, {
    type: 'Normal',
    reason: 'Pulled',
    message: `Container image "${image}" stands for a program of this machine`,
  });
  tellEvent(deps, pod, { type: 'Normal', reason: 'Created', message: `Created container: ${name}` });
  tellEvent(deps, pod, { type: 'Normal', reason: 'Started', message: `Started container ${name}` });
  void process.exited.then((exit) => {
    if (state.run.kind !== 'running' || state.run.process !== process) return;
    const now = deps.now();
    const end = endOf(process, exit, now);
    state.probes?.abort();
    state.run = { kind: 'ended', end, endedAtMs: now.getTime() };
    state.ready = false;
    state.started = false;
    void forgetProcess(directory);
    deps.wake(runtime);
  });
  startProbes(start, begun);
  void runPostStart(start, begun);
}
