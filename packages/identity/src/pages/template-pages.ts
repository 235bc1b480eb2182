/**
 * Owns Dex's page templates: which files make pages, what data each gets, and that a page is shown by them only if they can.
 * Everything else, and everything that goes wrong, is shown by the built-in pages.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describeError, isAppError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import type { FrontendConfig } from '../config/config.ts';
import { compileTemplates } from './go-template/compile.ts';
import type { FinishedPage } from './go-template/escape/page-output.ts';
import type { Source } from './go-template/source.ts';
import type { Fields } from './go-template/values.ts';
import { createTemplateFunctions } from './template-functions.ts';
import { readWebFile } from './theme.ts';

export type TemplateFile =
  | 'login.html'
  | 'password.html'
  | 'approval.html'
  | 'oob.html'
  | 'error.html'
  | 'device.html'
  | 'device_success.html'
  | 'logout.html';

/** A page in the words of Dex's templates: the file, and its data, mostly but for `ReqPath`. */
export interface TemplatePage {
  readonly file: TemplateFile;
  readonly data: Fields;
}

export interface TemplatePages {
  /** Undefined where the built-in page is to be shown. */
  render(page: TemplatePage, place: { readonly path: string; readonly nonce: string }): FinishedPage | undefined;
  /** What is wrong with the files, each with its line. */
  readonly mistakes: readonly string[];
  /** Files whose pages are shown. */
  readonly used: readonly string[];
}

const CONNECTORS = [
  { ID: 'ldap', Name: 'LDAP', URL: '/auth/ldap?client_id=x', Type: 'ldap' },
  { ID: 'corp', Name: 'Corp', URL: '/auth/corp?client_id=x', Type: 'oidc' },
];
const NO_SESSIONS = { SessionsEnabled: false, RememberMeChecked: false };
const SESSIONS = { SessionsEnabled: true, RememberMeChecked: true };
const PASSWORD = { PostURL: '/auth/ldap/login', UsernamePrompt: 'Username', ...NO_SESSIONS };
const APPROVAL = { User: 'ann', Client: 'App', AuthReqID: 'x', ...NO_SESSIONS };

/** Each file with data as it comes: whatever a template does in these cases has been tried before anybody sees it. */
const SAMPLES: Readonly<Record<TemplateFile, readonly Fields[]>> = {
  'login.html': [{ Connectors: CONNECTORS }, { Connectors: CONNECTORS.slice(0, 1) }],
  'password.html': [
    { ...PASSWORD, Username: '', Invalid: false, BackLink: '' },
    { ...PASSWORD, Username: 'ann', Invalid: false, BackLink: '/auth', ...SESSIONS },
    { ...PASSWORD, Username: '', Invalid: true, BackLink: '/auth' },
    { ...PASSWORD, Username: 'ann', Invalid: true, BackLink: '' },
  ],
  'approval.html': [
    { ...APPROVAL, Scopes: [] },
    { ...APPROVAL, Scopes: ['View your email address'] },
  ],
  'oob.html': [{ Code: 'x' }],
  'error.html': [{ ErrType: 'Bad Request', ErrMsg: 'x' }],
  'device.html': [
    { PostURL: '/device/auth/verify_code', UserCode: '', Invalid: false },
    { PostURL: '/device/auth/verify_code', UserCode: 'BCDF-GHJK', Invalid: false },
    { PostURL: '/device/auth/verify_code', UserCode: '', Invalid: true },
    { PostURL: '/device/auth/verify_code', UserCode: 'BCDF-GHJK', Invalid: true },
  ],
  'device_success.html': [{ ClientName: 'App' }],
  'logout.html': [
    { ShowConfirmation: true, LoggedOut: false, BackURL: '' },
    { ShowConfirmation: false, LoggedOut: true, BackURL: '' },
  ],
};

const MAX_FILES = 100;

/** Undefined without templates. */
export function loadTemplatePages(
  frontend: FrontendConfig,
  { basePath, log }: { readonly basePath: string; readonly log: Logger },
): TemplatePages | undefined {
  const sources = readSources(frontend.dir, log);
  if (sources.length === 0) return undefined;
  const { templates, mistakes } = compileTemplates(sources, createTemplateFunctions(frontend, basePath));
  const found = [...mistakes];
  const used = new Set<string>();
  for (const [file, samples] of Object.entries(SAMPLES)) {
    if (!templates.has(file)) continue;
    const mistake = firstMistake(samples, (sample) =>
      templates.render(file, { ...sample, ReqPath: `${basePath}/auth` }, 'trial'),
    );
    if (mistake === undefined) used.add(file);
    else found.push(mistake);
  }
  return {
    mistakes: [...new Set(found)],
    used: [...used],
    render: ({ file, data }, { path, nonce }) => {
      if (!used.has(file)) return undefined;
      try {
        return templates.render(file, { ReqPath: path, ...data }, nonce);
      } catch (error) {
        log.warn('a page template failed, the built-in page is shown', { file, error: describeError(error) });
        return undefined;
      }
    },
  };
}

function firstMistake(samples: readonly Fields[], render: (sample: Fields) => unknown): string | undefined {
  try {
    for (const sample of samples) render(sample);
    return undefined;
  } catch (error) {
    if (isAppError(error)) return error.message;
    throw error;
  }
}

/** All files of `templates`, by name: header and footer, and whatever else pages call. Names with a dot in front are mounts' and editors'. */
function readSources(dir: string, log: Logger): readonly Source[] {
  if (dir === '') return [];
  return listFolder(path.join(dir, 'templates'), log)
    .filter((name) => !name.startsWith('.'))
    .toSorted()
    .slice(0, MAX_FILES)
    .flatMap((name) => {
      const bytes = readWebFile(dir, path.join('templates', name), { log });
      return bytes === undefined ? [] : [{ name, text: bytes.toString('utf8') }];
    });
}

function listFolder(folder: string, log: Logger): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      log.warn('web files cannot be listed', { folder, error: describeError(error) });
    return [];
  }
}

/** At the start, and whenever the configuration changes: which pages are whose, and what to correct. */
export function tellOfTemplates(pages: TemplatePages | undefined, log: Logger): void {
  if (pages === undefined) return;
  log.info('page templates are used', { files: pages.used });
  for (const mistake of pages.mistakes.slice(0, 20)) {
    log.warn('a page template is wrong, the built-in page is shown', { mistake });
  }
}
