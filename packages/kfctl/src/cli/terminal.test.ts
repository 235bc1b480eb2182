import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@kfctl/core';
import { reportError } from './report-error.ts';
import { createTerminal } from './terminal.ts';
import type { Terminal } from './terminal.ts';

function capture(options: { isTTY?: boolean; verbose?: boolean; colour?: boolean }): {
  terminal: Terminal;
  text: () => string;
} {
  let text = '';
  const stream = { write: (chunk: string) => (text += chunk), isTTY: options.isTTY === true, columns: 20 };
  return { terminal: createTerminal({ stdout: stream, stderr: stream, ...options }), text: () => text };
}

test('without a terminal there are plain lines and no live line', () => {
  const { terminal, text } = capture({});
  terminal.progress('working');
  terminal.note('note');
  terminal.detail('detail');
  terminal.warn('careful');
  assert.equal(text(), 'note\nwarning: careful\n');
});

test('on a terminal the live line is cut to the width, drawn again below lasting lines, and otherwise only when it changes', () => {
  const { terminal, text } = capture({ isTTY: true, colour: false });
  terminal.progress('a very long text that does not fit');
  terminal.progress('a very long text that does not fit');
  terminal.note('note');
  terminal.progress(undefined);
  assert.equal(text(), 'a very long text t…\r\u001B[Knote\na very long text t…\r\u001B[K');
});

test('colour is for terminals, and not where NO_COLOR is set', () => {
  assert.equal(capture({ isTTY: true, colour: true }).terminal.style('bold', 'x'), '\u001B[1mx\u001B[22m');
  assert.equal(capture({ isTTY: true, colour: false }).terminal.style('bold', 'x'), 'x');
  assert.equal(capture({}).terminal.style('bold', 'x'), 'x');
});

test('an error is told with its causes and the hint nearest to them', () => {
  const { terminal, text } = capture({});
  const cause = new AppError('INNER', 'connection refused', { hint: 'Start it.' });
  reportError(terminal, new AppError('OUTER', 'cannot apply', { cause, hint: 'Try again.' }));
  assert.equal(text(), 'error: cannot apply: connection refused\nhint: Start it.\n');
});
