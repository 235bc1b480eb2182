/** Owns where in which template file something stands, and the errors that say so. */
import { AppError } from '@kfctl/core';
import { IDENTITY_ERRORS } from '../../errors.ts';

export interface Source {
  /** The file's name, by which other templates call it too. */
  readonly name: string;
  readonly text: string;
}

export interface Position {
  readonly source: Source;
  readonly offset: number;
}

/** `login.html:3:14: what is wrong`, as Go's compiler and editors write it. */
export function templateError({ source, offset }: Position, problem: string): AppError {
  const before = source.text.slice(0, offset);
  const line = before.split('\n').length;
  const column = offset - (before.lastIndexOf('\n') + 1) + 1;
  return new AppError(IDENTITY_ERRORS.template, `${source.name}:${line}:${column}: ${problem}`);
}
