/** Owns the frame around every page and the headers it is sent with. */
import { randomToken } from '@kfctl/core';
import type { RandomBytes } from '@kfctl/core';
import type { HttpResponse } from '@kfctl/http';
import type { FrontendConfig } from '../config/config.ts';
import { Markup, markup } from './markup.ts';
import type { FinishedPage } from './go-template/escape/page-output.ts';
import { SUBMIT, SUBMIT_SOURCE } from './style.ts';
import type { TemplatePage, TemplatePages } from './template-pages.ts';
import type { Theme } from './theme.ts';

export interface Page {
  readonly status: number;
  readonly title: string;
  readonly content: Markup;
  /**
   * Forms of the page end in a redirect to another origin. Browsers apply form-action to the whole chain of redirects, and
   * where a client sends the browser afterwards cannot be known here; such pages leave form-action out.
   */
  readonly leavesOrigin?: boolean;
  /** The page's one form is sent at once, without anybody pressing its button. */
  readonly submits?: boolean;
  /** The same page for Dex's templates; absent where Dex has none. */
  readonly template?: TemplatePage;
}

/** `path` is that of the request; templates see it as `ReqPath`. */
export type PageRenderer = (page: Page, path: string) => HttpResponse;

interface RendererDeps {
  readonly theme: Theme;
  readonly templates: TemplatePages | undefined;
  readonly random: RandomBytes;
}

/** Pages by the operator's templates where there are some that work, by ours otherwise. */
export function createPageRenderer(frontend: FrontendConfig, { theme, templates, random }: RendererDeps): PageRenderer {
  const builtIn = createBuiltInRenderer(frontend, theme);
  return (page, path) => {
    if (templates === undefined || page.template === undefined) return builtIn(page);
    const nonce = randomToken(16, random);
    const finished = templates.render(page.template, { path, nonce });
    return finished === undefined ? builtIn(page) : templateResponse(page, finished, nonce);
  };
}

function templateResponse({ status, leavesOrigin = false }: Page, finished: FinishedPage, nonce: string): HttpResponse {
  // Scripts in attributes run by no nonce. The template's author is trusted; the nonce is a second fence around data.
  const scripts = finished.runsAttributes ? "'self' https: 'unsafe-inline'" : `'nonce-${nonce}' 'strict-dynamic'`;
  const base = `default-src 'self' https: data:; script-src ${scripts}; style-src 'self' https: 'unsafe-inline'; object-src 'none'; base-uri 'self'; frame-ancestors 'none'`;
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': leavesOrigin ? base : `${base}; form-action 'self'`,
    },
    body: finished.html,
  };
}

function createBuiltInRenderer({ issuer }: FrontendConfig, theme: Theme): (page: Page) => HttpResponse {
  const themed = theme.scheme === '' ? undefined : markup` data-theme="${theme.scheme}"`;
  // The name stands beside it.
  const logo = theme.logo === '' ? undefined : markup`<img class="logo" src="${theme.logo}" alt="">`;
  const footer = theme.footer === undefined ? undefined : markup`<footer>${theme.footer}</footer>`;
  return ({ status, title, content, leavesOrigin = false, submits = false }) => {
    const document = markup`<!doctype html>
<html lang="en"${themed}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} - ${issuer}</title>
<style>${new Markup(theme.css)}</style>
<link rel="icon" href="${theme.icon}">
</head>
<body>
<main>
${theme.header}${logo}<p class="brand">${issuer}</p>
${content}${footer}
</main>${submits ? markup`<script>${new Markup(SUBMIT)}</script>` : undefined}
</body>
</html>
`;
    return {
      status,
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': policy({ leavesOrigin, submits, theme }),
      },
      body: document.text,
    };
  };
}

interface PolicyParts {
  readonly leavesOrigin: boolean;
  readonly submits: boolean;
  readonly theme: Theme;
}

function policy({ leavesOrigin, submits, theme }: PolicyParts): string {
  const scripts = submits ? ` script-src ${SUBMIT_SOURCE};` : '';
  const base = `default-src 'none';${scripts} style-src ${theme.styleSource}; img-src ${theme.imageSource} 'self'; font-src 'self'; base-uri 'none'; frame-ancestors 'none'`;
  return leavesOrigin ? base : `${base}; form-action 'self'`;
}
