/** Owns metadata.managedFields. */
import type { ServedResource } from '../resources/definition.ts';
import type { JsonObject } from '../schema/json.ts';

export interface TrackedChange {
  readonly served: ServedResource;
  /** Changed in place. */
  readonly object: JsonObject;
  readonly old: JsonObject | undefined;
  readonly manager: string;
  readonly subresource: string;
  readonly now: Date;
}

/** Records what an update changed, under its manager. */
export function trackUpdate(_change: TrackedChange): void {
  // Filled in with server-side apply.
}
