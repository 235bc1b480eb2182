/** Owns one action at a time of a form: busy, the problem it ended with, or what follows success. */
import { useState } from 'react';

export interface Action {
  readonly busy: boolean;
  readonly problem: string;
  readonly run: (action: Promise<unknown>, onSuccess: () => void) => void;
  readonly setProblem: (problem: string) => void;
}

export function useAction(): Action {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const run = (action: Promise<unknown>, onSuccess: () => void): void => {
    setBusy(true);
    setProblem('');
    action
      .then(onSuccess, (error: unknown) =>
        setProblem(error instanceof Error ? error.message : 'That did not work. Try again.'),
      )
      .finally(() => setBusy(false));
  };
  return { busy, problem, run, setProblem };
}
