/** Owns the few pages that people see when a login or logout does not go straight through. No scripts, nothing from elsewhere. */
import type { Answer } from '../server/answer.ts';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { createHash } = process.getBuiltinModule('node:crypto');

export interface Page {
  readonly title: string;
  readonly text: string;
  /** Where to go on; path-absolute. */
  readonly link?: { readonly href: string; readonly label: string };
  /** A button that posts to a path. */
  readonly button?: { readonly action: string; readonly label: string };
}

const STYLE =
  ':root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}body{margin:15vh auto;max-width:32rem;padding:0 1.5rem}' +
  'h1{font-size:1.4rem}a,button{display:inline-block;font:inherit;padding:.5rem 1rem;border:1px solid;border-radius:.4rem;' +
  'color:inherit;background:none;text-decoration:none;cursor:pointer}';
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');
const HEADERS = [
  'content-type',
  'text/html; charset=utf-8',
  'cache-control',
  'no-store',
  'content-security-policy',
  `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'`,
  'x-content-type-options',
  'nosniff',
  'referrer-policy',
  'no-referrer',
];

export function pageAnswer(status: number, page: Page, headers: readonly string[] = []): Answer {
  return { status, headers: [...HEADERS, ...headers], body: renderPage(page) };
}

/** A page that says what went wrong and offers to begin again. */
export function errorPage(status: number, text: string, headers: readonly string[] = []): Answer {
  const retry = status === 502 || status === 503 ? ['retry-after', '2'] : [];
  const title = status >= 500 ? 'Please try again' : 'Login not completed';
  return pageAnswer(status, { title, text, link: { href: '/', label: 'Start again' } }, [...retry, ...headers]);
}

function renderPage({ title, text, link, button }: Page): string {
  const parts = [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body><main>`,
    `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p>`,
    link === undefined ? '' : `<a href="${escapeHtml(link.href)}">${escapeHtml(link.label)}</a>`,
    button === undefined
      ? ''
      : `<form method="post" action="${escapeHtml(button.action)}"><button>${escapeHtml(button.label)}</button></form>`,
    '</main></body></html>\n',
  ];
  return parts.join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
