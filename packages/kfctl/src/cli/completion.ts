/** Owns shell completion: scripts rendered from the commands themselves, so that they never lie. */
import type { Command } from 'commander';
import { kfctlError } from '../errors.ts';

export const SHELLS: readonly string[] = ['bash', 'zsh', 'fish'];

interface Entry {
  readonly name: string;
  readonly description: string;
  readonly options: readonly string[];
  readonly choices: readonly string[];
}

/** The completion script of a shell; throws `ARGUMENT_INVALID` for others. */
export function renderCompletion(program: Command, shell: string): string {
  const entries = program.commands.map((command): Entry => ({
    name: command.name(),
    description: command.description(),
    options: command.options.flatMap(({ long }) => (long === undefined || long === null ? [] : [long])),
    choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  }));
  if (shell === 'bash') return renderBash(entries);
  if (shell === 'zsh') return renderZsh(entries);
  if (shell === 'fish') return renderFish(entries);
  throw kfctlError('ARGUMENT_INVALID', `no completion for ${shell}`, { hint: `Use one of: ${SHELLS.join(', ')}.` });
}

function renderBash(entries: readonly Entry[]): string {
  const cases = entries.map(
    ({ name, options, choices }) => `    ${name}) words="${[...choices, ...options].join(' ')}" ;;`,
  );
  return `# bash completion for kfctl: source <(kfctl completion bash)
_kfctl() {
  local current=\${COMP_WORDS[COMP_CWORD]} words
  case \${COMP_CWORD}:\${COMP_WORDS[1]} in
    1:*) words="${entries.map(({ name }) => name).join(' ')}" ;;
    *) case \${COMP_WORDS[1]} in
${cases.join('\n')}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _kfctl kfctl`;
}

function renderZsh(entries: readonly Entry[]): string {
  const names = entries.map(({ name, description }) => `    '${name}:${zshText(description)}'`);
  const cases = entries.map(
    ({ name, options, choices }) => `    ${name}) compadd -- ${[...choices, ...options].join(' ')} ;;`,
  );
  return `#compdef kfctl
# zsh completion for kfctl: source <(kfctl completion zsh)
_kfctl() {
  local -a commands
  commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  case $words[2] in
${cases.join('\n')}
  esac
  _files
}
compdef _kfctl kfctl`;
}

function zshText(text: string): string {
  return text.replaceAll("'", "'\\''").replaceAll(':', '\\:');
}

function renderFish(entries: readonly Entry[]): string {
  const quote = (text: string): string => `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
  const lines = entries.flatMap(({ name, description, options, choices }) => [
    `complete -c kfctl -n __fish_use_subcommand -f -a ${name} -d ${quote(description)}`,
    ...choices.map((choice) => `complete -c kfctl -n '__fish_seen_subcommand_from ${name}' -f -a ${choice}`),
    ...options.map((option) => `complete -c kfctl -n '__fish_seen_subcommand_from ${name}' -l ${option.slice(2)}`),
  ]);
  return ['# fish completion for kfctl: kfctl completion fish | source', ...lines].join('\n');
}
