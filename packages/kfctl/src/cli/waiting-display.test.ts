import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Waiting } from '../apply/wait-for.ts';
import { createTerminal } from './terminal.ts';
import { createWaitingDisplay } from './waiting-display.ts';
import type { WaitingDisplay } from './waiting-display.ts';

interface Stage {
  readonly display: WaitingDisplay;
  /** Lets time pass. */
  pass(seconds: number): void;
  /** What was written since the last call. */
  written(): string;
}

function stage(context: TestContext, options: { isTTY?: boolean; verbose?: boolean } = {}): Stage {
  context.mock.timers.enable({ apis: ['setInterval', 'Date'] });
  let text = '';
  const stream = { write: (chunk: string) => (text += chunk), isTTY: options.isTTY === true, columns: 100 };
  const terminal = createTerminal({ stdout: stream, stderr: stream, colour: false, ...options });
  return {
    display: createWaitingDisplay(terminal, { title: 'waiting for', now: () => Date.now() }),
    pass: (seconds) => {
      for (let second = 0; second < seconds; second += 1) context.mock.timers.tick(1000);
    },
    written: () => {
      const since = text;
      text = '';
      return since;
    },
  };
}

const waiting = (name: string, reason: string): Waiting => ({
  id: { group: 'apps', kind: 'Deployment', namespace: 'kubeflow', name },
  readiness: { kind: 'waiting', reason },
});

test('without a terminal a reason is told once it has stood for three seconds, and again only when it changes', (context) => {
  const { display, pass, written } = stage(context);
  display.show([waiting('dex', 'no pods'), waiting('web', 'no pods')]);
  pass(2);
  assert.equal(written(), '');
  display.show([waiting('dex', 'ImagePullBackOff')]);
  pass(60);
  assert.equal(written(), '  waiting    Deployment kubeflow/dex: ImagePullBackOff\n');
  display.show([waiting('dex', 'CrashLoopBackOff')]);
  pass(3);
  assert.equal(written(), '  waiting    Deployment kubeflow/dex: CrashLoopBackOff\n');
});

test('a reason that comes and goes is told once', (context) => {
  const { display, pass, written } = stage(context);
  for (let turn = 0; turn < 5; turn += 1) {
    display.show([waiting('dex', 'starting')]);
    pass(4);
    display.show([waiting('dex', 'crashed')]);
    pass(4);
  }
  assert.equal(written().split('\n').length - 1, 2);
});

test('many objects with one reason are one line', (context) => {
  const { display, pass, written } = stage(context);
  display.show(['a', 'b', 'c', 'd'].map((name) => waiting(name, 'no node')));
  pass(3);
  assert.equal(
    written(),
    '  waiting    4 objects (Deployment kubeflow/a, Deployment kubeflow/b, Deployment kubeflow/c, …): no node\n',
  );
});

test('what becomes ready in the ordinary course is not told', (context) => {
  const { display, pass, written } = stage(context);
  display.show([waiting('dex', 'starting')]);
  pass(2);
  display.show([]);
  pass(60);
  assert.equal(written(), '');
});

test('on a terminal one line changes: how many, how long, the oldest reason first', (context) => {
  const { display, pass, written } = stage(context, { isTTY: true });
  display.show([waiting('dex', 'a'), waiting('web', 'b')]);
  pass(1);
  display.show([waiting('dex', 'c'), waiting('web', 'b')]);
  pass(4);
  const lines = written().split('\r\u001B[K');
  assert.equal(lines[0], 'waiting for 2: Deployment kubeflow/dex: a; Deployment kubeflow/web: b');
  assert.equal(lines.at(-1), 'waiting for 2 (5s): Deployment kubeflow/web: b; Deployment kubeflow/dex: c');
  assert.ok(!lines.join('').includes('\n'));
  display.end();
  assert.equal(written(), '\r\u001B[K');
});
