/** Owns the fallback where the machine allows no mount namespaces: mount paths in arguments and environment become real directories. */
import type { Mount } from './sandbox.ts';

/** Replaces every mount path that stands as a whole path prefix in `text` by its real place; the longest one wins. */
export function rewritePaths(text: string, mounts: readonly Mount[]): string {
  const ordered = mounts.toSorted((a, b) => b.target.length - a.target.length);
  if (ordered.length === 0) return text;
  const pattern = ordered.map(({ target }) => escapePattern(target)).join('|');
  return text.replaceAll(new RegExp(`(?<![\\w./-])(${pattern})(?![\\w.-])`, 'g'), (target) => {
    return ordered.find((mount) => mount.target === target)?.source ?? target;
  });
}

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
