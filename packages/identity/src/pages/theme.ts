/**
 * Owns what an operator changes about the looks: a style sheet, a logo, an icon, words above and below, out of Dex's directory of
 * web files. All of it is read once and travels inside the page; only a logo with an address of its own is fetched by browsers.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describeError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import type { FrontendConfig } from '../config/config.ts';
import { Markup, markup } from './markup.ts';
import { hashSource, STYLE, STYLE_SOURCE } from './style.ts';

export interface Theme {
  /** `light`, `dark`, or empty for what the reader prefers. */
  readonly scheme: string;
  readonly css: string;
  /** Of the policy: where styles and images come from. */
  readonly styleSource: string;
  readonly imageSource: string;
  /** A data: URL, an address, or empty. */
  readonly logo: string;
  readonly icon: string;
  readonly header: Markup | undefined;
  readonly footer: Markup | undefined;
}

/** Of what travels inside each page. */
const MAX_FILE_BYTES = 512 * 1024;
// Dex's old names for its light theme.
const LIGHT = new Set(['light', 'coreos', 'tectonic']);
const EMPTY_ICON = 'data:,';

export function loadTheme(frontend: FrontendConfig, log: Logger): Theme {
  const { dir, theme, logoURL } = frontend;
  const folder = themeFolder(frontend);
  if (dir !== '' && !existsSync(dir)) log.warn('frontend.dir is not there, the built-in pages are used', { dir });
  const read = (file: string): Buffer | undefined => readWebFile(dir, file, { log });
  const css = read(path.join(folder, 'styles.css'))?.toString('utf8').replaceAll('</', '<\\/') ?? '';
  const logo = isAddress(logoURL) ? logoURL : dataUrl(read(logoFile(logoURL, folder)), logoURL || 'logo.png');
  return {
    scheme: LIGHT.has(theme) ? 'light' : theme === 'dark' ? 'dark' : '',
    css: css === '' ? STYLE : `${STYLE}\n${css}`,
    styleSource: css === '' ? STYLE_SOURCE : hashSource(`${STYLE}\n${css}`),
    imageSource: isAddress(logoURL) ? `data: ${new URL(logoURL).origin}` : 'data:',
    logo,
    icon: dataUrl(read(path.join(folder, 'favicon.png')), 'favicon.png') || EMPTY_ICON,
    header: slot(read(path.join('slots', 'header.html')), frontend),
    footer: slot(read(path.join('slots', 'footer.html')), frontend),
  };
}

/** Of the directory. Dex's two old names mean `light` where they have no folder of their own; without a name an old directory has only theirs. */
export function themeFolder({ dir, theme }: FrontendConfig): string {
  const has = (name: string): boolean => existsSync(path.join(dir, 'themes', name));
  const name = theme === '' ? 'light' : theme;
  const found = dir === '' ? undefined : [name, 'light', 'coreos'].find((one) => LIGHT.has(name) && has(one));
  return path.join('themes', found ?? name);
}

/** `theme/logo.png` is Dex's address of a file of the theme; other paths are below the directory. */
function logoFile(logoURL: string, folder: string): string {
  if (logoURL === '') return path.join(folder, 'logo.png');
  const file = logoURL.replace(/^\/+/, '');
  return file.startsWith('theme/') ? path.join(folder, file.slice('theme/'.length)) : file;
}

function isAddress(logoURL: string): boolean {
  return /^https?:\/\//.test(logoURL) && URL.canParse(logoURL);
}

/** A file below the directory; undefined when it is not there, outside, too large or cannot be read. */
export function readWebFile(
  dir: string,
  file: string,
  { log, maxBytes = MAX_FILE_BYTES }: { readonly log: Logger; readonly maxBytes?: number },
): Buffer | undefined {
  const full = path.resolve(dir, file);
  if (dir === '' || !full.startsWith(path.resolve(dir) + path.sep)) return undefined;
  try {
    const stats = statSync(full, { throwIfNoEntry: false });
    if (stats?.isFile() !== true) return undefined;
    if (stats.size <= maxBytes) return readFileSync(full);
    log.warn('web file is too large', { file, bytes: stats.size, limit: maxBytes });
  } catch (error) {
    log.warn('web file cannot be read', { file, error: describeError(error) });
  }
  return undefined;
}

export const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.svg': 'image/svg+xml',
  '.ico': 'image/x-icon',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.ttf': 'font/ttf',
  '.otf': 'font/otf',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

function dataUrl(bytes: Buffer | undefined, name: string): string {
  const type = MEDIA_TYPES[path.extname(name).toLowerCase()];
  return bytes === undefined || !type?.startsWith('image/') ? '' : `data:${type};base64,${bytes.toString('base64')}`;
}

/** The operator's own markup, with `{{ issuer }}` and `{{ extra "key" }}` replaced by text. */
function slot(bytes: Buffer | undefined, { issuer, extra }: FrontendConfig): Markup | undefined {
  if (bytes === undefined) return undefined;
  const text = bytes.toString('utf8').replaceAll(/\{\{\s*(?:(issuer)|extra\s+"([^"]*)")\s*\}\}/g, (_all, own, key) => {
    const value = own === 'issuer' ? issuer : Object.hasOwn(extra, String(key)) ? extra[String(key)] : undefined;
    return markup`${value}`.text;
  });
  return new Markup(text);
}
