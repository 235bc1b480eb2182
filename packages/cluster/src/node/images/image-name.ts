/** Owns the parsing of image references. */

export interface ImageName {
  /** As the user wrote it. */
  readonly text: string;
  /** Repository path without registry, `library/`, tag and digest: `nginx`, `kfctl/platform`. */
  readonly repository: string;
}

const MAX_LENGTH = 1024;
const REGISTRY = /^[a-z0-9]+([.-]+[a-z0-9]+)*(:\d{1,5})?$/i;

/** Parses `[registry/]path[:tag][@digest]`; undefined when it is no image reference. */
export function parseImageName(text: string): ImageName | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const [withTag = ''] = text.split('@', 1);
  const segments = withTag.replace(/:[\w][\w.-]{0,127}$/, '').split('/');
  const [first = ''] = segments;
  const hasRegistry = segments.length > 1 && (/[.:]/.test(first) || first === 'localhost');
  if (hasRegistry && !REGISTRY.test(first)) return undefined;
  const path = hasRegistry ? segments.slice(1) : segments;
  const repository = (path[0] === 'library' && path.length === 2 ? path.slice(1) : path).join('/');
  return /^[a-z0-9]+([._/-]+[a-z0-9]+)*$/.test(repository) ? { text, repository } : undefined;
}

/** True when the repository is `name`, below whatever prefix a mirror gives it: `mirror/kfctl/platform` is `kfctl/platform`. */
export function isRepository(image: ImageName, name: string): boolean {
  return image.repository === name || image.repository.endsWith(`/${name}`);
}
