/** Remote paths: `https://host/file.yaml` is a file, `github.com/org/repo//path?ref=v1` a directory of a repository's archive. */

import { KustomizeError } from '../errors.ts';

export type Remote =
  | { readonly kind: 'file'; readonly url: string }
  | { readonly kind: 'archive'; readonly url: string; readonly directory: string };

const scheme = /^(?:git::)?https?:\/\//iu;
const fileScheme = /^https?:\/\//iu;
const knownHost = /^(?:www\.)?(?:github\.com|gitlab\.com|bitbucket\.org)[/:]/u;
const otherTransport = /^(?:git::)?(?:ssh:\/\/|git:\/\/|file:\/\/|[\w.-]+@[\w.-]+:)/u;
const fileName = /\.(?:ya?ml|json)$|\/raw(?:\/|$)/u;

/** What a resource path names when it is not a local path; undefined when it is one. */
export function parseRemote(path: string): Remote | undefined {
  if (otherTransport.test(path)) {
    throw new KustomizeError('REMOTE_INVALID', `only https can be used for '${path}'`, {
      hint: 'write https://host/org/repo//path?ref=version',
    });
  }
  if (!scheme.test(path) && !knownHost.test(path)) return undefined;
  const text = path.replace(/^git::/u, '');
  const url = parseUrl(scheme.test(text) ? text : `https://${text}`);
  return isRepository(url, fileScheme.test(path)) ? archiveOf(url) : { kind: 'file', url: url.href };
}

/** What a path names where only a file can stand; undefined when it is a local one. */
export function parseRemoteFile(path: string): Remote | undefined {
  return fileScheme.test(path) ? { kind: 'file', url: parseUrl(path).href } : undefined;
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.username !== '' || url.password !== '') {
    throw new KustomizeError('REMOTE_INVALID', 'a remote resource needs a URL without credentials', {
      hint: 'credentials would end up in the lock file: keep a copy of the file in the kustomization',
    });
  }
  if (url.protocol !== 'https:') {
    throw new KustomizeError('REMOTE_INVALID', `'${url.host}' must be read over https`, {
      hint: 'use its https address, or keep a copy of the file in the kustomization',
    });
  }
  return url;
}

/** A URL may name a file whatever its query says; a version makes a repository of what looks like neither. */
function isRepository(url: URL, mayBeFile: boolean): boolean {
  if (/\.git(?:\/|$)/u.test(url.pathname) || url.pathname.includes('//')) return true;
  if (mayBeFile && fileName.test(url.pathname)) return false;
  return url.searchParams.has('ref') || url.searchParams.has('version') || knownHost.test(`${url.host}/`);
}

interface Repository {
  readonly owner: string;
  readonly name: string;
  readonly directory: string;
}

/** `/org/repo//path`, `/org/repo.git/path` and `/org/repo/path` */
function repositoryOf(url: URL): Repository {
  const [left = '', ...rest] = url.pathname
    .slice(1)
    .replace(/\.git(?=\/|$)/u, '/')
    .split('//');
  const [owner, name, ...inside] = left.split('/').filter((part) => part !== '');
  if (owner === undefined || name === undefined) {
    throw new KustomizeError('REMOTE_INVALID', `'${url.href}' names no repository`, {
      hint: 'write https://host/org/repo//path?ref=version',
    });
  }
  return { owner, name, directory: [...inside, ...rest].join('/').replace(/^\/+/u, '') };
}

function archiveOf(url: URL): Remote {
  const { owner, name, directory } = repositoryOf(url);
  const ref = url.searchParams.get('ref') ?? url.searchParams.get('version') ?? '';
  if (ref === '' || !/^[\w./+-]+$/u.test(ref)) {
    throw new KustomizeError('REMOTE_INVALID', `'${url.href}' needs a version`, {
      hint: 'add ?ref= with a tag or a commit',
    });
  }
  const base = `https://${url.host}/${owner}/${name}`;
  const archive =
    url.host === 'gitlab.com' ? `${base}/-/archive/${ref}/${name}.tar.gz` : `${base}/archive/${ref}.tar.gz`;
  return { kind: 'archive', url: archive, directory };
}
