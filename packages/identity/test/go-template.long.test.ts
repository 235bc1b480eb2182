/** Templates made at random, answered by us and by Go's html/template itself: the same bytes, or a refusal. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { compileTemplates } from '../src/pages/go-template/compile.ts';
import { createRandom, TEST_FUNCTIONS, toValue } from './template-cases.ts';
import type { TemplateCase } from './template-cases.ts';

const TESTDATA = path.join(import.meta.dirname, '../src/pages/go-template/testdata');
const RECORDED = path.join(TESTDATA, 'answers.json');
const hasGo = spawnSync('go', ['version']).status === 0;
const options = hasGo ? {} : { skip: 'Go is not installed, which answers what is right' };

interface Suite {
  readonly data: Record<string, unknown>;
  readonly cases: readonly TemplateCase[];
}

const folder = mkdtempSync(path.join(tmpdir(), 'go-'));
const program = path.join(folder, 'answer');
before(() => {
  if (!hasGo) return;
  const env = { ...process.env, GOCACHE: path.join(folder, 'cache'), GOTOOLCHAIN: 'local' };
  const built = spawnSync('go', ['build', '-o', program, path.join(TESTDATA, 'answer.go')], { env, cwd: folder });
  assert.equal(built.status, 0, String(built.stderr));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function askGo(suite: Suite): Suite {
  const input = JSON.stringify(suite);
  const { stdout, stderr, status } = spawnSync(program, { input, maxBuffer: 200_000_000, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Suite;
}

const recorded = JSON.parse(readFileSync(RECORDED, 'utf8')) as Suite;

test('the recorded answers are what Go answers', options, () => {
  const { cases } = askGo({ ...recorded, cases: recorded.cases.map(({ template }) => ({ template })) });
  assert.deepEqual(
    cases.map(({ template, output }) => ({ template, output })),
    recorded.cases.map(({ template, output }) => ({ template, output })),
  );
});

const VALUES = [
  '.s',
  '.n',
  '.u',
  '.js',
  '.abs',
  '.empty',
  '.nasty',
  '.t',
  '.l',
  '.nil',
  '$.s',
  'issuer',
  'extra "notice"',
  '(index .l 1)',
  '.o.p.q',
  '"it\'s"',
  '`<b>`',
  '1.5',
  'lower .s',
  'printf "%s/%d" .s .n',
  'print .n .t',
  'len .l',
  '.s | lower',
  '.u | urlquery',
  '.s | html',
  'url "" logo',
  'or .empty .s',
  'and .t .n',
  'eq .n 5',
  'not .t',
  'slice .s 0 2',
  'js .s',
];
const CONDITIONS = [
  '.t',
  '.no',
  '.empty',
  '.s',
  '.zero',
  'eq .s "x"',
  'gt .n 3',
  'and .t .no',
  'or .no .t',
  'not .empty',
  '.l',
  '.nil',
];
const PLACES = [
  'A',
  '<p>A</p>',
  '<p title="A" class=\'A\'>x</p>',
  '<p id=A>x</p>',
  '<a href="A">x</a>',
  '<a href="/x/A?y=A#A">x</a>',
  "<img src='A' alt=A>",
  '<script>var a = A, b = "A", c = \'A\';</script>',
  '<script>f(A); // A x\ng(`A`)</script>',
  '<button onclick="f(A, \'A\')">x</button>',
  '<title>A</title><textarea>A</textarea>',
  '<style>p { color: A; content: "A" }</style>',
  '<style>a { b: url(A) }</style>',
  '<p style="width: A; background: url(\'A\')">x</p>',
  '<!-- A -->',
  '<form action="A" method="post">A</form>',
  '<div data-x="A" aria-label="A">A</div>',
  '<script type="application/json">{"a": A}</script>',
  '<input value="A"/>',
  'a < b A <3',
  '<svg viewBox="0 0 A 1"><title>A</title></svg>',
];

function makeTemplate(random: (below: number) => number, depth = 0): string {
  const pick = (list: readonly string[]): string => list[random(list.length)] ?? '';
  const trim = (inner: string): string =>
    [`{{${inner}}}`, `{{ ${inner} }}`, `{{- ${inner} -}}`, `{{ ${inner} -}}`][random(4)] ?? '';
  const place = pick(PLACES).replaceAll('A', () => trim(pick(VALUES)));
  const body = (): string => makeTemplate(random, depth + 1);
  if (depth > 2) return place;
  switch (random(9)) {
    case 0:
      return `{{if ${pick(CONDITIONS)}}}${body()}{{else if ${pick(CONDITIONS)}}}${body()}{{else}}${place}{{end}}`;
    case 1:
      return `{{range $i, $e := .l}}{{$i}}{{$e}}${body().replaceAll('{{break}}', '')}{{if eq $i 1}}{{${pick(['break', 'continue'])}}}{{end}}{{else}}none{{end}}`;
    case 2:
      return `{{with $x := ${pick(VALUES)}}}<i>{{$x}}</i>{{$.s}}{{else}}${place}{{end}}`;
    case 3:
      return `{{$v := ${pick(VALUES)}}}{{if ${pick(CONDITIONS)}}}{{$v = ${pick(VALUES)}}}{{end}}<b title="{{$v}}">{{$v}}</b>`;
    case 4:
      return `{{/* note */}}${place}\n  ${trim(pick(VALUES))}\n${body()}`;
    default:
      return `${place}${depth === 0 ? body() : ''}`;
  }
}

test('2,000 random templates give the same page or a refusal', options, () => {
  const random = createRandom(7);
  const made = Array.from({ length: 2000 }, () => ({ template: makeTemplate(random) }));
  const { cases, data } = askGo({ ...recorded, cases: made });
  let same = 0;
  for (const { template, output, refused } of cases) {
    const { templates, mistakes } = compileTemplates([{ name: 'page', text: template }], TEST_FUNCTIONS);
    let ours: string;
    try {
      assert.deepEqual(mistakes, []);
      ours = templates.render('page', toValue(data), '').html;
    } catch (error) {
      // Stricter than Go is allowed where the place is not safe, and nowhere else.
      if (refused === undefined) assert.match((error as Error).message, /cannot be made safe/, template);
      continue;
    }
    if (refused !== undefined) {
      // Go judges both branches of an `if` before it runs one.
      assert.match(refused, /branch|non-text context|ambiguous|predefined escaper/, `${template}\n${refused}`);
      continue;
    }
    assert.equal(ours, output ?? '', template);
    same += 1;
  }
  assert.ok(same > 1500, `${String(same)} were comparable`);
});
