/** Owns the contract of a sandbox: how a container's process is started in its own view of the machine, and how others join it. */

export interface Mount {
  /** A real directory or file of the host, without symlinks on the way. */
  readonly source: string;
  /** Absolute path inside of the container. */
  readonly target: string;
  readonly kind: 'directory' | 'file';
  readonly readOnly: boolean;
}

export interface SandboxRequest {
  /** Private to this container: the script and the mount point of its root live here. */
  readonly directory: string;
  readonly argv: readonly string[];
  readonly env: ReadonlyMap<string, string>;
  /** Absolute path inside of the container. */
  readonly workingDirectory: string;
  readonly mounts: readonly Mount[];
  /** Small files of the container's own, such as /etc/hosts. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
  readonly hostname: string;
  readonly readOnlyRoot: boolean;
}

/** What to spawn. */
export interface Launch {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface JoinRequest {
  readonly argv: readonly string[];
  readonly env: ReadonlyMap<string, string>;
  readonly workingDirectory: string;
  /** A process of the container, as the host numbers it. */
  readonly pid: number;
  readonly mounts: readonly Mount[];
}

export interface Sandbox {
  readonly kind: 'root' | 'user' | 'none';
  /** True when the container's processes have their own process numbers: then all of them end with the first. */
  readonly ownsProcesses: boolean;
  launch(request: SandboxRequest): Promise<Launch>;
  join(request: JoinRequest): Launch;
}
