/** Owns the part of the command line about people and how they log in: `dex`, `ldap`, `users`. */
import { Option } from 'commander';
import type { Command } from 'commander';
import type { CheckFlags } from '../commands/check-identity.ts';
import type { ConnectorFlags } from '../commands/dex-connectors.ts';
import type { UserFlags } from '../commands/users.ts';
import type { Invoke } from './program.ts';

const CHECK_HELP = `
With --user the password is asked for on the terminal, or read from IDENTITY_PASSWORD; it is never an argument.
Nothing is served and nothing is changed. Exit code 1 when something is wrong.`;

const USERS_HELP = `
Users live in the ConfigMap kubeflow/dex under staticPasswords; comments there are kept. Dex reloads by itself.
Examples:
  kfctl users list
  kfctl users add ada@example.org --groups ml,admins
  read -rs P; printf %s "$P" | kfctl users add ada@example.org --password-stdin
  kfctl users remove ada@example.org`;

const CONNECTORS_HELP = `
Connectors of the file are changed there: kubectl -n kubeflow edit configmap dex
Those of the API are changed by it, or removed: kubectl -n kubeflow delete connectors.dex.coreos.com NAME
Whether they work: kfctl ldap check`;

interface Flags {
  readonly verbose?: boolean;
}

export function addIdentityCommands(program: Command, invoke: Invoke): void {
  const dex = group(program, 'dex', 'Look at the configuration of the login.');
  check(leaf(dex, 'check', 'Read a configuration file of dex, try its connectors, say what is wrong.'))
    .argument('<file>', 'configuration file of dex')
    .addHelpText('after', `${CHECK_HELP}\nExample: kfctl dex check config.yaml --user ada`)
    .action(async (file: string, flags: Flags & CheckFlags) => {
      const { runDexCheck } = await import('../commands/check-identity.ts');
      await runDexCheck(invoke(flags.verbose === true), file, flags);
    });
  const connectors = group(dex, 'connectors', 'Look at the ways to log in.');
  cluster(
    leaf(
      connectors,
      'list',
      'List the connectors of the configuration and of the management API; no settings are shown.',
    ),
  )
    .addOption(new Option('-o, --output <format>', 'print the result as').choices(['text', 'json']))
    .addHelpText('after', CONNECTORS_HELP)
    .action(async (flags: Flags & ConnectorFlags) => {
      const { runConnectorsList } = await import('../commands/dex-connectors.ts');
      await runConnectorsList(invoke(flags.verbose === true), flags);
    });
  const ldap = group(program, 'ldap', 'Look at the directory that people log in with.');
  cluster(
    check(leaf(ldap, 'check', 'Try the connectors of the cluster, or of a file, from this machine or the pod of dex.')),
  )
    .argument('[file]', 'configuration file of dex (default: the ConfigMap kubeflow/dex of the cluster)')
    .addHelpText('after', `${CHECK_HELP}\nExample: kfctl ldap check --user ada`)
    .action(async (file: string | undefined, flags: Flags & CheckFlags) => {
      const { runLdapCheck } = await import('../commands/check-identity.ts');
      await runLdapCheck(invoke(flags.verbose === true), file, flags);
    });
  addUserCommands(program, invoke);
}

function addUserCommands(program: Command, invoke: Invoke): void {
  const users = group(program, 'users', 'List, add and remove the people who log in with a password of dex.');
  users.addHelpText('after', USERS_HELP);
  cluster(leaf(users, 'list', 'List the users; no hash is shown.'))
    .addOption(new Option('-o, --output <format>', 'print the result as').choices(['text', 'json']))
    .action(async (flags: Flags & UserFlags) => {
      const { runUsersList } = await import('../commands/users.ts');
      await runUsersList(invoke(flags.verbose === true), flags);
    });
  cluster(leaf(users, 'add', 'Add a user; without --password-stdin a password is generated and shown once.'))
    .argument('<email>', 'who it is')
    .option('--password-stdin', 'read the password from the standard input')
    .option('--groups <list>', 'groups of the user, with commas between')
    .action(async (email: string, flags: Flags & UserFlags) => {
      const { runUsersAdd } = await import('../commands/users.ts');
      await runUsersAdd(invoke(flags.verbose === true), email, flags);
    });
  cluster(leaf(users, 'remove', 'Remove a user.'))
    .argument('<email>', 'who it is')
    .action(async (email: string, flags: Flags & UserFlags) => {
      const { runUsersRemove } = await import('../commands/users.ts');
      await runUsersRemove(invoke(flags.verbose === true), email, flags);
    });
}

function group(program: Command, name: string, description: string): Command {
  const command = program.command(name).description(description).copyInheritedSettings(program);
  return command;
}

function leaf(parent: Command, name: string, description: string): Command {
  const command = parent.command(name).description(description);
  return command.option('-V, --verbose', 'say more of what is done').allowExcessArguments(false);
}

function check(command: Command): Command {
  return command.option('--user <name>', 'try the login of this user too');
}

function cluster(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'kubeconfig file to use (default: KUBECONFIG, then ~/.kube/config)')
    .option('--context <name>', 'context of the kubeconfig to use');
}
