/** Owns `kfctl init`: a configuration becomes an application directory, whole or not at all. */
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Document } from 'yaml';
import { kfctlError } from '../errors.ts';
import { diskCatalog, shippedPackages } from '../kfdef/catalog.ts';
import { renderDocument, setName, setParameter, setRepoPaths } from '../kfdef/edit-document.ts';
import type { Application, KfDef, Parameter } from '../kfdef/kfdef.ts';
import { nameProblem } from '../kfdef/name.ts';
import { parseKfDef } from '../kfdef/parse-kfdef.ts';
import { readConfig } from '../kfdef/read-config.ts';
import { APP_FILE } from './app-directory.ts';
import { writeFileAtomically } from './write-file.ts';

export interface InitOptions {
  readonly name: string;
  /** File, address or preset. */
  readonly config: string;
  /** Where the directory `name` is made. */
  readonly parent: string;
  readonly email: string | undefined;
  /** Parameters to set besides the user's, by application. */
  readonly parameters?: ReadonlyMap<string, readonly Parameter[]>;
}

export interface InitResult {
  readonly directory: string;
  readonly kfdef: KfDef;
  /** The name that the configuration had, when the argument replaced another one. */
  readonly replacedName: string | undefined;
}

/** Makes the application directory; throws before anything is written when something is wrong. */
export async function initApp(options: InitOptions): Promise<InitResult> {
  const problem = nameProblem(options.name);
  if (problem !== undefined) {
    throw kfctlError('APP_NAME_INVALID', `invalid name: ${problem}`, { hint: 'For example: kfctl init my-kubeflow' });
  }
  const directory = path.join(options.parent, options.name);
  await requireNew(directory);
  const config = await readConfig(options.config, options.parent);
  const { document, kfdef } = parseKfDef(config);
  setName(document, options.name);
  setRepoPaths(document, kfdef.repos);
  if (options.email !== undefined) setUser(document, kfdef, options.email);
  for (const [application, parameters] of options.parameters ?? []) {
    for (const parameter of parameters) setParameter(document, application, parameter);
  }
  const text = renderDocument(document, config.text);
  const parsed = parseKfDef({ text, file: APP_FILE, directory });
  await writeApp(directory, text);
  const named = document.errors.length === 0 && kfdef.name !== options.name && /^\s*name:/m.test(config.text);
  return { directory, kfdef: parsed.kfdef, replacedName: named ? kfdef.name : undefined };
}

/** Records the installing user in every application that asks for one. The password is never written. */
export function setUser(document: Document.Parsed, kfdef: KfDef, email: string): void {
  const values: Readonly<Record<string, string>> = {
    static_email: email,
    static_username: email.slice(0, email.lastIndexOf('@')),
    static_user_id: userId(email),
  };
  for (const application of kfdef.applications) {
    const known = packageParameters(kfdef, application);
    if (!known.includes('static_email')) continue;
    for (const [name, value] of Object.entries(values)) {
      if (known.includes(name)) setParameter(document, application.name, { name, value });
    }
  }
}

/** An identifier that stays the same for the same person, so that a second installation knows them (RFC 9562 version 8). */
function userId(email: string): string {
  const hex = createHash('sha256').update(`kfctl user ${email}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

/** The e-mail address that the file records for the installing user, if any. */
export function recordedEmail(kfdef: KfDef): string | undefined {
  const all = kfdef.applications.flatMap(({ parameters }) => parameters);
  return all.find(({ name }) => name === 'static_email')?.value;
}

function packageParameters(kfdef: KfDef, application: Application): readonly string[] {
  const root = kfdef.repos.get(application.repo) ?? shippedPackages();
  return diskCatalog.find(root, application.path)?.parameters ?? [];
}

async function requireNew(directory: string): Promise<void> {
  const file = path.join(directory, APP_FILE);
  if (!(await exists(file))) return;
  throw kfctlError('APP_EXISTS', `${file} already exists`, {
    hint: `Use it (cd ${path.basename(directory)} && kfctl generate all), or choose another name.`,
  });
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

async function writeApp(directory: string, text: string): Promise<void> {
  try {
    if (await exists(directory)) return await writeFileAtomically(path.join(directory, APP_FILE), text);
    const parent = path.dirname(directory);
    await mkdir(parent, { recursive: true });
    const temporary = await mkdtemp(path.join(parent, `.${path.basename(directory)}-`));
    try {
      await writeFile(path.join(temporary, APP_FILE), text);
      await rename(temporary, directory);
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw error;
    }
  } catch (cause) {
    throw kfctlError('ARGUMENT_INVALID', `cannot write ${directory}: ${(cause as Error).message}`, {
      cause,
      hint: 'Run kfctl where you may write.',
    });
  }
}
