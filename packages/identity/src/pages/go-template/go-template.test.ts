/** The template language against what Go itself answered (testdata/answer.go), and where we refuse what Go lets pass. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { createRandom, TEST_FUNCTIONS, toValue } from '../../../test/template-cases.ts';
import type { TemplateCase } from '../../../test/template-cases.ts';
import { compileTemplates } from './compile.ts';
import type { Value } from './values.ts';

const recorded = JSON.parse(readFileSync(path.join(import.meta.dirname, 'testdata/answers.json'), 'utf8')) as {
  readonly data: Record<string, unknown>;
  readonly cases: readonly TemplateCase[];
};

const data = toValue(recorded.data);

function render(text: string, fields: Value = data): string {
  const { templates, mistakes } = compileTemplates([{ name: 'page.html', text }], TEST_FUNCTIONS);
  assert.deepEqual(mistakes, []);
  return templates.render('page.html', fields, '').html;
}

function mistakeOf(text: string, fields: Value = data): string {
  const { templates, mistakes } = compileTemplates([{ name: 'page.html', text }], TEST_FUNCTIONS);
  if (mistakes[0] !== undefined) return mistakes[0];
  try {
    templates.render('page.html', fields, '');
  } catch (error) {
    return (error as Error).message;
  }
  return 'none';
}

test('every recorded template gives the page that Go’s html/template gives, byte for byte', () => {
  assert.ok(recorded.cases.length > 100);
  for (const { template, output } of recorded.cases) {
    if (output !== undefined) assert.equal(render(template), output, template);
  }
});

test('what Go refuses is refused', () => {
  const refused = recorded.cases.filter(({ refused }) => refused !== undefined);
  assert.ok(refused.length > 40);
  for (const { template } of refused) assert.match(mistakeOf(template), /^page\.html:\d+:\d+: /, template);
});

test('mistakes name file, line and column', () => {
  for (const [text, expected] of [
    ['a\n  {{ nofunc .s }}', 'page.html:2:6: function "nofunc" is not defined'],
    ['{{ if .t }}\n\nx', 'page.html:1:1: "if" has no "end"'],
    ['x\n{{ end }}', 'page.html:2:1: unexpected "end"'],
    ['{{ .s', 'page.html:1:3: the action is not closed with "}}"'],
    ['\n{{ $x }}', 'page.html:2:4: undefined variable "$x"'],
    ['{{ "abc }}', 'page.html:1:4: the quotation is not closed'],
    ['<p>\n{{ template "header.html" . }}', 'page.html:2:1: there is no template "header.html"'],
    ['<p>{{ .Nobody }}', 'page.html:1:7: there is no field "Nobody" in the data here (a)'],
    ['<p>{{ .a.b }}', 'page.html:1:7: there is no field "b" in a string'],
    ['{{ printf "%z" .a }}', 'page.html:1:4: %z does not take a string'],
    ['{{ lower }}', 'page.html:1:4: lower takes 1 arguments, not 0'],
    ['{{ range .a }}x{{ end }}', 'page.html:1:10: range does not go over a string'],
  ] as const) {
    assert.equal(mistakeOf(text, { a: 'x' }), expected);
  }
});

test('templates that do not end are ended', () => {
  assert.match(mistakeOf('{{define "r"}}{{template "r"}}{{end}}{{template "r"}}'), /more than 100 deep/);
  assert.match(mistakeOf('{{range 9000000}}{{end}}'), /more than 200000 steps/);
  assert.match(mistakeOf('{{range 500}}{{range 500}}x{{end}}{{end}}'), /more than 200000 steps/);
  assert.match(
    mistakeOf(`{{$x := "${'x'.repeat(1000)}"}}{{range 99}}{{$x = print $x $x}}{{end}}`),
    /longer than 1000000/,
  );
  assert.match(mistakeOf(`{{range 3000}}${'x'.repeat(1000)}{{end}}`), /the page is longer than/);
  assert.match(mistakeOf('{{printf "%99999d" 1}}'), /too wide/);
  assert.match(mistakeOf('{{if true}}'.repeat(200) + '{{end}}'.repeat(200)), /levels of nesting/);
  assert.match(mistakeOf(`{{${'('.repeat(50_000)}}}`), /levels of nesting/);
});

test('whatever is done to a template, the worst that comes of it is a mistake with its place', () => {
  const pieces = [
    '{{',
    '}}',
    '{{- ',
    ' -}}',
    '(',
    ')',
    '|',
    '.',
    '$',
    '"',
    '`',
    "'",
    '<',
    '<script>',
    '</script>',
    '<style>',
    '<a href="',
    '/*',
    '*/',
    '\\',
    '&#',
    '{{end}}',
    '{{else}}',
    '\0',
  ];
  const random = createRandom(3);
  const templates = recorded.cases.map(({ template }) => template);
  let mistakes = 0;
  for (let count = 0; count < 3000; count += 1) {
    let text = templates[random(templates.length)] ?? '';
    for (let change = 0; change <= random(4); change += 1) {
      const at = random(text.length + 1);
      const piece = random(2) === 0 ? (pieces[random(pieces.length)] ?? '') : '';
      text = text.slice(0, at) + piece + text.slice(at + (piece === '' ? 1 + random(5) : 0));
    }
    const mistake = mistakeOf(text);
    if (mistake === 'none') continue;
    mistakes += 1;
    assert.match(mistake, /^page\.html:\d+:\d+: /, JSON.stringify(text));
  }
  assert.ok(mistakes > 500, `only ${String(mistakes)} mistakes`);
});

test('files call each other; a file of definitions alone replaces nothing', () => {
  const { templates } = compileTemplates(
    [
      { name: 'footer.html', text: '</main>' },
      {
        name: 'header.html',
        text: '{{ define "title" }}{{ . }}{{ end }}<title>{{ template "title" .T }}</title><main>',
      },
      { name: 'page.html', text: '{{ template "header.html" . }}x{{ template "footer.html" . }}' },
      { name: 'zz.html', text: '{{ define "page.html" }} {{ end }}' },
    ],
    {},
  );
  assert.equal(templates.render('page.html', { T: '<T>' }, '').html, '<title>&lt;T&gt;</title><main>x</main>');
});

test('a field of the prototype is no field', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'length'])
    assert.match(mistakeOf(`{{ .${name} }}`, {}), /there is no field/);
  assert.match(mistakeOf('{{ .l.length }}'), /there is no field/);
  assert.match(mistakeOf('{{ constructor }}'), /is not defined/);
});
