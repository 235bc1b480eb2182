/** Owns the contract of a local program: what stands for an image on this machine. */
import type { Mount } from '../sandbox/sandbox.ts';

export interface ProgramRequest {
  /** The container's own command and arguments, `$(NAME)` already replaced; empty when the image's own are wanted. */
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly podIp: string;
  /** Where the program may put rendered files; private to the container. */
  readonly directory: string;
  readonly mounts: readonly Mount[];
  /** Where the program is to listen so that this port of the pod leads to it: on the pod's address, if the machine has it. */
  place(port: number): Promise<ListenPlace>;
}

export interface ListenPlace {
  readonly host: string;
  readonly port: number;
}

export interface PreparedProgram {
  readonly argv: readonly string[];
  readonly mounts?: readonly Mount[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface LocalProgram {
  /** Shown where people ask which images run here. */
  readonly description: string;
  /** What is missing on this machine to run it, as a sentence with the fix; undefined when it can run. */
  missing(): string | undefined;
  /** Nothing stands for it, on any machine: `missing` says what to do instead. */
  readonly isAbsent?: boolean;
  prepare(request: ProgramRequest): Promise<PreparedProgram>;
}
