/** Owns the reading of the host's mount table: which file systems lie below `/` and hold files that programs need. */

/** File systems that hold files of programs; everything else (tmpfs, cgroups, autofs, fuse …) stays out of a container. */
const FILE_SYSTEMS = new Set([
  'ext2',
  'ext3',
  'ext4',
  'xfs',
  'btrfs',
  'zfs',
  'f2fs',
  'overlay',
  'bcachefs',
  'virtiofs',
  '9p',
]);
const KERNEL_DIRECTORIES = ['/proc', '/sys', '/dev', '/run'];
const MAX_CARRIED = 16;

/** Mount points (besides `/`) of file systems with files, outermost first; from the text of /proc/self/mountinfo. */
export function carriedMounts(mountInfo: string): string[] {
  const found = new Set<string>();
  for (const line of mountInfo.split('\n')) {
    const fields = line.split(' ');
    const separator = fields.indexOf('-');
    const path = unescapePath(fields[4] ?? '');
    const type = fields[separator + 1] ?? '';
    if (separator < 0 || path === '/' || !FILE_SYSTEMS.has(type)) continue;
    if (KERNEL_DIRECTORIES.some((directory) => isWithin(path, directory))) continue;
    found.add(path);
  }
  return [...found].toSorted((a, b) => a.length - b.length).slice(0, MAX_CARRIED);
}

/** The kernel writes blanks and backslashes of paths as octal escapes. */
function unescapePath(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_whole, digits: string) => String.fromCodePoint(Number.parseInt(digits, 8)));
}

export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
}
