/** Hostile names and texts in every place of a template, in a real browser: nothing runs, nothing is added, nothing is led astray. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { launchChromium } from '../../testkit/src/chromium.ts';
import { compileTemplates } from '../src/pages/go-template/compile.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const options = existsSync(CHROMIUM) ? {} : { skip: 'chromium is not installed (apt-get install chromium)' };

let browser: Browser | undefined;
before(async () => {
  if (options.skip === undefined) browser = await launchChromium();
});
after(() => browser?.close());

/** Each place a template may put data, with `{{.}}` once or more. */
const PLACES: readonly string[] = [
  '<p id="v">{{.}}</p>',
  '<p>a <{{.}}></p>',
  '<title>{{.}}</title>',
  '<textarea>{{.}}</textarea>',
  '<textarea><{{.}}</textarea>',
  '<p title="{{.}}">x</p>',
  "<p title='{{.}}'>x</p>",
  '<p title={{.}}>x</p>',
  '<p title=a{{.}}b class=c>x</p>',
  '<input value="{{.}}" {{if .}}data-x="{{.}}"{{end}}>',
  '<a href="{{.}}">x</a>',
  '<a href={{.}}>x</a>',
  '<a href=" {{.}}{{.}}">x</a>',
  '<a href="java{{.}}">x</a>',
  '<a href="/p?a={{.}}&amp;b={{.}}">x</a>',
  '<a href="/p/{{.}}#{{.}}">x</a>',
  '<a href="{{. | urlquery}}/{{.}}">x</a>',
  '<iframe src="{{.}}"></iframe>',
  '<img src="{{.}}" srcset="{{.}} 2x">',
  '<form action="{{.}}"><button formaction="{{.}}">x</button></form>',
  '<svg><a xlink:href="{{.}}"><text>{{.}}</text></a></svg>',
  '<meta http-equiv="refresh" content="{{.}}">',
  '<meta http-equiv="refresh" content="9999;url={{.}}">',
  '<script>var a = {{.}};</script>',
  '<script>var a = "{{.}}", b = \'{{.}}\', c = `{{.}}`, d = `${ {{.}} }{{.}}`;</script>',
  '<script>/* {{.}} */ var a = 1; // {{.}}\nvar b = {{.}};</script>',
  '<script>var a = 4 / 2, b = {{.}}, c = /["\'`]/.test({{.}}) / 1; var d = "{{.}}";</script>',
  '<script type="module">const a = {{.}};</script>',
  '<script type="text/javascript1.5">var a = {{.}};</script>',
  '<script>if (1) /"/.test({{.}});</script>',
  '<script>var a = [1].with(0, 1) / 2, b = "/{{.}}";</script>',
  '<script>var a = `${{.}}{${ {{.}} }`;</script>',
  '<script>var a = { if: 1 }, b = a.if / 2, c = "/", d = {{.}};</script>',
  '<script type="application/json">{"a": {{.}}}</script>',
  '<script type="text/x-template"><b>{{.}}</b></script>',
  '<script><!--\nvar a = "{{.}}";\n//--></script>',
  '<button onclick="f({{.}})">x</button>',
  '<button onclick="f(\'{{.}}\')">x</button>',
  '<button onclick="f(&quot;{{.}}&quot;, &#39;{{.}}&#39;)">x</button>',
  '<button onclick=f({{.}})>x</button>',
  '<button onclick="f(&quot {{.}} &QUOT )">x</button>',
  '<button onclick="f(4 /{{.}}, `\n{{.}}`)">x</button>',
  '<style>p { color: {{.}}; content: "{{.}}"; background: url({{.}}), url("{{.}}") }</style>',
  "<style>/* {{.}} */ @import '{{.}}';</style>",
  '<p style="color: {{.}}; background: url(\'{{.}}\')">x</p>',
  '<p style=color:{{.}}>x</p>',
  '<!-- {{.}} --><p>x</p>',
  '<!DOCTYPE html><p>{{.}}</p>',
  '<noscript><img alt="{{.}}"></noscript>',
];

const RUN = 'window.pwned=1';
const HOSTILE: readonly string[] = [
  `<script>${RUN}</script>`,
  `"><script>${RUN}</script>`,
  `'><img src=x onerror=${RUN}>`,
  `x onmouseover=${RUN} x=`,
  `" onfocus="${RUN}" autofocus="`,
  `' onfocus='${RUN}' autofocus='`,
  '` onfocus=`x`',
  `javascript:${RUN}`,
  `JaVaScRiPt:${RUN}`,
  `java\nscript:${RUN}`,
  `\u0001javascript:${RUN}`,
  ` javascript:${RUN}`,
  RUN,
  'javascript',
  'script',
  `avascript:${RUN}//`,
  `script:${RUN}//`,
  `vbscript:x`,
  `data:text/html,<script>parent.${RUN}</script>`,
  `0;url=javascript:${RUN}`,
  `0;url=data:text/html,<script>${RUN}</script>`,
  `//evil.example/`,
  `</script><script>${RUN}</script>`,
  `</style><script>${RUN}</script>`,
  `</textarea><script>${RUN}</script>`,
  `/textarea><script>${RUN}</script>`,
  `</title><script>${RUN}</script>`,
  `<!--<script>`,
  `--><script>${RUN}</script>`,
  `*/${RUN}/*`,
  `\n${RUN}//`,
  `\u2028${RUN}//`,
  `\\`,
  `\\"+${RUN}+"`,
  `"+(${RUN})+"`,
  `'+(${RUN})+'`,
  `\${${RUN}}`,
  '`+(window.pwned=1)+`',
  `;${RUN};`,
  `red;background:url(javascript:${RUN})`,
  `expression(${RUN})`,
  `\\3c script>`,
  `x) , url(javascript:${RUN}`,
  `&quot;);${RUN};//`,
  `&#39;);${RUN};//`,
  `&#x27;&#x29;;${RUN};//`,
  `\0<\0script>${RUN}</script>`,
  `<svg onload=${RUN}>`,
  `{{.}}`,
  `&lt;script>`,
];

/** Puts each page into a frame of its own, runs what handlers it has, and tells what may never depend on data. */
const SHAPES = `async (pages) => {
  const frames = await Promise.all(pages.map((html) => new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.onload = () => resolve(frame);
    frame.srcdoc = html;
    document.body.append(frame);
  })));
  return frames.map((frame) => {
    const { contentWindow: window, contentDocument: document } = frame;
    if (document === null) return 'navigated away';
    window.f = () => {};
    for (const one of document.querySelectorAll('[onclick]')) one.onclick?.(new Event('click'));
    const names = [];
    for (const element of document.querySelectorAll('*')) {
      names.push(element.tagName, ...element.getAttributeNames());
      for (const name of ['href', 'src', 'action', 'formaction', 'xlink:href']) {
        const bare = (element.getAttribute(name) ?? '').replace(/[\\u0000-\\u0020]/g, '').toLowerCase();
        if (/^(javascript|vbscript|data):/.test(bare)) names.push('address:' + bare);
      }
    }
    frame.remove();
    return names.join(' ') + ' ran:' + String(window.pwned);
  });
}`;

test(
  'no text changes the elements of a page, runs, or leads to a script, wherever a template puts it',
  options,
  async () => {
    const context = await browser?.newContext({ offline: true });
    const page = await context?.newPage();
    assert.ok(page);
    const harmed = await shapes([`<script>${RUN}</script>`, `<a href="javascript:${RUN}">x</a>`]);
    assert.match(harmed[0] ?? '', /ran:1$/);
    assert.match(harmed[1] ?? '', /address:javascript/);
    let tried = 0;
    for (const place of PLACES) {
      const { templates, mistakes } = compileTemplates([{ name: 'p', text: place }], {});
      assert.deepEqual(mistakes, []);
      const [harmless, ...written] = ['harmless', ...HOSTILE].flatMap((text) => {
        const html = attempt(() => templates.render('p', text, '').html);
        return html === undefined ? [] : [html];
      });
      tried += written.length;
      // All in one page: a frame for each takes a minute.
      const pages = [written.map(() => harmless), written].map((all) => all.join('<hr>\n'));
      const [expected, found] = await shapes(pages);
      assert.match(expected ?? '', /ran:undefined$/);
      if (found === expected) continue;
      const [usual, ...each] = await shapes([harmless ?? '', ...written]);
      assert.deepEqual(
        written.filter((_, index) => each[index] !== usual),
        [],
        place,
      );
      assert.equal(found, expected, place);
    }
    assert.ok(tried > PLACES.length * HOSTILE.length * 0.95, `${String(tried)} pages`);

    async function shapes(pages: readonly string[]): Promise<readonly string[]> {
      return (await page?.evaluate(`(${SHAPES})(${JSON.stringify(pages)})`)) as readonly string[];
    }
  },
);

/** Undefined when it is refused, which is as safe. */
function attempt(render: () => string): string | undefined {
  try {
    return render();
  } catch (error) {
    assert.match((error as Error).message, /cannot be made safe/);
    return undefined;
  }
}

test('where no escaping is safe nothing is written', () => {
  for (const text of [
    '<a href="j{{.}}:y">',
    '<a href="{{. | urlquery}}:y">',
    '<p {{.}}>',
    '<p {{.}}="x">',
    '<p x{{.}}="y">',
    '</{{.}}>',
    '<!{{.}}>',
    '<a href="javascript:f({{.}})">',
    '<a href="javascript&#58;f({{.}})">',
    '<a href="java&Tab;script:f({{.}})">',
    '<a href=" &#x6a;avascript&colon;f({{.}})">',
    '<a href="&unknown;{{.}}">',
    '<a onclick="f(&unknown;{{.}})">',
    '<a href="&{{.}}">',
    '<a href="&#{{. | urlquery}}avascript:x">',
    '<a href="data:text/html,{{.}}">',
    '<iframe srcdoc="{{.}}"></iframe>',
    '<script type="{{.}}">x</script>',
    '<script type="importmap">{{.}}</script>',
    '<script>var a = /{{.}}/;</script>',
    '<script>var a = "b\n{{.}}";</script>',
    '<script>var a = {} / 2, b = "/{{.}}";</script>',
    '<script>var a = "<!{{.}}-", b = "<script>";</script>',
    '<script>var a = "<!--", b = "<scr{{.}}>";</script>',
    '<script>var a = "b\\{{.}}";</script>',
    '<script>"<!--<script>{{.}}"</script>',
    '<script>var a = "</scr{{.}}";</script>',
    '<style>a{b:u\\72l({{.}})}</style>',
    '<style>a{b:"c\n{{.}}"}</style>',
    '<style>a{b:"\\{{.}}"}</style>',
    '<xmp>{{.}}</xmp>',
    '<svg><script/><p title="{{.}}"></p></svg>',
    '<svg><style/>{{.}}</svg>',
    '<script type="text/x" type="text/javascript">{{.}}</script>',
    '<script type="text/javascript" type="x/y">{{.}}</script>',
    '<svg><a><set attributeName="href" to="{{.}}"/></a></svg>',
    '<svg><a><animate attributeName="href" values="/x;{{.}}"/></a></svg>',
    '<p\u00A0title="{{.}}">',
    '<plaintext>{{.}}',
    '<svg><![CDATA[{{.}}]]></svg>',
    '<p title="{{.}}',
    '<script>{{.}}',
    '<style>{{.}}',
    '<!-- {{.}}',
  ]) {
    const { templates } = compileTemplates([{ name: 'p', text }], {});
    assert.throws(
      () => templates.render('p', 'x', ''),
      /^Error \[AppError\]: p:\d+:\d+: |cannot be made safe|ends inside/,
      text,
    );
  }
});

test('data changes nothing of the template around it', () => {
  for (const [text, data, expected] of [
    // The slash and the sign stood there twice: `//` hides the rest of a script.
    ['<b onclick="f(4 /{{.}})">', 2, '<b onclick="f(4 / 2 )">'],
    ['<b onclick="f(4 <{{.}})">', 2, '<b onclick="f(4 < 2 )">'],
    ['<script>f(4 /{{.}})</script>', 2, '<script>f(4 / 2 )</script>'],
    // Of two addresses in a style sheet the second was taken for a part of the first's query.
    ['<style>a{b:url(/x?y)}c{d:url({{.}})}</style>', 'https://a/l.png', 'd:url(https://a/l.png)}'],
    ['<a href="/x?a=1&{{.}}=2">', 'b', '<a href="/x?a=1&b=2">'],
    // In SVG `&#125` is a brace.
    ['<svg><style>a{color:{{.}}}</style></svg>', '&#125', String.raw`color:\26 #125}`],
    ['<svg></svg><style>a{color:{{.}}}</style>', '&', 'color:&}'],
    ['<svg><style>a{b:url({{.}})}</style>', '/l?a=1&b=2', String.raw`url(/l?a=1\26 b=2)`],
  ] as const) {
    const { templates } = compileTemplates([{ name: 'p', text }], {});
    assert.ok(templates.render('p', data, '').html.includes(expected), text);
  }
});

test('only script elements of the template carry the nonce', () => {
  const text =
    '<script>a</script><SCRIPT SRC="/x.js"></SCRIPT>{{.}}<textarea>{{.}}</textarea><script type=module>{{.}}</script>';
  const { templates } = compileTemplates([{ name: 'p', text }], {});
  const { html, runsAttributes } = templates.render('p', '<script>x</script>', 'n0nce');
  assert.equal(html.split('nonce="n0nce"').length, 4);
  assert.equal(html.split(/<script/i).length, 4);
  assert.equal(runsAttributes, false);
  for (const attribute of ['onclick="x()"', 'href="javascript:x()"', "ONLOAD='x()'"]) {
    const other = compileTemplates([{ name: 'p', text: `<a ${attribute}>x</a>` }], {}).templates;
    assert.equal(other.render('p', '', 'n').runsAttributes, true, attribute);
  }
});
