import { script } from '@bomb.sh/tab'
import { command, DONE } from './command.ts'
import { printed } from './completion.ts'
import { UsageError } from './failures.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const

const NAME = 'trivial'

// What tab takes from the package bash-completion, which is not everywhere. The words are quoted, since tab has bash
// evaluate them: what was typed within $(…) must not run before Enter. The value of --x=… becomes a word of its own.
const BASH_WORDS = `__${NAME}_words() {
    local line=\${COMP_LINE:0:COMP_POINT} last index
    read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    last=\${words[\${#words[@]}-1]}
    if [[ $last == --*=* ]]; then
        words[\${#words[@]}-1]=\${last%%=*}
        words+=("\${last#*=}")
    fi
    cword=$(( \${#words[@]} - 1 ))
    cur=\${words[cword]}
    prev=\${words[cword-1]}
    for index in "\${!words[@]}"; do
        [[ -z \${words[index]} ]] || words[index]=$(printf %q "\${words[index]}")
    done
}
`

// bash takes a : for the end of a word, and scopes have one: what stands before it must not come again.
const BASH_COLONS = `
__${NAME}_complete_word() {
    local cur prev words cword
    __${NAME}_complete
    __${NAME}_words
    [[ $COMP_WORDBREAKS == *:* && $cur == *:* ]] && COMPREPLY=( "\${COMPREPLY[@]#"\${cur%:*}:"}" )
    return 0
}
complete -F __${NAME}_complete_word ${NAME}`

const FIXES: Readonly<Record<(typeof SHELLS)[number], (text: string) => string>> = {
  bash: text =>
    BASH_WORDS +
    text
      .replace('_get_comp_words_by_ref -n "=:" cur prev words cword', `__${NAME}_words`)
      // A shell that reads its profile again would refuse to set these again.
      .replaceAll(/^readonly /gm, '') +
    BASH_COLONS,
  // zsh drops a single backslash there, and what follows the : of a scope is taken for its description.
  zsh: text => text.replace(String.raw`comp//:/\:`, String.raw`comp//:/\\:`),
  fish: text => text
}

export default command({
  description: `Prints the script that completes commands, options and their values in a shell at the Tab key.

  bash   add to ~/.bashrc:   source <(trivial complete bash)
  zsh    add to ~/.zshrc, after compinit:   source <(trivial complete zsh)
  fish   run:   trivial complete fish > ~/.config/fish/completions/trivial.fish`,

  argument: { name: 'shell', help: 'the shell that runs the script', choices: SHELLS },

  run: async (_, terminal, shell) => {
    const known = SHELLS.find(each => each === shell)
    if (known === undefined) throw new UsageError(`The shell must be ${SHELLS.join(' or ')}.`)
    const text = printed(() => {
      script(known, NAME, NAME)
    })
    terminal.print(FIXES[known](text))
    return DONE
  }
})
