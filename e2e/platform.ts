/** Owns one running platform for end-to-end tests: `kfctl up` in an empty home, the real kubectl and curl against it. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.dirname(import.meta.dirname);
const MAIN = path.join(ROOT, 'packages', 'kfctl', 'src', 'main.ts');

export const USER = 'admin@kubeflow.org';
export const PASSWORD = 'correct-horse-12341234';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where a platform runs; this machine as it is when absent. */
export interface World {
  /** The command that runs the words after it there. */
  readonly enter: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const HERE: World = { enter: [], env: {} };

export interface Platform {
  readonly world: World;
  readonly home: string;
  readonly dataDirectory: string;
  readonly kubeconfig: string;
  readonly url: string;
  readonly address: string;
  /** Everything that `up` printed. */
  readonly output: string;
  readonly process: ChildProcess;
  /** Sends SIGINT as Ctrl-C does and gives the time until the end in milliseconds. */
  interrupt(): Promise<number>;
}

export interface Home {
  readonly directory: string;
  remove(): void;
}

export function createHome(): Home {
  const directory = mkdtempSync(path.join(tmpdir(), 'kfctl-e2e-'));
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

function environment(home: string): NodeJS.ProcessEnv {
  const { KUBECONFIG: _kubeconfig, ...env } = process.env;
  return {
    ...env,
    HOME: home,
    XDG_DATA_HOME: path.join(home, 'data'),
    KUBEFLOW_USER_EMAIL: USER,
    KUBEFLOW_PASSWORD: PASSWORD,
  };
}

/** Starts the platform and resolves when it says that it is ready. */
export function startPlatform(home: string, world: World = HERE): Promise<Platform> {
  const dataDirectory = path.join(home, 'platform');
  const [command = '', ...args] = [...world.enter, process.execPath, MAIN, 'up', '--data-dir', dataDirectory];
  const child = spawn(command, args, {
    env: { ...environment(home), ...world.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  return new Promise((resolve, reject) => {
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
      const url = /https:\/\/[\d.]+(?::\d+)?\//.exec(output)?.[0];
      const kubeconfig = /export KUBECONFIG=(\S+)/.exec(output)?.[1];
      if (url === undefined || kubeconfig === undefined) return;
      const { hostname } = new URL(url);
      resolve({
        world,
        home,
        dataDirectory,
        kubeconfig,
        url,
        address: hostname,
        output,
        process: child,
        interrupt: () => interrupt(child),
      });
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('exit', (code) => reject(new Error(`kfctl up ended with ${code}:\n${output}`)));
  });
}

async function interrupt(child: ChildProcess): Promise<number> {
  const begin = Date.now();
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGINT');
    await ended;
  }
  return Date.now() - begin;
}

export function run(
  command: string,
  args: readonly string[],
  options: {
    readonly env?: NodeJS.ProcessEnv;
    readonly input?: string;
    readonly cwd?: string;
    readonly timeout?: number;
  } = {},
): CommandResult {
  const result = spawnSync(command, [...args], {
    encoding: 'utf8',
    maxBuffer: 64 * 1_048_576,
    timeout: 120_000,
    ...options,
  });
  if (result.error !== undefined) throw result.error;
  return { code: result.status ?? -1, stdout: result.stdout, stderr: result.stderr };
}

/** Runs the stock kubectl; fails the test when kubectl does. */
export function kubectl(platform: ApiUser, ...args: string[]): string {
  const result = tryKubectl(platform, ...args);
  assert.equal(result.code, 0, `kubectl ${args.join(' ')}\n${result.stderr}`);
  return result.stdout;
}

export function tryKubectl(platform: ApiUser, ...args: string[]): CommandResult {
  return runIn(platform.world ?? HERE, ['kubectl', ...args], {
    env: { ...process.env, HOME: platform.home, KUBECONFIG: platform.kubeconfig },
  });
}

/** What kubectl needs of a platform. */
type ApiUser = Pick<Platform, 'kubeconfig' | 'home'> & Partial<Pick<Platform, 'world'>>;

export function kubectlInput(
  platform: Pick<Platform, 'kubeconfig' | 'home'>,
  input: string,
  ...args: string[]
): string {
  const result = run('kubectl', args, {
    env: { ...process.env, HOME: platform.home, KUBECONFIG: platform.kubeconfig },
    input,
  });
  assert.equal(result.code, 0, `kubectl ${args.join(' ')}\n${result.stderr}`);
  return result.stdout;
}

/** Runs lines of shell as a person types them, each of which must succeed; gives what they print. */
export function shell(platform: Pick<Platform, 'kubeconfig' | 'home'>, lines: string): string {
  const { code, stdout, stderr } = run('bash', ['-eo', 'pipefail', '-c', lines], {
    cwd: platform.home,
    env: { ...process.env, HOME: platform.home, KUBECONFIG: platform.kubeconfig },
  });
  assert.equal(code, 0, `${lines}\n${stdout}${stderr}`);
  return stdout;
}

/** Runs kfctl as a user would, in a directory, with the platform's kubeconfig. */
export function kfctl(platform: Pick<Platform, 'kubeconfig' | 'home'>, cwd: string, ...args: string[]): CommandResult {
  return run(process.execPath, [MAIN, ...args], {
    cwd,
    env: { ...environment(platform.home), KUBECONFIG: platform.kubeconfig },
  });
}

/** Runs the real curl against the platform's self-signed certificate. */
export function curl(...args: string[]): CommandResult {
  return curlIn(HERE, ...args);
}

export function curlIn(world: World, ...args: string[]): CommandResult {
  return runIn(world, ['curl', '-k', '-s', '-S', '--max-time', '20', ...args]);
}

export function runIn(world: World, words: readonly string[], options: Parameters<typeof run>[2] = {}): CommandResult {
  const [command = '', ...args] = [...world.enter, ...words];
  return run(command, args, options);
}

/** Waits until the probe gives a value; throws what the last attempt threw when time is up. */
export async function eventually<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  timeoutMs = 30_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < end) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`timed out waiting for ${what}`, { cause: last });
}
