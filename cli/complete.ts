import { command, DONE } from './command.ts'
import { UsageError } from './failures.ts'

// bash splits words at = and :, so a completion must not repeat what precedes them. The line is never evaluated,
// because a command inside $(…) must not run before the user presses Enter.
const BASH = `# bash completion for trivial

__trivial_complete_word() {
    local line=\${COMP_LINE:0:COMP_POINT} words word proposal
    read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    COMPREPLY=()
    (( \${#words[@]} > 1 )) || return 0
    while IFS=$'\\t' read -r proposal _; do
        [[ $proposal == :* ]] || COMPREPLY+=("$proposal")
    done < <(trivial complete -- "\${words[@]:1}" 2> /dev/null)
    word=\${words[\${#words[@]}-1]}
    [[ $word == --*=* ]] && word=\${word#*=}
    [[ $COMP_WORDBREAKS == *:* && $word == *:* ]] && COMPREPLY=("\${COMPREPLY[@]#"\${word%:*}:"}")
    return 0
}

complete -F __trivial_complete_word trivial`

// _describe expects a : between a completion and its description, so colons in scopes are escaped.
const ZSH = `#compdef trivial
# zsh completion for trivial

_trivial() {
    local line comp
    local -a completions
    for line in "\${(@f)$(trivial complete -- "\${(@)words[2,CURRENT]}" 2> /dev/null)}"; do
        [[ -z $line || $line == :* ]] && continue
        comp=\${line%%$'\\t'*}
        completions+=("\${comp//:/\\\\:}\${\${line#"$comp"}/$'\\t'/:}")
    done
    [[ $PREFIX == --*=* ]] && compset -P '*='
    _describe -V completions completions
}

compdef _trivial trivial
# zsh runs a file in $fpath as the function at the first call.
if [[ \${funcstack[1]} == _trivial ]]; then _trivial; fi`

const FISH = `# fish completion for trivial

function __trivial_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l prefix (string match -r -- '^--[^=]*=' "$word")
    for line in (trivial complete -- $words[2..-1] "$word" 2> /dev/null)
        string match -q -- ':*' $line; or printf '%s%s\\n' "$prefix" $line
    end
end

complete -c trivial -e
complete -c trivial -f -k -a '(__trivial_complete)'`

const SCRIPTS = new Map([
  ['bash', BASH],
  ['zsh', ZSH],
  ['fish', FISH]
])
const SHELLS = [...SCRIPTS.keys()]

export default command({
  description: `Prints a script that lets a shell complete commands, options and their values when you press Tab.

  bash   add to ~/.bashrc:   source <(trivial complete bash)
  zsh    add to ~/.zshrc, after compinit:   source <(trivial complete zsh)
  fish   run:   trivial complete fish > ~/.config/fish/completions/trivial.fish`,

  argument: { name: 'shell', help: 'the shell that will run the script', choices: SHELLS },

  run: async (_, terminal, shell) => {
    const script = SCRIPTS.get(shell)
    if (script === undefined) throw new UsageError(`The shell must be ${SHELLS.join(' or ')}.`)
    terminal.print(script)
    return DONE
  }
})
