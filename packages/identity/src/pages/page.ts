/** Owns the frame around every page and the headers it is sent with. */
import type { HttpResponse } from '@kfctl/core';
import type { FrontendConfig } from '../config/config.ts';
import { Markup, markup } from './markup.ts';
import { STYLE, STYLE_SOURCE, SUBMIT, SUBMIT_SOURCE } from './style.ts';

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
}

export type PageRenderer = (page: Page) => HttpResponse;

export function createPageRenderer({ issuer, theme }: FrontendConfig): PageRenderer {
  const themed = theme === 'dark' || theme === 'light' ? markup` data-theme="${theme}"` : undefined;
  return ({ status, title, content, leavesOrigin = false, submits = false }) => {
    const document = markup`<!doctype html>
<html lang="en"${themed}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} - ${issuer}</title>
<style>${new Markup(STYLE)}</style>
<link rel="icon" href="data:,">
</head>
<body>
<main>
<p class="brand">${issuer}</p>
${content}
</main>${submits ? markup`<script>${new Markup(SUBMIT)}</script>` : undefined}
</body>
</html>
`;
    return {
      status,
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': policy({ leavesOrigin, submits }),
      },
      body: document.text,
    };
  };
}

function policy({ leavesOrigin, submits }: { leavesOrigin: boolean; submits: boolean }): string {
  const scripts = submits ? ` script-src ${SUBMIT_SOURCE};` : '';
  const base = `default-src 'none';${scripts} style-src ${STYLE_SOURCE}; img-src data:; base-uri 'none'; frame-ancestors 'none'`;
  return leavesOrigin ? base : `${base}; form-action 'self'`;
}
