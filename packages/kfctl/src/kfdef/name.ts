/** Owns the rules for the name of a deployment, which is the name of its directory. */
import { MAX_NAME_LENGTH } from './kfdef.ts';

/** What is wrong with a deployment name, or undefined. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'a name is required';
  if (/[/\\]/.test(name)) return `${JSON.stringify(name)} is a path; give the name of the directory alone`;
  if (name.length > MAX_NAME_LENGTH)
    return `"${name}" has ${name.length} characters; at most ${MAX_NAME_LENGTH} are possible`;
  if (/[A-Z]/.test(name)) return `"${name}" has upper-case letters; use lower case`;
  // RFC 1035 label, as Kubernetes asks of names.
  if (!/^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(name)) {
    return `${JSON.stringify(name)} is no DNS label: lower-case letters, digits and "-", beginning with a letter and not ending with "-"`;
  }
  return undefined;
}
