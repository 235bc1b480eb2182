/** Owns the last words of containers that crash: one line of their log, asked for once for each end. */
import type { KubeClient } from '@kfctl/kube';
import type { EndedContainer, LastWords } from './pod-trouble.ts';

const MAX_LENGTH = 300;

export interface LastWordsReader {
  readonly of: LastWords;
  /** Reads what is not known yet; true when something was learnt. */
  read(ended: readonly EndedContainer[]): Promise<boolean>;
}

export function createLastWords(client: Pick<KubeClient, 'logs'>): LastWordsReader {
  const known = new Map<string, string | undefined>();
  return {
    of: (ended) => known.get(keyOf(ended)),
    read: async (ended) => {
      const fresh = ended.filter((one) => !known.has(keyOf(one)));
      for (const one of fresh) known.set(keyOf(one), undefined);
      const found = await Promise.all(fresh.map((one) => lastLine(client, one)));
      for (const [index, one] of fresh.entries()) known.set(keyOf(one), found[index]);
      return found.some((line) => line !== undefined);
    },
  };
}

function keyOf({ pod, container, restartCount }: Parameters<LastWords>[0]): string {
  return `${pod.metadata.uid ?? ''}/${container}/${restartCount}`;
}

async function lastLine(
  client: Pick<KubeClient, 'logs'>,
  { pod, container, previous }: EndedContainer,
): Promise<string | undefined> {
  const { name = '', namespace } = pod.metadata;
  const options = { container, previous, tailLines: 1, signal: AbortSignal.timeout(5000) };
  let text = '';
  try {
    for await (const chunk of client.logs(name, { ...options, ...(namespace === undefined ? {} : { namespace }) })) {
      text = (text + chunk.toString('utf8')).slice(-64 * 1024);
    }
  } catch {
    // A log that cannot be read is one reason less; the exit code is told anyway.
    return undefined;
  }
  const line = text.trimEnd().split('\n').at(-1) ?? '';
  return line === '' ? undefined : readable(line);
}

/** Our programs log JSON: its message and error are for people. Control characters must not reach the terminal. */
function readable(line: string): string {
  const told = messageOf(line) ?? line;
  const plain = told.replaceAll(/\p{Cc}+/gu, ' ').trim();
  return plain.length > MAX_LENGTH ? `${plain.slice(0, MAX_LENGTH - 1)}…` : plain;
}

function messageOf(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const { msg, error } = JSON.parse(line) as Record<string, unknown>;
    const parts = [msg, error].filter((part) => typeof part === 'string');
    return parts.length === 0 ? undefined : parts.join(': ');
  } catch {
    return undefined;
  }
}
