/** Owns the command `kfctl kustomize`: what `kubectl kustomize` prints. bin/kfctl takes a quicker way to the same code. */
import { ExitCode } from '../cli/exit-code.ts';
import type { Invocation } from './invocation.ts';

/** Builds a directory; the arguments are those of `kubectl kustomize`. */
export async function runKustomizeCommand({ terminal, directory }: Invocation, argv: readonly string[]): Promise<void> {
  const { runKustomize } = await import('@kfctl/kustomize');
  const code = await runKustomize({
    argv,
    directory,
    program: 'kfctl kustomize',
    // The terminal ends every text with a line feed, and so do all of these texts.
    stdout: (text) => terminal.result(withoutLineFeed(text)),
    stderr: (text) => terminal.note(withoutLineFeed(text)),
  });
  if (code !== 0) throw new ExitCode(code);
}

function withoutLineFeed(text: string): string {
  return text.endsWith('\n') ? text.slice(0, -1) : text;
}
