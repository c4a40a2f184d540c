#!/bin/sh
# manual.sh - manual pages and shell completion come from the program's own tables: each page is
# set by groff without a warning and has all that --help has, is among what the build made, and bash,
# zsh and fish complete each command and each option.
set -eu

work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-manual.XXXXXX")
trap 'rm -rf "$work"' EXIT
pages=$(dirname "$POOLPROOF")/scenarios/engine
failures=0

fail() { # TEXT
  echo "FAIL: $1"
  failures=$((failures + 1))
}

options_of() { # COMMAND
  "$POOLPROOF" "$1" --help | sed -n 's/^  \(--*[a-z-]*\) .*/\1/p'
}

commands=$("$POOLPROOF" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ "$(printf '%s\n' "$commands" | wc -l)" -ge 11 ] ||
  fail "expected 11 commands or more in --help, found: $commands"
for shell in bash zsh fish; do
  "$POOLPROOF" help --completion $shell >"$work/poolproof.$shell"
done

echo 'Each page is set without a warning, and has each option.'
for command in '' $commands; do
  name=poolproof${command:+-$command}
  # shellcheck disable=SC2086 # none or one word
  "$POOLPROOF" help --man $command >"$work/$name.1"
  groff -ww -man -Tascii -P-c -P-b -P-u "$work/$name.1" >"$work/text" 2>"$work/warnings" ||
    fail "$name: expected that groff sets it"
  [ ! -s "$work/warnings" ] || fail "$name: expected no warning, found: $(head -n 3 "$work/warnings")"
  for section in NAME SYNOPSIS OPTIONS 'EXIT STATUS'; do
    grep -qx "$section" "$work/text" || fail "$name: expected the section $section"
  done
  if [ -z "$command" ]; then
    for other in $commands; do
      grep -qF "poolproof-$other(1)" "$work/text" || fail "$name: expected poolproof-$other(1)"
    done
  else
    for option in $(options_of "$command"); do
      grep -qE -- "^ *$option( |\$)" "$work/text" || fail "$name: expected the option $option"
    done
  fi
  gzip -dc "$pages/$name.1.gz" 2>"$work/out" | cmp -s - "$work/$name.1" ||
    fail "$name: expected that the build makes $pages/$name.1.gz of it; see scenarios/engine/CMakeLists.txt"
done

# Prints, one a line, what bash offers behind the words.
bash_offers() { # WORD...
  bash -c '. "$1"; shift
    COMP_WORDS=(poolproof "$@"); COMP_CWORD=$#
    _poolproof; printf "%s\n" "${COMPREPLY[@]}"' bash "$work/poolproof.bash" "$@"
}
# zsh's own functions want a terminal: here they print what they are given.
zsh_offers() { # WORD...
  zsh -f -c 'file=$1; shift
    compdef() { }; _describe() { print -l ${(P)2} }; _arguments() { print -l -- $@ }
    source $file
    words=(poolproof "$@"); CURRENT=$#words; _poolproof' zsh "$work/poolproof.zsh" "$@" |
    sed 's/^\*//;s/^(- \*)//;s/\[.*//;s/:.*//'
}
fish_offers() { # LINE
  HOME=$work fish --no-config -c "source $work/poolproof.fish; complete -C '$1'" | cut -f 1
}
offers() { # SHELL WHAT EXPECTED
  printf '%s\n' "$3" | sort -u >"$work/expected"
  diff "$work/expected" "$work/offered" >"$work/out" ||
    fail "$1, $2: expected the words with <, found those with >: $(sed -n 's/^[<>]/&/p' "$work/out" | tr '\n' ' ')"
}

echo 'bash, zsh and fish complete each command and option.'
bash_offers '' | sort -u >"$work/offered"
offers bash commands "$commands"
zsh_offers '' | sort -u >"$work/offered"
offers zsh commands "$commands"
fish_offers 'poolproof ' | sort -u >"$work/offered"
offers fish commands "$commands"
for command in $commands; do
  options=$(options_of "$command")
  bash_offers "$command" - | sort -u >"$work/offered"
  offers bash "$command" "$options"
  zsh_offers "$command" - | grep '^-' | sort -u >"$work/offered"
  offers zsh "$command" "$options"
  { fish_offers "poolproof $command --"; fish_offers "poolproof $command -"; } | grep '^-' |
    sort -u >"$work/offered"
  offers fish "$command" "$options"
done

echo 'Values: a file where one is wanted, nothing of ours elsewhere.'
touch "$work/some.db"
for before in --db --junit --seed; do
  [ -z "$(bash_offers run "$before" -)" ] || fail "bash: expected no option as the value of $before"
done
found=$(cd "$work" && fish_offers 'poolproof run --db so')
[ "$found" = some.db ] || fail "fish: expected some.db as the value of --db, found \"$found\""
found=$(cd "$work" && fish_offers 'poolproof run --seed so')
[ -z "$found" ] || fail "fish: expected nothing as the value of --seed, found \"$found\""

[ "$failures" -eq 0 ]
