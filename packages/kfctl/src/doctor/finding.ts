/** Owns the form of what the doctor says: what is so, what shows it, what to do next. */

export type Level = 'ok' | 'warning' | 'problem';

export interface Finding {
  readonly level: Level;
  /** What it is about: `Service istio-system/istio-ingressgateway`. */
  readonly subject: string;
  readonly finding: string;
  readonly evidence: readonly string[];
  /** A command to paste, or what to do. */
  readonly next?: string;
}

export function ok(subject: string, finding: string): Finding {
  return { level: 'ok', subject, finding, evidence: [] };
}
