/** Owns the report for people: one line where all is well, and finding, evidence and next step where it is not. */
import type { Terminal } from '../cli/terminal.ts';
import type { CheckReport } from './examine.ts';
import type { Finding, Level } from './finding.ts';

const WORDS: Readonly<Record<Level, string>> = { ok: 'ok', warning: 'warning', problem: 'PROBLEM' };
const STYLES = { ok: 'green', warning: 'yellow', problem: 'red' } as const;
const WIDTH = 8;

export function renderReport(reports: readonly CheckReport[], style: Terminal['style']): readonly string[] {
  return reports.flatMap(({ title, findings }) => {
    const head = style('bold', title);
    if (findings.length === 0) return [head, `  ${'-'.padEnd(WIDTH)} nothing to look at`];
    return [head, ...findings.flatMap((finding) => renderFinding(finding, style))];
  });
}

function renderFinding({ level, subject, finding, evidence, next }: Finding, style: Terminal['style']): string[] {
  const indent = ' '.repeat(WIDTH + 3);
  return [
    `  ${style(STYLES[level], WORDS[level].padEnd(WIDTH))} ${subject}: ${finding}`,
    ...evidence.flatMap((text) => text.split('\n')).map((line) => `${indent}${style('dim', line)}`),
    ...(next === undefined ? [] : [`${indent}next: ${next}`]),
  ];
}

export function summarise(reports: readonly CheckReport[]): string {
  const findings = reports.flatMap(({ findings: own }) => own);
  const count = (level: Level): number => findings.filter((finding) => finding.level === level).length;
  const [problems, warnings] = [count('problem'), count('warning')];
  if (problems + warnings === 0) return 'Nothing is wrong.';
  const plural = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;
  return `${plural(problems, 'problem')}, ${plural(warnings, 'warning')}. Begin with the first: later ones often follow from it.`;
}
