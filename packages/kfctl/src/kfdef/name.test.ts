import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameProblem } from './name.ts';

for (const name of ['kubeflow', 'my-kubeflow', 'k', 'a2', 'a'.repeat(25)]) {
  test(`accepts ${name}`, () => assert.equal(nameProblem(name), undefined));
}

for (const [name, problem] of [
  ['', 'a name is required'],
  ['a/b', '"a/b" is a path; give the name of the directory alone'],
  ['../x', '"../x" is a path; give the name of the directory alone'],
  ['a'.repeat(26), `"${'a'.repeat(26)}" has 26 characters; at most 25 are possible`],
  ['MyApp', '"MyApp" has upper-case letters; use lower case'],
  ['-a', /is no DNS label/],
  ['a-', /is no DNS label/],
  ['a_b', /is no DNS label/],
  ['1a', /is no DNS label/],
  ['a.b', /is no DNS label/],
  ['a\nb', /is no DNS label/],
] as const) {
  test(`refuses ${JSON.stringify(name)}`, () => {
    const found = nameProblem(name) ?? '';
    if (typeof problem === 'string') assert.equal(found, problem);
    else assert.match(found, problem);
  });
}
