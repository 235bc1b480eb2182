/** Owns which inventory entries an argument `all | k8s | platform` is about. */
import type { App } from '../app/app-directory.ts';
import { inScope } from '../app/scope.ts';
import type { Scope } from '../app/scope.ts';
import type { InventoryEntry } from './inventory.ts';

/** Entries of applications that the app no longer has belong to `all` only. */
export function inScopeEntries(entries: readonly InventoryEntry[], app: App, scope: Scope): InventoryEntry[] {
  if (scope === 'all') return [...entries];
  const applications = new Map(app.kfdef.applications.map((application) => [application.name, application]));
  return entries.filter(({ application }) => {
    const known = applications.get(application);
    return known !== undefined && inScope(known, scope);
  });
}
