/**
 * Owns finding memory that a process does not need to keep: pages of programs and libraries that were read at the start and are the
 * same as their files. Given back, they cost a page fault when they are needed again, and no I/O while the file is cached. No I/O.
 */

export interface MemoryRange {
  readonly from: bigint;
  readonly length: number;
}

const MAPPING = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ (\d+)/;
/** Smaller ones are not worth a call into the kernel. */
const MIN_RESIDENT_KB = 128;

/** The ranges of `/proc/self/smaps` that are files' own bytes: of a file, not writable, and no page of it was ever written. */
export function spareRanges(smaps: string): readonly MemoryRange[] {
  const found: MemoryRange[] = [];
  let open: MemoryRange | undefined;
  let residentKb = 0;
  for (const line of smaps.split('\n')) {
    const mapping = MAPPING.exec(line);
    if (mapping !== null) {
      const [, from = '0', to = '0', rights = '', inode = '0'] = mapping;
      const start = BigInt(`0x${from}`);
      const isFile = inode !== '0' && rights.startsWith('r') && rights[1] === '-' && rights[3] === 'p';
      open = isFile ? { from: start, length: Number(BigInt(`0x${to}`) - start) } : undefined;
    } else if (line.startsWith('Rss:')) residentKb = Number.parseInt(line.slice(4), 10);
    else if (open !== undefined && /^Anonymous: +0 kB/.test(line) && residentKb >= MIN_RESIDENT_KB) found.push(open);
  }
  return found;
}
