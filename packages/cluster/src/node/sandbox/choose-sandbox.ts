/** Owns the choice of the strongest sandbox that this machine allows; it is tried, not guessed. */
import { spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createNamespaceSandbox } from './namespace-sandbox.ts';
import { createPlainSandbox } from './plain-sandbox.ts';
import type { Launch, Sandbox, SandboxRequest } from './sandbox.ts';

export interface ChooseSandboxOptions {
  /** Real path of a directory of the node's own. */
  readonly directory: string;
  readonly hidden: readonly string[];
  readonly needed: readonly string[];
  /** Tries these kinds only; all of them, strongest first, when absent. */
  readonly kinds?: readonly Sandbox['kind'][];
  readonly isRoot: boolean;
  readonly platform: NodeJS.Platform;
}

/** Resolves with the first kind whose trial run works; `none` always does. */
export async function chooseSandbox(options: ChooseSandboxOptions): Promise<Sandbox> {
  const { kinds = ['root', 'user', 'none'], hidden, needed, isRoot, platform } = options;
  for (const kind of platform === 'linux' ? kinds : []) {
    if (kind === 'none' || (kind === 'root' && !isRoot)) continue;
    const sandbox = await createNamespaceSandbox({ kind, hidden, needed });
    if (await isWorking(sandbox, options.directory)) return sandbox;
  }
  const diesWithNode =
    platform === 'linux' &&
    (await succeeds({
      file: 'setpriv',
      args: ['--pdeathsig', 'KILL', '--', 'true'],
      env: { PATH: SAFE_PATH },
      cwd: '/',
    }));
  return createPlainSandbox({ diesWithNode, real: [...hidden, ...needed] });
}

const SAFE_PATH =
  process.platform === 'linux' ? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' : '/usr/bin:/bin';

async function isWorking(sandbox: Sandbox, parent: string): Promise<boolean> {
  const directory = join(parent, `sandbox-trial-${sandbox.kind}`);
  await mkdir(join(directory, 'volume'), { recursive: true, mode: 0o700 });
  const request: SandboxRequest = {
    directory,
    argv: ['test', '-d', '/etc/kfctl-sandbox-trial'],
    env: new Map([['PATH', SAFE_PATH]]),
    workingDirectory: '/',
    mounts: [
      { source: join(directory, 'volume'), target: '/etc/kfctl-sandbox-trial', kind: 'directory', readOnly: true },
    ],
    files: [{ path: '/etc/hostname', content: 'trial\n' }],
    hostname: 'trial',
    readOnlyRoot: false,
  };
  try {
    return await succeeds(await sandbox.launch(request));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function succeeds({ file, args, env, cwd }: Launch): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { env, cwd, stdio: 'ignore', timeout: 5_000, killSignal: 'SIGKILL' });
    child.on('error', () => resolve(false));
    child.on('exit', (code) => resolve(code === 0));
  });
}
