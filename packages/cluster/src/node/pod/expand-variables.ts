/** Owns Kubernetes' `$(NAME)` syntax of commands, arguments and environment values. */

/** Replaces `$(NAME)` by its value; `$$` is a plain `$`; a reference to an unknown name stays as it is. */
export function expandVariables(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$(\$|\(([^()]*)\))/g, (whole, _inner: string, name: string | undefined) => {
    if (name === undefined) return '$';
    return values.get(name) ?? whole;
  });
}
