/** Owns the checks of applications against the packages that exist: unknown ones are named beside the known ones. */
import { existsSync } from 'node:fs';
import type { Catalog, PackageFacts } from './catalog.ts';
import { SHIPPED_REPO } from './kfdef.ts';
import type { ApplicationPlaces } from './parse-kfdef.ts';
import { nearest } from './problems.ts';
import type { Reader } from './yaml-place.ts';

interface Known {
  readonly read: Reader;
  readonly repos: ReadonlyMap<string, string>;
  readonly catalog: Catalog;
  readonly shipped: string;
}

/** Parameters that every package understands; they are written into kustomization.yaml instead of params.env. */
export const COMMON_PARAMETERS: readonly string[] = ['namespace'];

/** Reports unknown repositories, packages, overlays and parameters, and names used twice. */
export function checkApplications(applications: readonly ApplicationPlaces[], known: Known): void {
  const seen = new Set<string>();
  for (const application of applications) {
    const { name, place } = application;
    if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) {
      known.read.problem(
        place,
        `${JSON.stringify(name)} is no application name`,
        'Use lower-case letters, digits and "-".',
      );
    } else if (seen.has(name)) {
      known.read.problem(place, `application ${name} is named twice`);
    }
    seen.add(name);
    const facts = findPackage(application, known);
    if (facts !== undefined) checkContent(application, facts, known.read);
  }
}

function findPackage(application: ApplicationPlaces, known: Known): PackageFacts | undefined {
  const { repo, path, repoPlace, pathPlace } = application;
  if (path === undefined) return undefined;
  const root = known.repos.get(repo) ?? (repo === SHIPPED_REPO ? known.shipped : undefined);
  if (root === undefined || !existsSync(root)) {
    const names = [...new Set([...known.repos.keys(), SHIPPED_REPO])].join(', ');
    const message = root === undefined ? `unknown repository ${repo}` : `the directory ${root} does not exist`;
    known.read.problem(repoPlace, message, `known repositories: ${names}`);
    return undefined;
  }
  const facts = known.catalog.find(root, path);
  if (facts === undefined) {
    const packages = known.catalog.list(root);
    known.read.problem(pathPlace, `unknown application ${path}`, suggestion(path, packages, 'applications'));
  }
  return facts;
}

function checkContent(application: ApplicationPlaces, facts: PackageFacts, read: Reader): void {
  for (const { value, place } of application.overlays) {
    if (!facts.overlays.includes(value)) {
      const message = `application ${application.name} has no overlay ${value}`;
      read.problem(place, message, suggestion(value, facts.overlays, 'overlays'));
    }
  }
  const parameters = [...facts.parameters, ...COMMON_PARAMETERS];
  const seen = new Set<string>();
  for (const { name, place } of application.parameters) {
    if (!parameters.includes(name)) {
      const message = `application ${application.name} has no parameter ${name}`;
      read.problem(place, message, suggestion(name, parameters, 'parameters'));
    } else if (seen.has(name)) {
      read.problem(place, `parameter ${name} is given twice`);
    }
    seen.add(name);
  }
}

function suggestion(name: string, known: readonly string[], what: string): string {
  const near = nearest(name, known);
  const list = known.length === 0 ? 'none' : known.join(', ');
  return `${near === undefined ? '' : `did you mean ${near}? `}known ${what}: ${list}`;
}
