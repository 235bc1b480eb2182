/** What `--help` says. */

export function renderHelp(program: string): string {
  return `Builds a kustomization directory and prints its objects as YAML, byte for byte as kubectl kustomize does.

Usage:
  ${program} [DIR] [flags]         build a directory (default: the current one)
  ${program} vendor [DIR] [flags]  fetch the remote resources of a directory into DIR/vendor, so that it builds offline

Flags:
  -o, --output PATH          write to a file, or one file for each object into a directory that is there
      --load-restrictor R    LoadRestrictionsRootOnly (default) or LoadRestrictionsNone: files may lie outside their kustomization
      --vendor FOLDER        folder of the vendored remote resources (default: DIR/vendor)
      --version              print the version
  -h, --help                 print this

kubectl's flags for functions (--as-current-user, --env, --mount, --network, --network-name) are accepted and have no effect:
functions are refused. --enable-helm and --enable-alpha-plugins are refused.
`;
}
