/** Owns the end of a command that worked but found things not as wished (a diff, an unhealthy platform). */
export class ExitCode extends Error {
  override readonly name = 'ExitCode';
  readonly code: number;
  constructor(code: number) {
    super(`exit code ${code}`);
    this.code = code;
  }
}
