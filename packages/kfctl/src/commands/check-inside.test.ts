import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { checkInside } from './check-inside.ts';

const IDENTITY = path.join(import.meta.dirname, '../../../identity/src/main.ts');
const CONFIG = `issuer: https://x/dex
storage: {type: memory}
web: {http: ":0"}
connectors: [{type: mockPassword, id: pw, name: Pw, config: {username: a, password: b}}]
`;

interface Stage {
  readonly env: Record<string, string>;
  /** What kubectl was called with. */
  asked(): string;
}

/** A kubectl that runs here what it is told to run in a pod. */
function withKubectl(t: TestContext, inPod: string): Stage {
  const directory = mkdtempSync(path.join(tmpdir(), 'kfctl-inside-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const program = path.join(directory, 'kubectl');
  const asked = path.join(directory, 'asked');
  writeFileSync(program, `#!/bin/sh\necho "$*" > ${asked}\nwhile [ "$1" != -- ]; do shift; done\nshift 2\n${inPod}\n`);
  chmodSync(program, 0o755);
  const env = { PATH: `${directory}:${process.env['PATH'] ?? ''}` };
  return { env, asked: () => readFileSync(asked, 'utf8') };
}

const REAL = `exec ${process.execPath} ${IDENTITY} "$@"`;

test('the file and the password go to the pod by its standard input, and what it said comes back', async (t) => {
  const { env, asked } = withKubectl(t, REAL);
  const question = { text: CONFIG, user: 'ada', password: 'hunter2', kubeconfig: '/k', context: 'c' };
  const answer = await checkInside({ settings: { env }, signal: t.signal }, question);
  assert.ok(answer?.ok);
  assert.match(answer.output, /connector pw \(mockPassword\)[^]*standard input can be served/);
  assert.match(
    asked(),
    /^exec -i -n kubeflow deploy\/dex --kubeconfig=\/k --context=c -- identity check --user=ada --password-stdin -\n$/,
  );
});

test('mistakes are an answer; a pod without the program, or no kubectl, is none', async (t) => {
  const question = { text: 'issuer: x\n', user: undefined, password: undefined };
  const signal = t.signal;
  const wrong = await checkInside({ settings: { env: withKubectl(t, REAL).env }, signal }, question);
  assert.equal(wrong?.ok, false);
  assert.match(wrong?.output ?? '', /line 1: issuer is not/);
  const foreign = withKubectl(t, 'echo "exec: identity: not found" >&2; exit 127');
  assert.equal(await checkInside({ settings: { env: foreign.env }, signal }, question), undefined);
  assert.equal(await checkInside({ settings: { env: { PATH: '/nonexistent' } }, signal }, question), undefined);
});
