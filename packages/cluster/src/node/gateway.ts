/** Owns what the node does for the API server: logs, exec and port-forward of its pods' containers. */
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { AppError } from '@kfctl/core';
import type { ExecOutcome, LogRequest, NodeGateway, PodPlace } from '../api/node-gateway.ts';
import type { ContainerState } from './container/container-state.ts';
import { attachContainer } from './container/attach-container.ts';
import { attachCommand, terminalCommand } from './container/join-container.ts';
import { joinLaunch } from './container/join-launch.ts';
import { readLog } from './logs/read-log.ts';
import { allContainers, logFile } from './pod/pod-runtime.ts';
import type { PodRuntime } from './pod/pod-runtime.ts';
import type { RunningPods } from './run-pods.ts';
import type { Sandbox } from './sandbox/sandbox.ts';

const CONNECT_MS = 10_000;

export function createNodeGateway(pods: Pick<RunningPods, 'find'>, sandbox: Sandbox): NodeGateway {
  const require = (place: PodPlace, container: string): { runtime: PodRuntime; state: ContainerState } => {
    const runtime = requirePod(pods, place);
    const state = allContainers(runtime).find(({ spec }) => spec.name === container);
    if (state === undefined) throw failure(`container ${container} is not valid for pod ${place.name}`, 400);
    return { runtime, state };
  };
  return {
    logs(place, request, signal) {
      const { runtime, state } = require(place, request.container);
      return logsOf(runtime, state, { request, signal });
    },
    async exec(place, { request, streams }, signal): Promise<ExecOutcome> {
      const { state } = require(place, request.container);
      const begun = state.run.kind === 'running' ? state.begun : undefined;
      const workingDirectory = state.spec.workingDir || '/';
      // `script` of other systems neither takes a pipe for its input nor these options.
      if (request.tty && process.platform !== 'linux')
        throw failure('commands get no terminal on this machine: leave out -t', 400);
      const launch = begun && (await joinLaunch(sandbox, begun, { argv: terminalCommand(request), workingDirectory }));
      if (launch === undefined) throw failure(`container "${request.container}" is not running`, 400);
      const env = request.tty ? { TERM: 'xterm', ...launch.env } : launch.env;
      return attachCommand({ ...launch, env }, streams, signal);
    },
    async attach(place, { container, streams }, signal): Promise<ExecOutcome> {
      const { state } = require(place, container);
      const process = state.run.kind === 'never' ? undefined : state.begun?.process;
      // One that has ended meanwhile still has something to say to whoever was about to attach.
      if (process === undefined || (state.run.kind !== 'running' && !process.output.hasBacklog))
        throw failure(`container "${container}" is not running`, 400);
      return attachContainer(process, { streams, endsInput: state.spec.stdinOnce === true }, signal);
    },
    portForward: (place, port, signal) => openPort(requirePod(pods, place).ip, port, signal),
  };
}

function requirePod(pods: Pick<RunningPods, 'find'>, { namespace, name, uid }: PodPlace): PodRuntime {
  const runtime = pods.find(namespace, name);
  if (runtime === undefined || runtime.uid !== uid) throw failure(`pod "${name}" does not run on this node`, 404);
  return runtime;
}

function failure(message: string, status: number): AppError {
  return new AppError('NODE_REQUEST', message, { status, public: message });
}

interface LogCall {
  readonly request: LogRequest;
  readonly signal: AbortSignal;
}

function logsOf(runtime: PodRuntime, state: ContainerState, { request, signal }: LogCall): AsyncIterable<Buffer> {
  const { name } = state.spec;
  if (request.previous) {
    const run =
      state.run.kind === 'running'
        ? state.restartCount - 1
        : state.waiting === undefined
          ? state.restartCount - 1
          : state.restartCount;
    if (run < 0 || state.run.kind === 'never')
      throw failure(`previous terminated container "${name}" in pod "${runtime.name}" not found`, 400);
    return readLog({ file: logFile(runtime, state, run) }, request, signal);
  }
  if (state.run.kind === 'never') {
    const { reason = 'ContainerCreating' } = state.waiting ?? {};
    const why = reason.includes('Image') ? 'trying and failing to pull image' : reason;
    throw failure(`container "${name}" in pod "${runtime.name}" is waiting to start: ${why}`, 400);
  }
  const writer = state.run.kind === 'running' ? state.begun?.log : undefined;
  return readLog({ file: logFile(runtime, state, state.restartCount), writer }, request, signal);
}

/** Programs listen on the pod's address; some that know nothing of it listen on the machine's own. */
async function openPort(ip: string, port: number, signal: AbortSignal): Promise<Duplex> {
  try {
    return await dial(ip, port, signal);
  } catch {
    return dial('127.0.0.1', port, signal);
  }
}

function dial(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal, allowHalfOpen: true });
    const timer = setTimeout(() => socket.destroy(new Error('connect timed out')), CONNECT_MS);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.setNoDelay(true);
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(new AppError('NODE_REQUEST', `cannot connect to port ${port}`, { cause: error, status: 502 }));
    });
  });
}
