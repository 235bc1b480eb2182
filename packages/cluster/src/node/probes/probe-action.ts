/** Owns one probe of a container: is it well, as its HTTP endpoint, its port or its own command tells. */
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { connect } from 'node:net';
import { describeError } from '@kfctl/core';
import type { ContainerSpec, HttpGetAction, ProbeAction } from '../pod/pod-spec.ts';

// Not `import`: that reads every export of node:http, whose WebSocket getter loads undici (4 MB once collected, 13 MB before).
const { request: httpRequest } = process.getBuiltinModule('node:http');

export interface ProbeTarget {
  readonly container: ContainerSpec;
  readonly podIp: string;
  /** Runs a command inside of the container; its exit code and the start of its output. */
  run(command: readonly string[], timeoutMs: number): Promise<{ readonly exitCode: number; readonly output: string }>;
}

export type ProbeResult = { readonly kind: 'success' } | { readonly kind: 'failure'; readonly message: string };

const SUCCESS: ProbeResult = { kind: 'success' };

/** Never rejects. */
export async function probe(action: ProbeAction, target: ProbeTarget, timeoutMs: number): Promise<ProbeResult> {
  try {
    if (action.httpGet !== undefined) return await probeHttp(action.httpGet, target, timeoutMs);
    const tcp = action.tcpSocket ?? (action.grpc === undefined ? undefined : { port: action.grpc.port });
    if (tcp !== undefined) return await probeTcp(tcp, target, timeoutMs);
    return action.exec === undefined ? SUCCESS : await probeExec(action.exec.command ?? [], target, timeoutMs);
  } catch (error) {
    return { kind: 'failure', message: describeError(error) };
  }
}

/** The number of a port that may be named. */
export function portNumber(port: number | string, container: ContainerSpec): number {
  if (typeof port === 'number') return port;
  const named = container.ports?.find(({ name }) => name === port)?.containerPort;
  const number = named ?? Number(port);
  if (!Number.isInteger(number) || number < 1 || number > 65_535) throw new Error(`couldn't find port: ${port}`);
  return number;
}

async function probeHttp(action: HttpGetAction, target: ProbeTarget, timeoutMs: number): Promise<ProbeResult> {
  const isTls = action.scheme === 'HTTPS';
  const port = portNumber(action.port, target.container);
  const host = action.host || target.podIp;
  const path = action.path?.startsWith('/') ? action.path : `/${action.path ?? ''}`;
  const headers: Record<string, string> = { 'user-agent': 'kube-probe/1.34', accept: '*/*', connection: 'close' };
  for (const { name, value } of action.httpHeaders ?? []) headers[name.toLowerCase()] = value;
  const send = isTls ? process.getBuiltinModule('node:https').request : httpRequest;
  // A probe asks whether the process is well, not who it is: its certificate is of no interest (as with the kubelet).
  const options: RequestOptions = {
    host,
    port,
    path,
    headers,
    agent: false,
    ...(isTls ? { rejectUnauthorized: false } : {}),
  };
  const status = await statusOf((respond) => send(options, respond), timeoutMs);
  if (status >= 200 && status < 400) return SUCCESS;
  return { kind: 'failure', message: `HTTP probe failed with statuscode: ${status}` };
}

type Send = (respond: (response: IncomingMessage) => void) => ClientRequest;

function statusOf(send: Send, timeoutMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = send((response) => {
      clearTimeout(timer);
      resolve(response.statusCode ?? 0);
      response.resume();
      call.destroy();
    });
    const timer = setTimeout(() => call.destroy(new Error('context deadline exceeded')), timeoutMs);
    call.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    call.end();
  });
}

function probeTcp(
  action: { port: number | string; host?: string },
  target: ProbeTarget,
  timeoutMs: number,
): Promise<ProbeResult> {
  const port = portNumber(action.port, target.container);
  return new Promise((resolve) => {
    const socket = connect({ host: action.host || target.podIp, port });
    const finish = (result: ProbeResult): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => finish({ kind: 'failure', message: 'i/o timeout' }), timeoutMs);
    socket.on('connect', () => finish(SUCCESS));
    socket.on('error', (error) => finish({ kind: 'failure', message: describeError(error) }));
  });
}

async function probeExec(command: readonly string[], target: ProbeTarget, timeoutMs: number): Promise<ProbeResult> {
  const { exitCode, output } = await target.run(command, timeoutMs);
  return exitCode === 0 ? SUCCESS : { kind: 'failure', message: output.trim() || `command exited with ${exitCode}` };
}
