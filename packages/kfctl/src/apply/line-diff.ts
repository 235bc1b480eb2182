/** Owns the difference of two texts, line by line, as people read it. */

interface Edit {
  readonly sign: ' ' | '-' | '+';
  readonly line: string;
}

const CONTEXT = 3;
// The table of a longest-common-subsequence is quadratic: texts beyond this are shown as replaced.
const MAX_CELLS = 4_000_000;

/** Changed lines with three lines around them; empty when the texts are equal. */
export function renderLineDiff(before: string, after: string): string[] {
  if (before === after) return [];
  const edits = diffLines(before.split('\n'), after.split('\n'));
  const near = edits.map((_, index) =>
    edits.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(({ sign }) => sign !== ' '),
  );
  const lines: string[] = [];
  for (const [index, { sign, line }] of edits.entries()) {
    if (near[index] === true) lines.push(`${sign} ${line}`);
    else if (near[index - 1] === true) lines.push('  …');
  }
  return lines;
}

function diffLines(before: readonly string[], after: readonly string[]): Edit[] {
  if (before.length * after.length > MAX_CELLS) {
    return [...before.map((line): Edit => ({ sign: '-', line })), ...after.map((line): Edit => ({ sign: '+', line }))];
  }
  const lengths = commonLengths(before, after);
  const width = after.length + 1;
  const edits: Edit[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [left, right] = [before[i], after[j]];
    if (left !== undefined && left === right) {
      edits.push({ sign: ' ', line: left });
      i += 1;
      j += 1;
    } else if (
      right === undefined ||
      (left !== undefined && (lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0))
    ) {
      edits.push({ sign: '-', line: left ?? '' });
      i += 1;
    } else {
      edits.push({ sign: '+', line: right });
      j += 1;
    }
  }
  return edits;
}

/** At [i][j]: the length of the longest common subsequence of what follows i and j. */
function commonLengths(before: readonly string[], after: readonly string[]): Uint32Array {
  const width = after.length + 1;
  const lengths = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] =
        before[i] === after[j]
          ? (lengths[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(lengths[(i + 1) * width + j] ?? 0, lengths[i * width + j + 1] ?? 0);
    }
  }
  return lengths;
}
