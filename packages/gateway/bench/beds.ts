/** Owns what the benches of the gateway are run on: gateways in processes of their own, and somebody logged in. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Client } from '../../../e2e/front-door/client.ts';
import type { Cleanup } from '../../testkit/src/front-door/cleanup.ts';
import { nginx } from '../../testkit/src/front-door/nginx.ts';
import { startAuthService, startIdentity } from '../../testkit/src/front-door/platform.ts';
import type { AuthServiceProcess } from '../../testkit/src/front-door/platform.ts';
import { startProgram, temporaryDirectory } from '../../testkit/src/front-door/programs.ts';
import type { Program } from '../../testkit/src/front-door/programs.ts';
import { testCredential } from '../src/rig/objects.ts';
import type { Nginx } from './nginx-bed.ts';

export interface LoggedIn {
  readonly authservice: AuthServiceProcess;
  readonly identity: number;
  /** A header line. */
  readonly cookie: string;
}

export async function startSession(cleanup: Cleanup, application: number): Promise<LoggedIn> {
  const identity = await startIdentity(cleanup);
  const authservice = await startAuthService(cleanup, identity, { GATEWAY_COPIES_GROUPS: 'true' });
  const port = await nginx.start(cleanup, { identity, authservice: authservice.port, application });
  const client = new Client({ port, tls: false });
  await client.logIn('/');
  return { authservice, identity, cookie: `cookie: authservice_session=${client.cookie('authservice_session')}` };
}

export interface GatewayBed extends Nginx {
  readonly program: Program;
  /** Of a session of its own, where it decides for itself. */
  readonly cookie: string;
  readonly bytesPerSession: number;
}

export interface GatewayBedOptions {
  readonly application: number;
  /** 0: nobody is asked. */
  readonly authservice?: number;
  /** 0: none are decided in the gateway. */
  readonly sessions?: number;
  readonly services?: number;
}

export async function startGateway(cleanup: Cleanup, options: GatewayBedOptions): Promise<GatewayBed> {
  const { application, authservice = 0, sessions = 0, services = 0 } = options;
  const bed = `${import.meta.dirname}/gateway-bed.ts`;
  const credential = path.join(await temporaryDirectory(cleanup), 'credential.json');
  await writeFile(credential, JSON.stringify(await testCredential('gateway.example.com')));
  const numbers = [application, authservice, sessions, services].map(String);
  // As the Deployment and the image have it.
  const flags = ['--max-semi-space-size=4', '--max-old-space-size=384', '--expose-gc', bed, ...numbers, credential];
  const program = startProgram(cleanup, [process.execPath, ...flags], { MALLOC_ARENA_MAX: '1' });
  const [, port, tlsPort] = await said(program, /^ports (\d+) (\d+)$/m);
  const token = /^token (\S+)$/m.exec(program.output())?.[1] ?? '';
  const bytesPerSession = Number(/^bytes (\d+)$/m.exec(program.output())?.[1] ?? 0);
  const cookie = `cookie: authservice_session=${token}`;
  return { program, pid: program.pid, port: Number(port), tlsPort: Number(tlsPort), cookie, bytesPerSession };
}

/** Waits until a program has written what matches. */
export async function said(program: Pick<Program, 'output'>, pattern: RegExp): Promise<RegExpExecArray> {
  for (let tries = 0; tries < 6_000; tries += 1) {
    const found = pattern.exec(program.output());
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`nothing like ${pattern} was said: ${program.output()}`);
}
