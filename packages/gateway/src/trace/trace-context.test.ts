import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseTraceParent, parseTraceState } from './trace-context.ts';
import { createTracer } from './tracer.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const REQUEST = '0af76519-16cd-43dd-8448-eb211c80319c';

describe('a traceparent', () => {
  test('is read', () => {
    assert.deepEqual(parseTraceParent(`00-${TRACE}-${PARENT}-01`), { traceId: TRACE, isSampled: true });
    assert.deepEqual(parseTraceParent(`00-${TRACE}-${PARENT}-02`), { traceId: TRACE, isSampled: false });
    assert.deepEqual(parseTraceParent(`cc-${TRACE}-${PARENT}-01-what-comes`), { traceId: TRACE, isSampled: true });
  });

  const malformed = {
    empty: '',
    'in capitals': `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    'of the version that cannot be': `ff-${TRACE}-${PARENT}-01`,
    'longer than its version': `00-${TRACE}-${PARENT}-01-x`,
    'of a later version with junk': `cc-${TRACE}-${PARENT}-01x`,
    'with a trace of zeros': `00-${'0'.repeat(32)}-${PARENT}-01`,
    'with a parent of zeros': `00-${TRACE}-${'0'.repeat(16)}-01`,
    'that is too short': `00-${TRACE}-${PARENT}-1`,
    'with a space': ` 00-${TRACE}-${PARENT}-01`,
    'with a line end': `00-${TRACE}-${PARENT}-01\n`,
  };
  for (const [name, text] of Object.entries(malformed)) {
    test(`${name} is none`, () => assert.equal(parseTraceParent(text), undefined));
  }
});

describe('a tracestate', () => {
  test('may come in several lines with empty members', () => {
    assert.equal(parseTraceState(['a=1, b=2,', ' ,tenant@vendor=x y']), 'a=1,b=2,tenant@vendor=x y');
  });

  const malformed = {
    'without a member': [''],
    'without a value': ['a'],
    'with an empty value': ['a='],
    'with a key in capitals': ['A=1'],
    'with a key twice': ['a=1,a=2'],
    'with a control character': ['a=1\u0001'],
    'with too many members': [Array.from({ length: 33 }, (_, index) => `k${index}=1`).join(',')],
    'that is too long': [`a=${'x'.repeat(200)},b=${'x'.repeat(200)},c=${'x'.repeat(200)}`],
  };
  for (const [name, lines] of Object.entries(malformed)) {
    test(`${name} is none`, () => assert.equal(parseTraceState(lines), undefined));
  }
});

describe('a request', () => {
  const run = (
    fields: string[],
    samplingPercent: number,
    random = 0.5,
  ): { fields: string[]; id: string | undefined } => {
    const tracer = createTracer({ fillRandom: (bytes) => bytes.fill(0xab), random: () => random });
    return { id: tracer.continueTrace(fields, REQUEST, samplingPercent), fields };
  };
  const own = 'ab'.repeat(8);

  test('goes on with the trace that it came with, under a parent of ours', () => {
    const { fields, id } = run(['a', 'b', 'traceparent', `00-${TRACE}-${PARENT}-01`, 'tracestate', 'v=1'], 0);
    assert.deepEqual(fields, ['a', 'b', 'traceparent', `00-${TRACE}-${own}-01`, 'tracestate', 'v=1']);
    assert.equal(id, TRACE);
  });

  test('loses a context that is malformed, repeated or half', () => {
    const parent = `00-${TRACE}-${PARENT}-01`;
    assert.deepEqual(run(['traceparent', 'x', 'tracestate', 'v=1'], 0).fields, []);
    assert.deepEqual(run(['traceparent', parent, 'traceparent', parent], 0).fields, []);
    assert.deepEqual(run(['tracestate', 'v=1'], 0).fields, []);
    assert.deepEqual(run(['traceparent', parent, 'tracestate', '='], 0).fields, [
      'traceparent',
      `00-${TRACE}-${own}-01`,
    ]);
  });

  test('begins a trace where the mesh samples, whose id is that of the request', () => {
    const id = REQUEST.replaceAll('-', '');
    assert.deepEqual(run([], 100).fields, ['traceparent', `00-${id}-${own}-01`]);
    assert.deepEqual(run([], 1).fields, ['traceparent', `00-${id}-${own}-00`]);
    assert.deepEqual(run(['traceparent', 'x', 'tracestate', 'v=1'], 100).fields, ['traceparent', `00-${id}-${own}-01`]);
  });

  test('keeps the headers of B3 as they are', () => {
    const b3 = ['b3', '0', 'x-b3-traceid', 'what it says'];
    assert.deepEqual(run([...b3], 0).fields, b3);
  });
});
