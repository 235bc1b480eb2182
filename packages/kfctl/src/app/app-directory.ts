/** Owns a KFAPP directory on disk: app.yaml, kustomize/<app>/ and the record of what was generated. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Document } from 'yaml';
import { kfctlError } from '../errors.ts';
import { renderDocument } from '../kfdef/edit-document.ts';
import type { KfDef } from '../kfdef/kfdef.ts';
import { parseKfDef } from '../kfdef/parse-kfdef.ts';
import { writeFileAtomically } from './write-file.ts';

export const APP_FILE = 'app.yaml';
export const KUSTOMIZE_DIRECTORY = 'kustomize';

export interface App {
  readonly directory: string;
  readonly kfdef: KfDef;
  readonly document: Document.Parsed;
  /** The text of app.yaml. */
  readonly text: string;
}

/** Reads the app in a directory; throws `APP_DIRECTORY_REQUIRED` when there is none. */
export async function readApp(directory: string): Promise<App> {
  const file = path.join(directory, APP_FILE);
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw kfctlError('APP_DIRECTORY_REQUIRED', `cannot read ${file}: ${cause.message}`);
    throw kfctlError('APP_DIRECTORY_REQUIRED', `${directory} is no application directory: it has no ${APP_FILE}`, {
      hint: 'Change into the directory that kfctl made, or make one: kfctl init NAME && cd NAME',
    });
  });
  return { directory, text, ...parseKfDef({ text, file: APP_FILE, directory }) };
}

/** Writes the edited document back and reads it again. */
export async function saveApp(app: App): Promise<App> {
  const text = renderDocument(app.document, app.text);
  const parsed = parseKfDef({ text, file: APP_FILE, directory: app.directory });
  if (text !== app.text) await writeFileAtomically(path.join(app.directory, APP_FILE), text);
  return { directory: app.directory, text, ...parsed };
}

/** The directory of one generated application. */
export function applicationDirectory(app: App, application: string): string {
  return path.join(app.directory, KUSTOMIZE_DIRECTORY, application);
}

/** Where `kfctl vendor` keeps the remote resources of a directory. */
export function vendorDirectory(directory: string): string {
  return path.join(directory, 'vendor');
}
