/** Owns what probes and hooks need of a running container. */
import type { ProbeTarget } from '../probes/probe-action.ts';
import type { Begun, Start } from './begun.ts';
import { runCommand } from './join-container.ts';
import { joinLaunch } from './join-launch.ts';

export function probeTarget(start: Start, begun: Begun): ProbeTarget {
  const { spec } = start.state;
  return {
    container: spec,
    podIp: start.runtime.ip,
    async run(command, timeoutMs) {
      const launch = await joinLaunch(start.deps.sandbox, begun, {
        argv: command,
        workingDirectory: spec.workingDir || '/',
      });
      return launch === undefined
        ? { exitCode: 126, output: 'container is not running' }
        : runCommand(launch, timeoutMs);
    },
  };
}
