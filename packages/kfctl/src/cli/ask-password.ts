/** Owns how a password comes in: typed unseen on a terminal, or piped. Never by argument. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { Secret } from '@kfctl/core';
import { kfctlError } from '../errors.ts';
import type { Terminal } from './terminal.ts';

export type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };

// More than any password that bcrypt reads, with room for a line end.
const MAX_INPUT_BYTES = 4096;

/** Reads a password without showing it; undefined when nobody sits at a terminal. */
export async function askPassword(
  input: Input | undefined,
  { terminal, prompt, signal }: { terminal: Terminal; prompt: string; signal: AbortSignal },
): Promise<Secret | undefined> {
  if (input?.isTTY !== true) return undefined;
  terminal.note(prompt);
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input, output: unseen, terminal: true });
  try {
    return new Secret(await reader.question('', { signal }));
  } finally {
    reader.close();
  }
}

/** Reads a piped password up to its line end; throws `PASSWORD_INVALID` when there is none. */
export async function readPipedPassword(input: Input | undefined): Promise<Secret> {
  let text = '';
  for await (const chunk of input ?? []) {
    text += String(chunk);
    if (text.length > MAX_INPUT_BYTES) break;
  }
  const password = text.replace(/\r?\n$/, '');
  if (password !== '' && Buffer.byteLength(password) <= 72 && !/[\0\r\n]/.test(password)) return new Secret(password);
  throw kfctlError('PASSWORD_INVALID', 'the standard input holds no usable password', {
    hint: 'Pipe one line of 1 to 72 bytes, for example: read -rs P; printf %s "$P" | kfctl users add EMAIL --password-stdin',
  });
}
