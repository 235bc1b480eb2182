/** Owns the files of one generated application: a copy of its package with parameters and overlays written in. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { kfctlError } from '../errors.ts';
import { diskCatalog, hasKustomization, parameterFiles, shippedPackages } from '../kfdef/catalog.ts';
import type { Application, KfDef, Parameter } from '../kfdef/kfdef.ts';

/** Content by path below kustomize/<app>/. */
export type Files = ReadonlyMap<string, Buffer>;

const MAX_FILE_BYTES = 8 * 1024 * 1024;
const MAX_FILES = 5000;

/** Renders one application; pure apart from reading the package. */
export function renderApplication(kfdef: KfDef, application: Application): Files {
  const root = kfdef.repos.get(application.repo) ?? shippedPackages();
  const facts = diskCatalog.find(root, application.path);
  if (facts === undefined) {
    throw kfctlError('MANIFEST_INVALID', `the package ${application.path} of ${application.name} is gone from ${root}`);
  }
  const files = new Map(readPackage(facts.directory, ''));
  const inFiles = parameterFiles(facts.directory);
  for (const file of inFiles) {
    files.set(file, Buffer.from(withParameters((files.get(file) ?? '').toString(), application.parameters)));
  }
  if (hasKustomization(path.join(facts.directory, 'base')) && !hasKustomization(facts.directory)) {
    files.set('kustomization.yaml', Buffer.from(renderTop(facts.directory, application)));
  }
  return files;
}

function* readPackage(directory: string, below: string, count = { files: 0 }): Generator<[string, Buffer]> {
  for (const name of readdirSync(path.join(directory, below)).toSorted()) {
    if (name.startsWith('.')) continue;
    const relative = path.posix.join(below, name);
    const file = path.join(directory, relative);
    const stats = lstatSync(file);
    if (stats.isDirectory()) {
      yield* readPackage(directory, relative, count);
      continue;
    }
    if (!stats.isFile()) throw kfctlError('MANIFEST_INVALID', `${file} is neither a file nor a directory`);
    count.files += 1;
    if (stats.size > MAX_FILE_BYTES || count.files > MAX_FILES) {
      throw kfctlError('MANIFEST_INVALID', `${directory} is too large for a kustomize package`);
    }
    yield [relative, readFileSync(file)];
  }
}

/** The lines of a params.env with the values of those parameters that it has. */
export function withParameters(text: string, parameters: readonly Parameter[]): string {
  const values = new Map(parameters.map(({ name, value }) => [name, value]));
  return text
    .split('\n')
    .map((line) => {
      const mark = line.indexOf('=');
      const value = mark < 0 || line.startsWith('#') ? undefined : values.get(line.slice(0, mark));
      return value === undefined ? line : `${line.slice(0, mark)}=${value}`;
    })
    .join('\n');
}

function renderTop(directory: string, application: Application): string {
  const overlays = application.overlays.map((name) => ({ name, component: isComponent(directory, name) }));
  const components = overlays.filter(({ component }) => component).map(({ name }) => `overlays/${name}`);
  const roots = overlays.filter(({ component }) => !component).map(({ name }) => `overlays/${name}`);
  // An overlay that is no component brings the base with it; two of them would bring it twice.
  if (roots.length > 1) {
    throw kfctlError(
      'KFDEF_INVALID',
      `application ${application.name}: the overlays ${roots.join(' and ')} each include the base, so only one can be chosen`,
      { hint: 'Turn them into components (kind: Component), or choose one.' },
    );
  }
  const namespace = application.parameters.find(({ name }) => name === 'namespace')?.value;
  return [
    '# Written by kfctl generate. It may be edited: kfctl keeps your changes and says so.',
    'apiVersion: kustomize.config.k8s.io/v1beta1',
    'kind: Kustomization',
    ...(namespace === undefined ? [] : [`namespace: ${JSON.stringify(namespace)}`]),
    'resources:',
    ...(roots.length === 0 ? ['- base'] : roots.map((name) => `- ${name}`)),
    ...(components.length === 0 ? [] : ['components:', ...components.map((name) => `- ${name}`)]),
    '',
  ].join('\n');
}

function isComponent(directory: string, overlay: string): boolean {
  const folder = path.join(directory, 'overlays', overlay);
  const file = readdirSync(folder).find((name) => /^kustomization\.ya?ml$/i.test(name) || name === 'Kustomization');
  return file !== undefined && /^kind:\s*["']?Component\b/m.test(readFileSync(path.join(folder, file), 'utf8'));
}
