/** Owns the making of a launch that joins a running container. */
import type { Launch, Sandbox } from '../sandbox/sandbox.ts';
import type { Begun } from './begun.ts';

export interface JoinCommand {
  readonly argv: readonly string[];
  readonly workingDirectory: string;
}

/** Undefined when the container does not run (any more). */
export async function joinLaunch(sandbox: Sandbox, begun: Begun, command: JoinCommand): Promise<Launch | undefined> {
  const pid = await begun.process.innerPid();
  if (pid === undefined) return undefined;
  return sandbox.join({ ...command, env: begun.environment, mounts: begun.mounts, pid });
}
