/** Owns the running of a tool that reads its input from a pipe: what it is given must stand neither in arguments nor in files. */
import { spawn } from 'node:child_process';
import { AppError } from '@kfctl/core';

const MAX_OUTPUT = 4_096;

/** Resolves when the tool ended well; rejects with what it said. */
export function runWithInput([file = '', ...args]: readonly string[], input: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['pipe', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-MAX_OUTPUT)));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new AppError('START_FAILED', `${file} ended with ${code}: ${said.trim()}`));
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
