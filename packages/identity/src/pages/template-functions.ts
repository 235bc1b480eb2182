/** Owns the functions that Dex gives its templates beside Go's own. */
import path from 'node:path';
import type { FrontendConfig } from '../config/config.ts';
import { requireText } from './go-template/builtins.ts';
import type { TemplateFunction } from './go-template/builtins.ts';

/** `basePath` is the issuer's, empty or `/dex`. */
export function createTemplateFunctions(
  { issuer, logoURL, extra }: FrontendConfig,
  basePath: string,
): Readonly<Record<string, TemplateFunction>> {
  return {
    issuer: { least: 0, most: 0, call: () => issuer },
    logo: { least: 0, most: 0, call: () => (logoURL === '' ? 'theme/logo.png' : logoURL) },
    // From the root, where Dex counts the steps up from the page's path: the same file, and right wherever the page is shown.
    url: { least: 2, most: 2, call: ([, asset], at) => assetUrl(basePath, requireText(asset, at)) },
    lower: { least: 1, most: 1, call: ([text], at) => requireText(text, at).toLowerCase() },
    extra: {
      least: 1,
      most: 1,
      call: ([key], at) => (Object.hasOwn(extra, requireText(key, at)) ? extra[requireText(key, at)] : ''),
    },
  };
}

function assetUrl(basePath: string, asset: string): string {
  if (/^[a-z][a-z\d+.-]*:/i.test(asset)) return asset;
  return `${basePath}${path.posix.normalize(`/${asset}`)}`;
}
