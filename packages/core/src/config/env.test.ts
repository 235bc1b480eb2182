import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAppError } from '../errors/app-error.ts';
import { createEnvReader } from './env.ts';

test('reads every kind of setting', () => {
  const env = createEnvReader({
    NAME: 'x',
    PORT: '80',
    ON: 'Yes',
    AGE: '90',
    WAIT: '1h30m',
    LIST: 'a, b c',
    KEY: 's3',
  });
  assert.equal(env.string('NAME'), 'x');
  assert.equal(env.string('OTHER', 'y'), 'y');
  assert.equal(env.optional('NONE'), undefined);
  assert.equal(env.integer('PORT', { min: 1, max: 65_535 }), 80);
  assert.equal(env.boolean('ON', false), true);
  assert.equal(env.durationMs('AGE', 0), 90_000);
  assert.equal(env.durationMs('WAIT', 0), 5_400_000);
  assert.deepEqual(env.list('LIST'), ['a', 'b', 'c']);
  assert.equal(env.secret('KEY').reveal(), 's3');
  env.finish();
});

test('reports all mistakes at once, each with its name, and no secret value', () => {
  const env = createEnvReader({ PORT: '70000', ON: 'maybe', WAIT: 'soon', EMPTY: '' });
  env.integer('PORT', { min: 1, max: 65_535 });
  env.boolean('ON', true);
  env.durationMs('WAIT', 1);
  env.string('EMPTY');
  env.secret('KEY');
  env.problem('A+B', 'exclude each other');
  assert.throws(
    () => env.finish(),
    (error) =>
      isAppError(error) && ['PORT', 'ON', 'WAIT', 'EMPTY', 'KEY', 'A+B'].every((name) => error.message.includes(name)),
  );
});
