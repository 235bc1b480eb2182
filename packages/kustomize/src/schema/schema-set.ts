/**
 * Which merge schemas are in force during a build. The reference keeps one set for the whole process: the first `openapi` field that is met
 * settles it, later ones change nothing, and the built-in types belong to it only if something had asked for them before.
 */

import { clusterScopedTypes } from './scopes.ts';
import { type SchemaLookup, builtInSchema } from './merge-schema.ts';

/** Built-in types that cannot be listed: the reference knows the scope of all others without its schema. */
const unlisted: ReadonlySet<string> = new Set([
  'Binding',
  'Eviction',
  'LocalSubjectAccessReview',
  'Scale',
  'SelfSubjectAccessReview',
  'SelfSubjectRulesReview',
  'SubjectAccessReview',
  'TokenRequest',
  'TokenReview',
]);

export interface SeenType {
  readonly apiVersion: string;
  readonly kind: string;
}

export class SchemaSet {
  private own: SchemaLookup | undefined = undefined;
  private withBuiltIn = false;

  readonly lookup: SchemaLookup = (apiVersion, kind) => {
    this.askBuiltIn();
    const found = this.own?.(apiVersion, kind);
    return found ?? (this.withBuiltIn ? builtInSchema(apiVersion, kind) : undefined);
  };

  /** `openapi.path`. */
  use(schema: SchemaLookup): void {
    this.own ??= schema;
  }

  /** `openapi.version`. */
  useBuiltIn(): void {
    this.askBuiltIn();
    this.own ??= builtInSchema;
  }

  /** An object of an unknown type makes the reference look its scope up in the built-in schema. */
  see(objects: readonly SeenType[]): void {
    if (this.own !== undefined || this.withBuiltIn) return;
    if (objects.some((object) => !hasKnownScope(object))) this.askBuiltIn();
  }

  private askBuiltIn(): void {
    if (this.own === undefined) this.withBuiltIn = true;
  }
}

function hasKnownScope({ apiVersion, kind }: SeenType): boolean {
  if (clusterScopedTypes.has(`${apiVersion}/${kind}`)) return true;
  return builtInSchema(apiVersion, kind) !== undefined && !unlisted.has(kind);
}
