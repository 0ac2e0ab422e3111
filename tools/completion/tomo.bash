# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Completion for bash. The programs know the words: `tomo-query --complete`, `tomo-jobs --complete`, `tomo-reconstruct --complete`.

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
    *) mapfile -t COMPREPLY < <(compgen -W "--list --properties --devices --verbose --json --version --help" -- "${COMP_WORDS[COMP_CWORD]}") ;;
    esac
}

_tomo_reconstruct() {
    local current=${COMP_WORDS[COMP_CWORD]}
    mapfile -t COMPREPLY < <(compgen -W "$(tomo-reconstruct --complete 2>/dev/null)" -- "$current")
    case $current in -*) ;; *) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current") ;; esac
}

_tomo_jobs() {
    mapfile -t COMPREPLY < <(compgen -W "$(tomo-jobs --complete "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}")
}

complete -o default -F _tomo_launch tomo-launch
complete -o default -F _tomo_jobs tomo-jobs
complete -F _tomo_reconstruct tomo-reconstruct
complete -F _tomo_query tomo-query
complete -f tomo-runjson
complete -f -W '-nodb -dlist -file= -ORBendPoint -v4' tomo-tango
