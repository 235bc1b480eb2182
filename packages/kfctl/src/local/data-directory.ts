/** Owns the folder of a local cluster: what lies where in it, and which process has it. Imported by what stays in memory. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';

// Not `import`, as in cluster-process.ts.
const { existsSync, readFileSync, rmSync } = process.getBuiltinModule('node:fs');

export interface DataDirectory {
  readonly path: string;
  readonly kubeconfig: string;
  /** Facts that the cluster process writes about itself. */
  readonly clusterFile: string;
  readonly logFile: string;
  /** The application directory of the platform on this cluster. */
  readonly app: string;
}

/** The name of the deployment, and of its directory. */
export const LOCAL_APP = 'kubeflow';

/** The file in it that names the process which has it. */
export const LOCK_FILE = 'up.json';

export function dataDirectory(directory: string): DataDirectory {
  return {
    path: directory,
    kubeconfig: path.join(directory, 'kubeconfig'),
    clusterFile: path.join(directory, 'cluster.json'),
    logFile: path.join(directory, 'cluster.log'),
    app: path.join(directory, LOCAL_APP),
  };
}

export interface Lock {
  readonly pid: number;
  /** Tells a process from a later one of the same number. */
  readonly startTime: string;
}

/** Gives the folder back; does nothing when another process has it. */
export function unlockDataDirectory(data: DataDirectory, pid: number): void {
  const lock = readLock(data);
  if (lock === undefined || lock.pid === pid) rmSync(path.join(data.path, LOCK_FILE), { force: true });
}

/** The living process that has the folder; undefined when there is none. */
export function readLock(data: DataDirectory): Lock | undefined {
  try {
    const lock = JSON.parse(readFileSync(path.join(data.path, LOCK_FILE), 'utf8')) as Lock;
    return isSameProcess(lock) ? lock : undefined;
  } catch {
    return undefined;
  }
}

/** True while that very process lives. */
export function isSameProcess({ pid, startTime }: Lock): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 1) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return startTime === startTimeOf(pid);
}

/** Field 22 of /proc/PID/stat; the name in parentheses may hold spaces. Systems without /proc have `ps`. */
export function startTimeOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return existsSync('/proc/self/stat') ? '' : startTimeByPs(pid);
  }
}

/** To the second; empty when the process does not run. */
export function startTimeByPs(pid: number): string {
  const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };
  const { stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { env, encoding: 'utf8' });
  return (stdout ?? '').trim();
}
