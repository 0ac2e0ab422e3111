# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Completion for bash. Programs know words that change: `tomo-query --complete`, `tomo-jobs --complete`. Options with their choices come
# from what the programs declare: tools/manual/make-manual writes them behind this.

_tomo_launch() {
    local line=${COMP_LINE:0:COMP_POINT} words current candidate
    # Without globbing, and with "=" inside of words, which bash would split.
    read -r -a words <<<"$line"
    case $line in *[[:space:]]) words+=("") ;; esac
    current=${words[-1]}
    COMPREPLY=()
    while read -r candidate; do
        case $current in
        *=*) COMPREPLY+=("${candidate#*=}") ;; # bash replaces what follows the "="
        *) COMPREPLY+=("$candidate") ;;
        esac
    done < <(tomo-query --complete -- "${words[@]:1}" 2>/dev/null)
    case ${COMPREPLY[0]-} in *=) compopt -o nospace 2>/dev/null ;; esac
}

_tomo_query() {
    case ${COMP_WORDS[COMP_CWORD - 1]} in
    -p | --properties) mapfile -t COMPREPLY < <(compgen -W "$(tomo-query --list 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}") ;;
    *) _tomo_options "${_tomo_query_words[@]}" ;;
    esac
}

_tomo_jobs() {
    mapfile -t COMPREPLY < <(compgen -W "$(tomo-jobs --complete "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}")
}

# Offers options and words, and behind an option "NAME=CHOICE CHOICE..." its choices; files where it has none.
_tomo_options() { # WORD...
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} word offered=()
    # Bash makes a word of "=".
    [ "$before" = = ] && before=${COMP_WORDS[COMP_CWORD - 2]}
    [ "$current" = = ] && before=${COMP_WORDS[COMP_CWORD - 1]} current=
    COMPREPLY=()
    for word in "$@"; do
        case $word in
        "$before="*)
            mapfile -t COMPREPLY < <(compgen -W "${word#*=}" -- "$current")
            return
            ;;
        esac
        offered+=("${word%%=*}")
    done
    mapfile -t COMPREPLY < <(compgen -W "${offered[*]}" -- "$current")
    case $current in
    -*) ;;
    *)
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
        compopt -o filenames 2>/dev/null # with quotes around spaces
        ;;
    esac
}

complete -o default -F _tomo_launch tomo-launch
complete -o default -F _tomo_jobs tomo-jobs
complete -F _tomo_query tomo-query
