/** Owns the sandbox of last resort: a plain process whose mount paths are rewritten to the real directories. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { rewritePaths } from './rewrite-paths.ts';
import type { Launch, Mount, Sandbox } from './sandbox.ts';

export interface PlainSandboxOptions {
  /** True where setpriv can end a process with its parent. */
  readonly diesWithNode: boolean;
  /** Directories that are named as they are, even where a volume is mounted above them. */
  readonly real?: readonly string[];
}

export function createPlainSandbox({ diesWithNode, real = [] }: PlainSandboxOptions): Sandbox {
  const kept = real.map((path) => ({ source: path, target: path, kind: 'directory', readOnly: false }) as const);
  const render = (parts: PlainParts): Launch =>
    renderLaunch({ ...parts, mounts: [...parts.mounts, ...kept] }, diesWithNode);
  return {
    kind: 'none',
    ownsProcesses: false,
    async launch({ argv, env, mounts, workingDirectory, directory }) {
      const home = join(directory, 'work');
      await mkdir(home, { recursive: true, mode: 0o700 });
      return render({ argv, env, mounts, workingDirectory, home });
    },
    join: ({ argv, env, mounts, workingDirectory }) => render({ argv, env, mounts, workingDirectory, home: '/' }),
  };
}

interface PlainParts {
  readonly argv: readonly string[];
  readonly env: ReadonlyMap<string, string>;
  readonly mounts: readonly Mount[];
  readonly workingDirectory: string;
  readonly home: string;
}

function renderLaunch({ argv, env, mounts, workingDirectory, home }: PlainParts, diesWithNode: boolean): Launch {
  const values = [...env].map(([name, value]) => [name, rewritePaths(value, mounts)] as const);
  const words = argv.map((word) => rewritePaths(word, mounts));
  const wanted = rewritePaths(workingDirectory, mounts);
  const [file = '', ...args] = diesWithNode ? ['setpriv', '--pdeathsig', 'KILL', '--', ...words] : words;
  return { file, args, env: Object.fromEntries(values), cwd: wanted !== '/' && existsSync(wanted) ? wanted : home };
}
