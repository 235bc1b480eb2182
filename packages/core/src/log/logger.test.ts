import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../secrets/secret.ts';
import { createLogger } from './logger.ts';
import type { LogFormat } from './logger.ts';

function capture(format: LogFormat): { lines: string[]; log: ReturnType<typeof createLogger> } {
  const lines: string[] = [];
  const log = createLogger({ format, write: (line) => lines.push(line), now: () => new Date(0), fields: { app: 'x' } });
  return { lines, log };
}

test('writes one JSON record a line, whatever the values hold', () => {
  const { lines, log } = capture('json');
  log.child({ id: 7 }).info('token issued', { client: 'a\nb' });
  assert.deepEqual(lines, [
    '{"time":"1970-01-01T00:00:00.000Z","level":"info","msg":"token issued","app":"x","id":7,"client":"a\\nb"}\n',
  ]);
});

test('writes text that no value can break into two lines', () => {
  const { lines, log } = capture('text');
  log.warn('odd\nname', { name: 'a\r\nERROR forged', path: '/a/b', list: [1, 2] });
  assert.deepEqual(lines, ['WARN odd name app=x name="a\\r\\nERROR forged" path=/a/b list=[1,2]\n']);
});

test('drops records below its level and never shows a secret', () => {
  const { lines, log } = capture('json');
  log.debug('hidden');
  log.info('shown', { password: new Secret('hunter2'), nested: { token: new Secret('t') } });
  assert.equal(lines.length, 1);
  assert.doesNotMatch(lines.join(''), /hunter2|"t"/);
});

test('leaves out the fields that are not wanted, of child loggers too', () => {
  const lines: string[] = [];
  const log = createLogger({ excludeFields: ['from'], write: (line) => lines.push(line) });
  log.child({ from: '192.0.2.1', id: 'r1' }).info('asked', { from: '192.0.2.2', path: '/' });
  assert.match(lines[0] ?? '', /"id":"r1","path":"\/"/);
  assert.doesNotMatch(lines[0] ?? '', /192/);
});
