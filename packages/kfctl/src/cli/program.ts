/** Owns the command line: names, arguments, options, help. What a command does is loaded when it runs. */
import { Argument, Command, CommanderError, Option } from 'commander';
import { SCOPES } from '../app/scope.ts';
import type { ApplyFlags } from '../commands/apply.ts';
import type { DeleteFlags } from '../commands/delete.ts';
import type { DoctorFlags } from '../commands/doctor.ts';
import type { ClusterOptions, Invocation } from '../commands/invocation.ts';
import type { StatusFlags } from '../commands/status.ts';
import { addIdentityCommands } from './identity-commands.ts';
import { renderCompletion, SHELLS } from './completion.ts';
import { DOCTOR_HELP } from './doctor-help.ts';
import { VERSION } from '../version.ts';

/** Gives the invocation of a command: `verbose` is its `-V`. */
export type Invoke = (verbose: boolean) => Invocation;

interface Flags {
  readonly verbose?: boolean;
}

const SEQUENCE = `
To install on a cluster (the one that kubectl talks to):
  export KUBEFLOW_USER_EMAIL=admin@kubeflow.org KUBEFLOW_PASSWORD=...
  kfctl init my-kubeflow --config=existing_arrikto
  cd my-kubeflow
  kfctl generate all
  kfctl apply all

To try it on this machine, without a cluster:
  kfctl up`;

/** Builds the program. Errors and help are thrown as CommanderError after they were printed. */
export function createProgram(invoke: Invoke): Command {
  const program = new Command('kfctl')
    .description('Multi-user, auth-enabled Kubeflow on any Kubernetes cluster.')
    .helpCommand(true)
    .addHelpText('after', SEQUENCE)
    .exitOverride()
    .showSuggestionAfterError();
  addAppCommands(program, invoke);
  addClusterCommands(program, invoke);
  addLocalCommands(program, invoke);
  addIdentityCommands(program, invoke);
  addOtherCommands(program, invoke);
  return program;
}

export function isCommanderError(error: unknown): error is CommanderError {
  return error instanceof CommanderError;
}

function addAppCommands(program: Command, invoke: Invoke): void {
  base(program, 'init', 'Make an application directory from a configuration.')
    .argument('<name>', 'name of the directory and of the deployment: a DNS label of at most 25 characters')
    .option('--config <file|url|preset>', 'KfDef to start from (default: existing_arrikto)')
    .addHelpText(
      'after',
      '\nReads KUBEFLOW_USER_EMAIL. Example:\n  kfctl init my-kubeflow --config=existing_arrikto -V',
    )
    .action(async (name: string, flags: Flags & { config?: string }) => {
      const { runInit } = await import('../commands/init.ts');
      await runInit(invoke(flags.verbose === true), name, flags);
    });
  scoped(program, 'generate', 'Write kustomize/<application>/ from app.yaml; your own edits are kept.').action(
    async (scope: string | undefined, flags: Flags) => {
      const { runGenerate } = await import('../commands/generate.ts');
      await runGenerate(invoke(flags.verbose === true), scope);
    },
  );
}

function addClusterCommands(program: Command, invoke: Invoke): void {
  cluster(scoped(program, 'apply', 'Create or update everything in the cluster and wait until it is ready.'))
    .option('--dry-run', 'ask the server what would change, and change nothing')
    .option('--no-wait', 'do not wait until everything is ready')
    .option('--force-conflicts', 'take over fields that others changed, instead of keeping their values')
    .option('--timeout <duration>', 'how long it may take at most', '5m')
    .addOption(new Option('-o, --output <format>', 'print the result as').choices(['text', 'json']))
    .addHelpText('after', '\nReads KUBEFLOW_PASSWORD; without it a password is generated and shown once.')
    .action(async (scope: string | undefined, flags: Flags & ApplyFlags) => {
      const { runApply } = await import('../commands/apply.ts');
      await runApply(invoke(flags.verbose === true), { ...flags, scope });
    });
  cluster(base(program, 'rotate', 'Make credentials anew and put them in force.'))
    .argument('<credential...>', 'certificate, client-secret, session-key or password')
    .option('--no-wait', 'do not wait until everything is ready')
    .option('--timeout <duration>', 'how long it may take at most', '5m')
    .action(async (names: string[], flags: Flags & ApplyFlags) => {
      const { runRotate } = await import('../commands/rotate.ts');
      await runRotate(invoke(flags.verbose === true), names, flags);
    });
  cluster(scoped(program, 'delete', 'Delete what apply made, and only that.'))
    .option('--dry-run', 'say what would be deleted')
    .option('--timeout <duration>', 'how long it may take at most', '5m')
    .action(async (scope: string | undefined, flags: Flags & DeleteFlags) => {
      const { runDelete } = await import('../commands/delete.ts');
      await runDelete(invoke(flags.verbose === true), scope, flags);
    });
  cluster(scoped(program, 'diff', 'Show what apply would change. Exit code 1 when something would.')).action(
    async (scope: string | undefined, flags: Flags & ClusterOptions) => {
      const { runDiff } = await import('../commands/diff.ts');
      await runDiff(invoke(flags.verbose === true), scope, flags);
    },
  );
}

function addLocalCommands(program: Command, invoke: Invoke): void {
  local(base(program, 'up', 'Start a local cluster with the platform on it, in the foreground.'))
    .addHelpText(
      'after',
      '\nReads KUBEFLOW_USER_EMAIL (default: admin@kubeflow.org) and KUBEFLOW_PASSWORD (default: generated, shown once; given later, it\nreplaces the old one). Everything binds to loopback addresses only. Ctrl-C or kfctl down stops it and keeps everything.\nThe local cluster is for trying and developing, never for production.',
    )
    .action(async (flags: Flags & { dataDir?: string }) => {
      const { runUp } = await import('../commands/up.ts');
      await runUp(invoke(flags.verbose === true), flags);
    });
  local(base(program, 'down', 'Stop the local cluster; its data stays.'))
    .option('--purge', 'remove its data too')
    .action(async (flags: Flags & { dataDir?: string; purge?: boolean }) => {
      const { runDown } = await import('../commands/down.ts');
      await runDown(invoke(flags.verbose === true), flags);
    });
  local(cluster(base(program, 'status', 'Tell the health of the platform, its address and its first user.')))
    .addOption(new Option('-o, --output <format>', 'print the result as').choices(['text', 'json']))
    .addHelpText(
      'after',
      '\nIn an application directory, or with --kubeconfig or --context, it asks that cluster; else the local one; where none runs, that\nof KUBECONFIG. Exit code 1 when something is not ready.',
    )
    .action(async (flags: Flags & StatusFlags) => {
      const { runStatus } = await import('../commands/status.ts');
      await runStatus(invoke(flags.verbose === true), flags);
    });
  local(cluster(base(program, 'doctor', 'Find out why something does not work, and say what to do next.')))
    .addOption(new Option('-o, --output <format>', 'print the result as').choices(['text', 'json']))
    .addHelpText('after', DOCTOR_HELP)
    .action(async (flags: Flags & DoctorFlags) => {
      const { runDoctor } = await import('../commands/doctor.ts');
      await runDoctor(invoke(flags.verbose === true), flags);
    });
}

function addOtherCommands(program: Command, invoke: Invoke): void {
  scoped(program, 'show', 'Print the manifests that apply sends, as YAML.').action(
    async (scope: string | undefined, flags: Flags) => {
      const { runShow } = await import('../commands/show.ts');
      await runShow(invoke(flags.verbose === true), scope);
    },
  );
  base(program, 'kustomize', 'Build a kustomize directory and print its objects as YAML: see kfctl kustomize --help.')
    .argument('[arguments...]', 'those of kubectl kustomize')
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (argv: string[], flags: Flags) => {
      const { runKustomizeCommand } = await import('../commands/kustomize.ts');
      await runKustomizeCommand(invoke(flags.verbose === true), argv);
    });
  base(program, 'vendor', 'Fetch and pin remote resources, so that everything builds offline.')
    .argument('[directory]', 'an application directory or any folder with a kustomization.yaml (default: this one)')
    .action(async (directory: string | undefined, flags: Flags) => {
      const { runVendor } = await import('../commands/vendor.ts');
      await runVendor(invoke(flags.verbose === true), directory);
    });
  base(program, 'version', 'Print the version.').action((flags: Flags) => {
    invoke(flags.verbose === true).terminal.result(`kfctl v${VERSION}`);
  });
  base(program, 'completion', 'Print the completion script of a shell.')
    .addArgument(new Argument('[shell]', 'the shell').choices(SHELLS).default('bash'))
    .action((shell: string, flags: Flags) => {
      invoke(flags.verbose === true).terminal.result(renderCompletion(program, shell));
    });
}

function base(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('-V, --verbose', 'say more of what is done')
    .allowExcessArguments(false);
}

function scoped(program: Command, name: string, description: string): Command {
  const help = 'all; k8s: the applications; platform: gateway, login and what they need';
  return base(program, name, description).addArgument(
    new Argument('[all|k8s|platform]', help).choices(SCOPES).default('all'),
  );
}

function cluster(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'kubeconfig file to use (default: KUBECONFIG, then ~/.kube/config)')
    .option('--context <name>', 'context of the kubeconfig to use');
}

function local(command: Command): Command {
  return command.option(
    '--data-dir <folder>',
    'folder of the local cluster (default: KFCTL_HOME, then ~/.local/share/kfctl)',
  );
}
