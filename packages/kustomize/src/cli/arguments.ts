/** The command line of `kustomize-js` and `kfctl kustomize`, which takes the flags of `kubectl kustomize`; each is obeyed, without effect here, or refused. */

import type { LoadRestrictor } from '../files/loader.ts';

export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | BuildCommand
  | { readonly kind: 'vendor'; readonly directory: string; readonly vendor: string | undefined }
  | Mistake;

export interface BuildCommand {
  readonly kind: 'build';
  readonly directory: string;
  readonly loadRestrictor: LoadRestrictor;
  /** A file, or a directory that is there. */
  readonly output: string | undefined;
  /** Where vendored remotes are, when it is not `vendor` in the directory. */
  readonly vendor: string | undefined;
}

export interface Mistake {
  readonly kind: 'mistake';
  readonly message: string;
  readonly hint: string;
}

type FlagUse =
  | 'help'
  | 'version'
  | 'output'
  | 'vendor'
  | 'load-restrictor'
  | 'no effect'
  | 'helm'
  | 'plugins'
  | 'reorder';

interface Flag {
  readonly use: FlagUse;
  readonly takesValue: boolean;
}

const valued = (use: FlagUse): Flag => ({ use, takesValue: true });
const toggled = (use: FlagUse): Flag => ({ use, takesValue: false });

/** What configures functions (programs and containers) has no effect: they are refused wherever they are used. */
const flags: ReadonlyMap<string, Flag> = new Map([
  ['--help', toggled('help')],
  ['-h', toggled('help')],
  ['--version', toggled('version')],
  ['--output', valued('output')],
  ['-o', valued('output')],
  ['--vendor', valued('vendor')],
  ['--load-restrictor', valued('load-restrictor')],
  ['--verbose', toggled('no effect')],
  ['-V', toggled('no effect')],
  ['--as-current-user', toggled('no effect')],
  ['--env', valued('no effect')],
  ['-e', valued('no effect')],
  ['--mount', valued('no effect')],
  ['--network', toggled('no effect')],
  ['--network-name', valued('no effect')],
  ['--enable-helm', toggled('helm')],
  ['--helm-api-versions', valued('helm')],
  ['--helm-command', valued('helm')],
  ['--helm-debug', toggled('helm')],
  ['--helm-kube-version', valued('helm')],
  ['--enable-alpha-plugins', toggled('plugins')],
  ['--reorder', valued('reorder')],
]);

const restrictors: ReadonlyMap<string, LoadRestrictor> = new Map([
  ['LoadRestrictionsRootOnly', 'rootOnly'],
  ['LoadRestrictionsNone', 'none'],
]);

interface Parsed {
  readonly values: Map<FlagUse, string>;
  readonly words: string[];
}

/** Reads the arguments after the program's name. */
export function parseArguments(argv: readonly string[]): Command {
  const parsed = readFlags(argv);
  if ('kind' in parsed) return parsed;
  const { values, words } = parsed;
  if (values.has('help')) return { kind: 'help' };
  if (values.has('version')) return { kind: 'version' };
  const restrictor = values.get('load-restrictor') ?? 'LoadRestrictionsRootOnly';
  const loadRestrictor = restrictors.get(restrictor);
  if (loadRestrictor === undefined) {
    const legal = [...restrictors.keys()].join(' or ');
    return { kind: 'mistake', message: `--load-restrictor cannot be '${restrictor}'`, hint: `write ${legal}` };
  }
  const vendor = values.get('vendor');
  const isVendor = words[0] === 'vendor' && words.length <= 2;
  const [directory = '.', ...rest] = isVendor ? words.slice(1) : words;
  if (rest.length > 0 || directory === '')
    return { kind: 'mistake', message: 'one directory can be built at a time', hint: 'name one directory' };
  if (isVendor) return { kind: 'vendor', directory, vendor };
  const output = values.get('output');
  return { kind: 'build', directory, loadRestrictor, output: output === '' ? undefined : output, vendor };
}

function readFlags(argv: readonly string[]): Parsed | Mistake {
  const values = new Map<FlagUse, string>();
  const words: string[] = [];
  const rest = argv.values();
  for (const argument of rest) {
    if (argument === '--') words.push(...rest);
    if (argument === '--') break;
    if (!argument.startsWith('-') || argument === '-') words.push(argument);
    else {
      const mistake = readFlag(argument, values, () => rest.next().value);
      if (mistake !== undefined) return mistake;
    }
  }
  return { values, words };
}

/** `--name=value`, `--name value`, `-nvalue` and `-n value`. */
function readFlag(argument: string, values: Map<FlagUse, string>, next: () => string | undefined): Mistake | undefined {
  const equals = argument.indexOf('=');
  const end = argument.startsWith('--') ? (equals < 0 ? argument.length : equals) : 2;
  const name = argument.slice(0, end);
  const attached = end < argument.length ? argument.slice(end).replace(/^=/u, '') : undefined;
  const flag = flags.get(name);
  if (flag === undefined)
    return { kind: 'mistake', message: `unknown flag ${name}`, hint: 'see the flags with --help' };
  const value = attached ?? (flag.takesValue ? next() : 'true');
  if (value === undefined) return { kind: 'mistake', message: `${name} needs a value`, hint: `write ${name} VALUE` };
  if (flag.takesValue) return refused(name, flag.use) ?? void values.set(flag.use, value);
  if (value === 'false') return void values.delete(flag.use);
  if (value !== 'true')
    return { kind: 'mistake', message: `${name} cannot be '${value}'`, hint: 'write true or false' };
  return refused(name, flag.use) ?? void values.set(flag.use, value);
}

function refused(name: string, use: FlagUse): Mistake | undefined {
  const hint = refusals.get(use);
  return hint === undefined ? undefined : { kind: 'mistake', message: `${name} is not supported`, hint };
}

const refusals: ReadonlyMap<FlagUse, string> = new Map([
  ['helm', 'render the chart with helm template, and list the result under resources'],
  ['plugins', 'no program is run by a build; run it before, and list its output under resources'],
  ['reorder', 'write sortOptions in the kustomization: {order: legacy} or {order: fifo}'],
]);
