import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { chooseSandbox } from './choose-sandbox.ts';
import { carriedMounts } from './host-mounts.ts';
import { createPlainSandbox } from './plain-sandbox.ts';
import { rewritePaths } from './rewrite-paths.ts';
import type { Sandbox, SandboxRequest } from './sandbox.ts';
import { shellQuote } from './shell-quote.ts';

const run = promisify(execFile);
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

interface World {
  readonly sandbox: Sandbox;
  /** Runs a script as a container would. */
  shell(script: string, more?: Partial<SandboxRequest>): Promise<{ stdout: string; stderr: string }>;
  readonly directory: string;
}

async function world(
  t: TestContext,
  kind: Sandbox['kind'],
  needed: readonly string[] = [],
): Promise<World | undefined> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "kfctl sand'box-")));
  t.after(() => rm(directory, { recursive: true, force: true }));
  await mkdir(join(directory, 'container'));
  await mkdir(join(directory, 'volume'));
  await writeFile(join(directory, 'volume', 'file'), 'from the volume');
  await writeFile(join(directory, 'secret'), 'the cluster key');
  const sandbox = await chooseSandbox({
    directory,
    hidden: [directory],
    needed,
    kinds: [kind],
    isRoot: process.getuid?.() === 0,
    platform: process.platform,
  });
  if (sandbox.kind !== kind) {
    t.skip(`this machine allows no ${kind} namespaces`);
    return undefined;
  }
  const shell: World['shell'] = async (script, more = {}) => {
    const { file, args, env, cwd } = await sandbox.launch({
      directory: join(directory, 'container'),
      argv: ['sh', '-c', script],
      env: new Map([['PATH', PATH]]),
      workingDirectory: '/',
      mounts: [
        { source: join(directory, 'volume'), target: '/etc/no-such-app/config', kind: 'directory', readOnly: true },
        { source: join(directory, 'volume', 'file'), target: '/no-such-root/one.txt', kind: 'file', readOnly: true },
        { source: join(directory, 'volume'), target: '/var/run/no-such-app', kind: 'directory', readOnly: false },
      ],
      files: [{ path: '/etc/hosts', content: '127.9.9.9\town name\n' }],
      hostname: 'pod-7',
      readOnlyRoot: false,
      ...more,
    });
    return run(file, args, { env, cwd });
  };
  return { sandbox, shell, directory };
}

test('a root container runs the product from the machine’s own files, and cannot change them', async (t) => {
  const program = await realpath(process.execPath);
  const { shell } = (await world(t, 'root', [dirname(program)])) ?? {};
  if (shell === undefined) return;
  const place = ['stat', '-c', '%d:%i', program] as const;
  const outside = (await run(place[0], place.slice(1))).stdout;
  assert.equal((await shell(place.map(shellQuote).join(' '))).stdout, outside);
  await assert.rejects(shell(`: > ${shellQuote(join(dirname(program), 'new-file'))}`), /Read-only file system/);
});

for (const kind of ['root', 'user'] as const) {
  describe(`sandbox of the kind ${kind}`, () => {
    test('volumes are where the container wants them, and nothing appears on the machine', async (t) => {
      const { shell } = (await world(t, kind)) ?? {};
      if (shell === undefined) return;
      const { stdout } = await shell(
        'cat /etc/no-such-app/config/file /no-such-root/one.txt /var/run/no-such-app/file',
      );
      assert.equal(stdout, 'from the volume'.repeat(3));
      for (const path of ['/etc/no-such-app', '/no-such-root', '/var/run/no-such-app'])
        assert.equal(existsSync(path), false);
    });

    test('the container has its own name, hosts file and process numbers, and ends with its exit code', async (t) => {
      const { shell } = (await world(t, kind)) ?? {};
      if (shell === undefined) return;
      const { stdout } = await shell('hostname; cat /etc/hosts; echo $$');
      assert.equal(stdout, 'pod-7\n127.9.9.9\town name\n1\n');
      await assert.rejects(shell('exit 42'), { code: 42 });
    });

    test('hidden directories are empty inside, except for what is mounted there', async (t) => {
      const { shell, directory } = (await world(t, kind)) ?? {};
      if (shell === undefined || directory === undefined) return;
      const path = join(directory, 'volume');
      const { stdout } = await shell(`ls ${shellQuote(directory)}; cat ${shellQuote(path)}/file`, {
        mounts: [{ source: path, target: path, kind: 'directory', readOnly: true }],
      });
      assert.equal(stdout, 'volume\nfrom the volume');
      assert.equal((await shell('cat /.host/*/secret /.host/*/*/secret 2>/dev/null; true')).stdout, '');
    });

    test('what a container writes to its root is gone with it, and is refused where the root is read-only', async (t) => {
      const { shell } = (await world(t, kind)) ?? {};
      if (shell === undefined) return;
      await shell('echo x > /etc/no-such-file; test -f /etc/no-such-file');
      assert.equal(existsSync('/etc/no-such-file'), false);
      await assert.rejects(shell('echo x > /etc/no-such-file', { readOnlyRoot: true }));
    });

    test('variables with names that a shell would drop arrive', async (t) => {
      const { shell } = (await world(t, kind)) ?? {};
      if (shell === undefined) return;
      const env = new Map([
        ['PATH', PATH],
        ['a.b-c', "it's"],
      ]);
      assert.match((await shell('tr "\\0" "\\n" < /proc/self/environ', { env })).stdout, /^a\.b-c=it's$/m);
    });
  });
}

describe('sandbox of the kind none', () => {
  test('mount paths in arguments and variables become real ones', async (t) => {
    const { shell, sandbox, directory } = (await world(t, 'none')) ?? {};
    assert.equal(sandbox?.kind, 'none');
    const env = new Map([
      ['PATH', PATH],
      ['CONFIG', '/etc/no-such-app/config/file'],
    ]);
    const ran = await shell?.('cat "$CONFIG"; cat "/etc/no-such-app/config/file"', { env });
    assert.equal(ran?.stdout, 'from the volume'.repeat(2));
    assert.equal(await readFile(join(directory ?? '', 'secret'), 'utf8'), 'the cluster key');
  });

  test('paths that only begin like a mount path stay as they are', () => {
    const mounts = [
      { source: '/real', target: '/etc/app', kind: 'directory', readOnly: true },
      { source: '/deep', target: '/etc/app/deep', kind: 'directory', readOnly: true },
    ] as const;
    assert.equal(rewritePaths('--config=/etc/app/x:/etc/app/deep/y', mounts), '--config=/real/x:/deep/y');
    assert.equal(
      rewritePaths('/etc/apple /etc/app.d /my/etc/app /etc/app', mounts),
      '/etc/apple /etc/app.d /my/etc/app /real',
    );
  });
});

test('file systems that hold programs are carried into a container, others are not', () => {
  const line = (path: string, type: string): string => `36 35 98:0 / ${path} rw,noatime shared:1 - ${type} /dev/x rw`;
  const table = [
    line('/', 'ext4'),
    line('/home/with\\040blank', 'xfs'),
    line('/run', 'tmpfs'),
    line('/sys/fs/x', 'ext4'),
    line('/usr', 'btrfs'),
  ];
  assert.deepEqual(carriedMounts(table.join('\n')), ['/usr', '/home/with blank']);
});

test('a plain process finds the node’s own directories where they are, with a volume mounted above them', async (t) => {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'kfctl-plain-')));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const sandbox = createPlainSandbox({ diesWithNode: false, real: [join(directory, 'data')] });
  const { args, env } = await sandbox.launch({
    directory: join(directory, 'container'),
    argv: ['cat', join(directory, 'file'), join(directory, 'data/program.ts')],
    env: new Map([['CACHE', join(directory, 'data/cache')]]),
    workingDirectory: '/',
    mounts: [{ source: '/volume', target: directory, kind: 'directory', readOnly: false }],
    files: [],
    hostname: 'pod',
    readOnlyRoot: false,
  });
  assert.deepEqual(args, ['/volume/file', join(directory, 'data/program.ts')]);
  assert.equal(env['CACHE'], join(directory, 'data/cache'));
});
