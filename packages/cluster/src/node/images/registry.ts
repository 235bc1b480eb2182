/** Owns the one table that says which program of this machine stands for which image. */
import { installCommand } from './find-program.ts';
import { createHostProgram, createKnownAbsence, createShellProgram } from './host-program.ts';
import { isRepository, parseImageName } from './image-name.ts';
import { createNginxProgram } from './nginx-program.ts';
import { createOpenldapProgram } from './openldap/openldap-program.ts';
import { createPlatformProgram } from './platform-program.ts';
import type { PlatformOptions } from './platform-program.ts';
import type { LocalProgram } from './program.ts';

export type ImageRegistry = Readonly<Record<string, LocalProgram>>;

const SHELLS = ['busybox', 'alpine', 'debian', 'ubuntu', 'bash', 'curlimages/curl', 'python', 'node'];

/** Repository name to program; a repository matches below any registry and prefix. */
export function createImageRegistry(platform: PlatformOptions): ImageRegistry {
  const shell = createShellProgram();
  return {
    'kfctl/platform': createPlatformProgram(platform),
    nginx: createNginxProgram(),
    'osixia/openldap': createOpenldapProgram(platform.node),
    'osixia/phpldapadmin': createKnownAbsence(
      'phpLDAPadmin does not run on the local cluster. To look into the directory: ' +
        'kubectl exec -it -n kubeflow ldap-0 -- ldapsearch -x -D cn=admin,dc=example,dc=com -W -b dc=example,dc=com ' +
        '(pod, bind DN and base DN of the LDAP tutorial; put yours there), or any LDAP browser after ' +
        'kubectl port-forward -n kubeflow ldap-0 3890:389',
    ),
    ...Object.fromEntries(SHELLS.map((name) => [name, shell])),
  };
}

const JUPYTER = createHostProgram({
  description: 'JupyterLab',
  programs: ['jupyter'],
  args: ['lab', '--no-browser'],
  install: `${installCommand({ apt: 'jupyter-notebook', brew: 'jupyterlab' })}, or pipx install jupyterlab`,
});

export type ImageAnswer =
  | { readonly kind: 'found'; readonly program: LocalProgram }
  | { readonly kind: 'invalid'; readonly message: string }
  | { readonly kind: 'absent'; readonly message: string };

/** What runs an image here, or the sentence that says why nothing does. */
export function resolveImage(registry: ImageRegistry, text: string): ImageAnswer {
  const image = parseImageName(text);
  if (image === undefined)
    return {
      kind: 'invalid',
      message: `Failed to apply default image tag "${text}": couldn't parse image name: invalid reference format`,
    };
  const known = Object.entries(registry).find(([name]) => isRepository(image, name))?.[1];
  const program = known ?? (/(^|[/-])jupyter/.test(image.repository) ? JUPYTER : undefined);
  if (program === undefined) {
    const names = Object.keys(registry)
      .filter((name) => registry[name]?.isAbsent !== true)
      .join(', ');
    const hint = `The local cluster runs no container images; it knows these, as programs of this machine: ${names}, jupyter*`;
    return { kind: 'absent', message: `no local program stands for image "${text}". ${hint}` };
  }
  const missing = program.missing();
  return missing === undefined
    ? { kind: 'found', program }
    : { kind: 'absent', message: `image "${text}": ${missing}` };
}
