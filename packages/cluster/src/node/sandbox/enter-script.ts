/**
 * Owns the shell script that builds a container's root in a private mount namespace and then becomes the container's program.
 * Nothing that it does is seen outside of the namespace; nothing is created on the host's own file systems.
 *
 *   tmpfs at <directory>/root-scratch
 *    ├─ root mode: copy-on-write overlay of `/`       (upper layer in the tmpfs)
 *    └─ user mode: the host's top directories, bound  (those above a mount point become directories of links to /.host)
 *   then pivot_root, bind the volumes, drop the way back, exec
 */
import { dirname } from 'node:path';
import { isWithin } from './host-mounts.ts';
import { shellQuote as q } from './shell-quote.ts';

export interface PlannedMount {
  readonly source: string;
  /** Real path inside of the new root. */
  readonly path: string;
  readonly kind: 'directory' | 'file';
  readonly readOnly: boolean;
}

export interface RootPlan {
  readonly scratch: string;
  /** Real file systems of the host besides `/`. */
  readonly carried: readonly string[];
  readonly mounts: readonly PlannedMount[];
  readonly files: readonly { readonly path: string; readonly content: string }[];
  /** Host directories that the container must not see. */
  readonly hidden: readonly string[];
  readonly hostname: string;
  readonly workingDirectory: string;
  readonly readOnlyRoot: boolean;
  readonly ownsProcesses: boolean;
}

export interface TopEntry {
  readonly name: string;
  readonly kind: 'directory' | 'link';
  readonly link: string;
}

export interface UserRootPlan extends RootPlan {
  readonly top: readonly TopEntry[];
  /** Existing host directories that lie above a mount point or a file, outermost first. */
  readonly opened: readonly string[];
}

const KERNEL = ['dev', 'sys'];
const FRESH = new Set(['run', 'tmp', 'proc', 'dev', 'sys']);
/** A container's own writes live in memory; more than this is refused. */
const SCRATCH_SIZE = '512m';

/** Root of the machine: one overlay of `/`, one more for each other file system. */
export function renderRootScript(plan: RootPlan, command: string): string {
  const overlays = ['/', ...plan.carried].flatMap((path, index) => overlay(path, index, plan.scratch));
  return script(
    plan,
    [...overlays, `cd ${q(`${plan.scratch}/root`)}`],
    [...afterPivot(plan), 'umount -l /.host', 'rmdir /.host', ...lastSteps(plan), command],
  );
}

function overlay(lower: string, index: number, scratch: string): string[] {
  const upper = `${scratch}/u${index}`;
  const work = `${scratch}/w${index}`;
  const target = lower === '/' ? `${scratch}/root` : `${scratch}/root${lower}`;
  const options = `lowerdir=${escapeOption(lower)},upperdir=${escapeOption(upper)},workdir=${escapeOption(work)}`;
  // A carried file system that cannot be overlaid is left out; `/` must work.
  const optional = lower === '/' ? '' : ' 2>/dev/null || true';
  return [
    `mkdir -p ${q(upper)} ${q(work)} ${q(target)}`,
    `mount -n -t overlay -o ${q(options)} overlay ${q(target)}${optional}`,
  ];
}

function escapeOption(path: string): string {
  return path.replaceAll(/[\\:,]/g, String.raw`\$&`);
}

/** An ordinary user with a user namespace: overlays of `/` are forbidden there, so directories are bound and linked. */
export function renderUserScript(plan: UserRootPlan, command: string): string {
  const root = q(`${plan.scratch}/root`);
  // pivot_root wants a mount point.
  const build = [`mount -n --bind ${root} ${root}`, `cd ${root}`, 'mkdir .host'];
  for (const { name, kind, link } of plan.top) {
    if (kind === 'link') build.push(`ln -s ${q(link)} ${q(name)}`);
    else if (FRESH.has(name) || plan.opened.includes(`/${name}`)) build.push(`mkdir -p ${q(name)}`);
    else build.push(`mkdir ${q(name)}`, `mount -n --rbind ${q(`/${name}`)} ${q(name)}`);
  }
  const open = plan.opened.flatMap((path) => openDirectory(path, plan.top));
  const hidden = plan.hidden.map((path) => hide(`/.host${path}`));
  return script(plan, build, [...open, ...afterPivot(plan), ...hidden, ...lastSteps(plan), command]);
}

function openDirectory(path: string, top: readonly TopEntry[]): string[] {
  const [, first = ''] = path.split('/');
  if (FRESH.has(first) || !top.some(({ name }) => name === first)) return [];
  const clear = dirname(path) === '/' ? [] : [`rm -f ${q(path)}`, `mkdir -p ${q(path)}`];
  return [
    ...clear,
    `find ${q(`/.host${path}`)} -mindepth 1 -maxdepth 1 -exec ln -s -t ${q(path)} {} + 2>/dev/null || true`,
  ];
}

function script(plan: RootPlan, build: readonly string[], inside: readonly string[]): string {
  const { scratch } = plan;
  return [
    'set -e',
    'umask 022',
    `mount -n -t tmpfs -o mode=755,size=${SCRATCH_SIZE} tmpfs ${q(scratch)}`,
    `mkdir ${q(`${scratch}/root`)}`,
    ...build,
    'mkdir -p .host proc tmp run',
    'chmod 1777 tmp',
    ...KERNEL.flatMap((name) => [`mkdir -p ${name}`, `mount -n --rbind /${name} ${name}`]),
    plan.ownsProcesses ? 'mount -n -t proc proc proc' : 'mount -n --rbind /proc proc',
    'pivot_root . .host',
    'cd /',
    ...inside,
    '',
  ].join('\n');
}

/** What lies in a hidden directory on purpose is bound after it was hidden; sources are always reached through the host's own root. */
function afterPivot(plan: RootPlan): string[] {
  const isLate = ({ path }: PlannedMount): boolean => plan.hidden.some((directory) => isWithin(path, directory));
  const mounts = plan.mounts.toSorted((a, b) => a.path.length - b.path.length);
  return [
    ...files(plan),
    ...mounts.filter((mount) => !isLate(mount)).flatMap(bind),
    ...plan.hidden.map(hide),
    ...mounts.filter(isLate).flatMap(bind),
  ];
}

function hide(path: string): string {
  return `if [ -d ${q(path)} ]; then mount -n -t tmpfs -o size=64k,mode=755 tmpfs ${q(path)}; fi`;
}

function files(plan: RootPlan): string[] {
  if (plan.files.length === 0) return [];
  const paths = plan.files.map(({ path }) => q(path)).join(' ');
  return [`rm -f ${paths}`, ...plan.files.map(({ path, content }) => `printf %s ${q(content)} > ${q(path)}`)];
}

function bind({ source, path, kind, readOnly }: PlannedMount): string[] {
  const make =
    kind === 'directory' ? `mkdir -p ${q(path)}` : `mkdir -p ${q(dirname(path))}; [ -e ${q(path)} ] || : > ${q(path)}`;
  const lines = [make, `mount -n --rbind ${q(`/.host${source}`)} ${q(path)}`];
  // In a user namespace the flags of the file system below may forbid the change: then the mount stays as it is.
  return readOnly ? [...lines, `mount -n -o remount,bind,ro ${q(path)} 2>/dev/null || true`] : lines;
}

function lastSteps(plan: RootPlan): string[] {
  return [
    `mkdir -p ${q(plan.workingDirectory)} 2>/dev/null || true`,
    `printf %s ${q(plan.hostname)} > /proc/sys/kernel/hostname 2>/dev/null || true`,
    ...(plan.readOnlyRoot ? ['mount -n -o remount,bind,ro /'] : []),
  ];
}
