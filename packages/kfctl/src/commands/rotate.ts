/** Owns the command `kfctl rotate`: an apply that makes the named credentials anew. */
import { parseRotations, ROTATIONS } from '../credentials/rotation.ts';
import { runApply } from './apply.ts';
import type { ApplyFlags } from './apply.ts';
import type { Invocation } from './invocation.ts';

export async function runRotate(invocation: Invocation, names: readonly string[], flags: ApplyFlags): Promise<void> {
  const rotations = parseRotations(names);
  for (const rotation of rotations) invocation.terminal.note(`${rotation}: ${ROTATIONS[rotation]}`);
  await runApply(invocation, flags, rotations);
}
