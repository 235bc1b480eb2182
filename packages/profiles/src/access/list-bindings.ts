/** Owns the list of bindings and who may see which: one's own, those of one's own workspaces, and all for a cluster admin. */
import type { Informer, RoleBinding } from '@kfctl/kube';
import { ownerOf } from '../profile/profile.ts';
import type { Profile } from '../profile/profile.ts';
import { bindingsOf } from './binding.ts';
import type { Binding } from './binding.ts';
import type { Caller } from './identify-caller.ts';

const SEEN_WAIT_MS = 2_000;

export interface BindingSources {
  readonly profiles: Pick<Informer<Profile>, 'get'>;
  readonly roleBindings: Pick<Informer<RoleBinding>, 'list' | 'onChange'>;
}

export interface BindingFilter {
  readonly user?: string | undefined;
  readonly namespace?: string | undefined;
  readonly role?: string | undefined;
}

/** The bindings in workspaces that fit the filter and that the caller may see; nothing tells what was left out. */
export function listBindings(sources: BindingSources, caller: Caller, filter: BindingFilter): readonly Binding[] {
  const isOwner = (namespace: string): boolean => {
    const profile = sources.profiles.get(namespace);
    return profile !== undefined && ownerOf(profile) === caller.user;
  };
  return sources.roleBindings
    .list(filter.namespace)
    .flatMap(bindingsOf)
    .filter((binding) => fits(binding, filter))
    .filter(({ namespace }) => sources.profiles.get(namespace) !== undefined)
    .filter(({ user, namespace }) => caller.isClusterAdmin || user === caller.user || isOwner(namespace));
}

/** Resolves once lists show the change, or after two seconds: clients list right after they change. */
export function untilSeen(sources: BindingSources, binding: Binding, present: boolean): Promise<void> {
  const isSeen = (): boolean =>
    sources.roleBindings
      .list(binding.namespace)
      .flatMap(bindingsOf)
      .some((seen) => fits(seen, binding)) === present;
  return new Promise((resolve) => {
    if (isSeen()) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      unsubscribe();
      resolve();
    };
    const timer = setTimeout(done, SEEN_WAIT_MS);
    const unsubscribe = sources.roleBindings.onChange(() => {
      if (isSeen()) done();
    });
  });
}

function fits(binding: Binding, { user, namespace, role }: BindingFilter): boolean {
  return (
    (user === undefined || binding.user === user) &&
    (namespace === undefined || binding.namespace === namespace) &&
    (role === undefined || binding.role === role)
  );
}
