import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { startTestCluster } from './running-cluster.ts';
import type { TestCluster } from './running-cluster.ts';
import { kubectl } from './running-server.ts';

let cluster: TestCluster;
before(async () => void (cluster = await startTestCluster()));
after(() => cluster.stop());

test('run -i gives the container its input and shows its output, with the exit code', async () => {
  const upper = ['run', 'upper', '-i', '--rm', '--restart=Never', '--image=busybox', '-q', '--', 'tr', 'a-z', 'A-Z'];
  assert.equal((await kubectl(cluster, upper, 'hello\nthere\n')).stdout, 'HELLO\nTHERE\n');
  const failing = [
    'run',
    'seven',
    '-i',
    '--rm',
    '--restart=Never',
    '--image=busybox',
    '-q',
    '--',
    'sh',
    '-c',
    'exit 7',
  ];
  assert.equal((await kubectl(cluster, failing, '')).code, 7);
});

test('what a container said before anybody could attach is not lost', async () => {
  const quick = ['run', 'quick', '-i', '--rm', '--restart=Never', '--image=busybox', '-q', '--', 'echo', 'at once'];
  assert.equal((await kubectl(cluster, quick, '')).stdout, 'at once\n');
});

test('attach follows the output from now on, and detaching leaves the container alone', async (t) => {
  const ticking = 'i=0; while true; do i=$((i+1)); echo tick $i; sleep 0.1; done';
  await kubectl(cluster, ['run', 'ticking', '--image=busybox', '--restart=Never', '--', 'sh', '-c', ticking]);
  await kubectl(cluster, ['wait', '--for=condition=Ready', 'pod/ticking']);
  const env = { ...process.env, KUBECONFIG: cluster.kubeconfigFile };
  const attached = spawn('kubectl', ['attach', 'ticking'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => attached.kill());
  const [chunk] = (await once(attached.stdout, 'data')) as [Buffer];
  assert.match(chunk.toString(), /tick \d+/);
  attached.kill();
  await once(attached, 'exit');
  const { stdout } = await kubectl(cluster, ['get', 'pod', 'ticking', '-o', 'jsonpath={.status.phase}']);
  assert.equal(stdout, 'Running');
});

test('run -it gives a shell on a terminal of the window’s size', async () => {
  const command = 'stty cols 91 rows 33; kubectl run term -it --rm --restart=Never --image=busybox -q -- sh';
  const env = { ...process.env, KUBECONFIG: cluster.kubeconfigFile, TERM: 'xterm' };
  const child = spawn('script', ['-q', '-f', '-e', '-c', command, '/dev/null'], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let said = '';
  let asked = false;
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    // Asked again and again: the window's size comes beside the keys, not before them.
    if (!asked && /[#$] $/.test(said)) {
      asked = true;
      child.stdin.write(
        'until [ "$(stty size)" = "33 91" ]; do sleep 0.05; done; tty; echo "size $(stty size)"; exit 3\n',
      );
    }
  });
  const [code] = (await exited) as [number];
  assert.match(said, /\/dev\/pts\/\d+/);
  assert.match(said, /size 33 91/);
  assert.equal(code, 3);
});
