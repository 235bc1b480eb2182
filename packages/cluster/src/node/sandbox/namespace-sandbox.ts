/** Owns sandboxes made of Linux namespaces: own mounts, own process numbers, own host name; the network is the machine's. */
import { mkdir, readFile, readdir, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dirent } from 'node:fs';
import { renderRootScript, renderUserScript } from './enter-script.ts';
import type { PlannedMount, RootPlan, TopEntry } from './enter-script.ts';
import { carriedMounts, isWithin } from './host-mounts.ts';
import { resolveMountPoint } from './mount-point.ts';
import type { JoinRequest, Launch, Sandbox, SandboxRequest } from './sandbox.ts';
import { shellQuote } from './shell-quote.ts';

export interface NamespaceSandboxOptions {
  readonly kind: 'root' | 'user';
  /** Directories of the host that no container may see, such as the cluster's keys and other pods' secrets. */
  readonly hidden: readonly string[];
  /** The product's own code: visible in every container even where its file system is not carried over, as the machine's own files. */
  readonly needed: readonly string[];
}

const DIE_WITH_NODE = ['--pdeathsig', 'KILL', '--'];
/**
 * Stays outside of the new process numbers, whose first process is the container; ends with that one's exit code (128 + signal). Its
 * own remarks ("Killed") are nobody's output. `unshare --fork` would do the same, but loses the code of a process that was killed.
 */
const WATCH = 'exec 3>&2 2>/dev/null; (exec setpriv --pdeathsig KILL -- /bin/sh "$0" 2>&3 3>&-); exit $?';
/** Variables whose names a shell would drop. */
const SHELL_NAME = /^[A-Za-z_]\w*$/;

export async function createNamespaceSandbox(options: NamespaceSandboxOptions): Promise<Sandbox> {
  const mountInfo = await readFile('/proc/self/mountinfo', 'utf8');
  const carried = options.kind === 'root' ? carriedMounts(mountInfo) : [];
  const top = options.kind === 'user' ? await readTopEntries() : [];
  // Bound rather than overlaid: V8 shares its builtins with the file of the Node it runs from only where that file's device is its own
  // (an overlay has another one), and copies 2 MB into each process otherwise.
  const isNeeded = (path: string): boolean =>
    options.kind === 'root' || isWithin(path, '/tmp') || isWithin(path, '/run');
  const needed = options.needed.filter(isNeeded);
  return {
    kind: options.kind,
    ownsProcesses: true,
    async launch(request) {
      const script = await renderScript({ options: { ...options, needed }, carried, top }, request);
      const file = join(request.directory, 'enter.sh');
      await writeFile(file, script, { mode: 0o600 });
      const flags = ['--mount', '--uts', '--ipc', '--pid'];
      const user = options.kind === 'user' ? ['--user', '--map-root-user'] : [];
      return {
        file: 'setpriv',
        args: [...DIE_WITH_NODE, 'unshare', ...user, ...flags, '/bin/sh', '-c', WATCH, file],
        env: Object.fromEntries(request.env),
        cwd: '/',
      };
    },
    join: (request) => joinLaunch(options.kind, request),
  };
}

async function readTopEntries(): Promise<TopEntry[]> {
  const entries = await readdir('/', { withFileTypes: true });
  const wanted = entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
  return Promise.all(wanted.map(topEntry));
}

async function topEntry(entry: Dirent): Promise<TopEntry> {
  const isLink = entry.isSymbolicLink();
  return {
    name: entry.name,
    kind: isLink ? 'link' : 'directory',
    link: isLink ? await readlink(`/${entry.name}`) : '',
  };
}

interface Host {
  readonly options: NamespaceSandboxOptions;
  readonly carried: readonly string[];
  readonly top: readonly TopEntry[];
}

async function renderScript({ options, carried, top }: Host, request: SandboxRequest): Promise<string> {
  const scratch = join(request.directory, 'root-scratch');
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  const opened = new Set(request.files.length > 0 ? ['/etc'] : []);
  const mounts: PlannedMount[] = [];
  const own = options.needed.map(
    (path) => ({ source: path, target: path, kind: 'directory', readOnly: true }) as const,
  );
  for (const mount of [...own, ...request.mounts]) {
    const { path, ancestors } = await resolveMountPoint(mount.target);
    for (const ancestor of ancestors) opened.add(ancestor);
    mounts.push({ source: mount.source, path, kind: mount.kind, readOnly: mount.readOnly });
  }
  const plan: RootPlan = {
    scratch,
    carried,
    mounts,
    files: request.files,
    hidden: options.hidden,
    hostname: request.hostname,
    workingDirectory: request.workingDirectory,
    readOnlyRoot: request.readOnlyRoot,
    ownsProcesses: true,
  };
  const command = renderCommand(request);
  if (options.kind === 'root') return renderRootScript(plan, command);
  return renderUserScript({ ...plan, top, opened: [...opened].toSorted((a, b) => a.length - b.length) }, command);
}

function renderCommand({ argv, env, workingDirectory }: SandboxRequest): string {
  const odd = [...env]
    .filter(([name]) => !SHELL_NAME.test(name))
    .map(([name, value]) => shellQuote(`${name}=${value}`));
  const words = [...(odd.length > 0 ? ['env', ...odd] : []), ...argv.map(shellQuote)].join(' ');
  return `cd ${shellQuote(workingDirectory)}\nunset OLDPWD\nexec ${words}`;
}

function joinLaunch(kind: 'root' | 'user', { argv, env, workingDirectory, pid }: JoinRequest): Launch {
  const user = kind === 'user' ? ['--user', '--preserve-credentials'] : [];
  const inside = ['/bin/sh', '-c', 'cd "$0" 2>/dev/null; unset OLDPWD; exec "$@"', workingDirectory, ...argv];
  return {
    file: 'setpriv',
    args: [
      ...DIE_WITH_NODE,
      'nsenter',
      '--target',
      String(pid),
      '--mount',
      '--uts',
      '--ipc',
      '--pid',
      ...user,
      '--',
      ...inside,
    ],
    env: Object.fromEntries(env),
    cwd: '/',
  };
}
