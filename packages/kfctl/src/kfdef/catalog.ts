/** Owns knowledge of the kustomize packages in a local repository: which exist, their overlays and parameters. */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';

export interface PackageFacts {
  /** Absolute path of the package's directory. */
  readonly directory: string;
  readonly overlays: readonly string[];
  /** Names of the lines of base/params.env. */
  readonly parameters: readonly string[];
}

export interface Catalog {
  /** The paths of all packages below a repository's root. */
  list(root: string): readonly string[];
  /** The package at a path, or undefined when there is none or the path leaves the root. */
  find(root: string, packagePath: string): PackageFacts | undefined;
}

const KUSTOMIZATION_FILES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];
const MAX_DEPTH = 3;

export const diskCatalog: Catalog = {
  list: (root) => listPackages(root, '', MAX_DEPTH).toSorted(),
  find: findPackage,
};

/** True when the directory holds a kustomization file. */
export function hasKustomization(directory: string): boolean {
  return KUSTOMIZATION_FILES.some((file) => existsSync(path.join(directory, file)));
}

/** The directory of the packages that kfctl ships. */
export function shippedPackages(): string {
  return path.resolve(import.meta.dirname, '../../../manifests');
}

function isPackage(directory: string): boolean {
  return hasKustomization(path.join(directory, 'base')) || hasKustomization(directory);
}

function listPackages(root: string, below: string, depth: number): string[] {
  return subdirectories(path.join(root, below)).flatMap((name) => {
    const here = path.posix.join(below, name);
    if (isPackage(path.join(root, here))) return [here];
    return depth > 1 ? listPackages(root, here, depth - 1) : [];
  });
}

function findPackage(root: string, packagePath: string): PackageFacts | undefined {
  const wanted = path.resolve(root, packagePath);
  if (!existsSync(wanted) || !isPackage(wanted)) return undefined;
  // A symbolic link must not lead out of the repository either.
  const directory = realpathSync(wanted);
  if (!isInside(realpathSync(root), directory)) return undefined;
  const overlays = subdirectories(path.join(directory, 'overlays'));
  return {
    directory,
    overlays: overlays.filter((name) => hasKustomization(path.join(directory, 'overlays', name))),
    parameters: parameterNames(directory),
  };
}

/** True when `child` is `parent` or lies below it; both absolute. */
export function isInside(parent: string, child: string): boolean {
  const relative = path.relative(parent, child);
  return relative === '' || (!relative.startsWith(`..${path.sep}`) && relative !== '..' && !path.isAbsolute(relative));
}

/** Where a package keeps its parameters. */
export function parameterFiles(directory: string): readonly string[] {
  return ['base/params.env', 'params.env'].filter((file) => existsSync(path.join(directory, file)));
}

function parameterNames(directory: string): string[] {
  return parameterFiles(directory).flatMap((file) =>
    readFileSync(path.join(directory, file), 'utf8')
      .split('\n')
      .filter((line) => line.includes('=') && !line.startsWith('#'))
      .map((line) => line.slice(0, line.indexOf('='))),
  );
}

function subdirectories(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
    .map((entry) => entry.name)
    .toSorted();
}
