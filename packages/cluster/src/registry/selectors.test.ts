import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFieldMatch, matchesLabelSelector, parseFieldSelector, parseLabelSelector } from './selectors.ts';
import { StatusError } from './status-error.ts';

const labels = { app: 'web', tier: 'front', 'example.com/x': '' };

test('label selectors match', () => {
  const yes = [
    '',
    'app=web',
    'app==web',
    'app in (web, api)',
    'app,tier',
    '!other',
    'other!=x',
    'app notin (a,b),tier=front',
    'example.com/x',
    'example.com/x=',
  ];
  const no = ['app=api', 'app!=web', '!app', 'other', 'app in (a)', 'app notin (web)', 'other=x'];
  for (const text of yes) assert.equal(parseLabelSelector(text)(labels), true, text);
  for (const text of no) assert.equal(parseLabelSelector(text)(labels), false, text);
  assert.equal(parseLabelSelector('a')(undefined), false);
});

test('malformed label selectors are refused', () => {
  for (const text of ['app in web', 'app in (a', 'app=a b', '=a', 'a,,b', 'app ~ x', 'a=(', 'x'.repeat(20_000)]) {
    assert.throws(() => parseLabelSelector(text), StatusError, text);
  }
});

test('selector objects match; an absent one matches nothing and an empty one everything', () => {
  assert.equal(matchesLabelSelector(undefined, labels), false);
  assert.equal(matchesLabelSelector({}, labels), true);
  assert.equal(matchesLabelSelector({ matchLabels: { app: 'web' } }, labels), true);
  const expression = (operator: string, values?: string[]) => ({
    matchExpressions: [{ key: 'app', operator, values }],
  });
  assert.equal(matchesLabelSelector(expression('In', ['web']), labels), true);
  assert.equal(matchesLabelSelector(expression('NotIn', ['web']), labels), false);
  assert.equal(matchesLabelSelector(expression('DoesNotExist'), labels), false);
  assert.equal(matchesLabelSelector(expression('Bogus'), labels), false);
});

test('field selectors match the fields that a kind has, and no others', () => {
  const pods = { group: '', plural: 'pods' };
  const pod = { metadata: { name: 'a', namespace: 'n' }, spec: { nodeName: 'x' }, status: { phase: 'Running' } };
  const match = (text: string) => createFieldMatch(parseFieldSelector(text), pods)?.(pod);
  assert.equal(match('metadata.name=a,status.phase!=Failed'), true);
  assert.equal(match('spec.nodeName='), false);
  assert.equal(match(''), undefined);
  assert.throws(() => match('spec.image=x'), /field label not supported: spec.image/);
  assert.throws(() => match('nonsense'), StatusError);
});
