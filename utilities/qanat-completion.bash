# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Bash completion of qanat-ctl, qanat-appctl and qanat-dpctl.

_qanat_words()
{
    local word

    COMPREPLY=()
    while IFS= read -r word; do
        COMPREPLY+=("$word")
    done < <(compgen -W "$1" -- "${COMP_WORDS[COMP_CWORD]}")
}

_qanat_folder()
{
    local word

    COMPREPLY=()
    while IFS= read -r word; do
        COMPREPLY+=("$word/")
    done < <(compgen -d -- "$1")
    compopt -o nospace 2> /dev/null
}

_qanat_ctl()
{
    # Bash splits at "=": --rundir = DIR
    if [[ ${COMP_WORDS[COMP_CWORD]} == = ]]; then
        _qanat_folder ""
    elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
        _qanat_folder "${COMP_WORDS[COMP_CWORD]}"
    elif [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
        _qanat_words "--rundir= --dbdir= --logdir="
        compopt -o nospace 2> /dev/null
    else
        _qanat_words "start stop restart status version help"
    fi
}

# The value of -t or --target on the command line, if there is one.
_qanat_target()
{
    local i

    for (( i = 1; i < COMP_CWORD; i++ )); do
        case ${COMP_WORDS[i]} in
        -t) echo "${COMP_WORDS[i + 1]}" ;;
        --target) echo "${COMP_WORDS[i + 2]}" ;;
        esac
    done
}

# The running daemon itself knows its commands best.
_qanat_appctl()
{
    local target previous=${COMP_WORDS[COMP_CWORD - 1]}

    target=$(_qanat_target)
    if [[ $previous == -t || $previous == = ]]; then
        compopt -o default 2> /dev/null
        _qanat_words "qanat-vswitchd ovsdb-server"
    elif [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
        _qanat_words "-t --target= -T --timeout= --help --version"
    else
        _qanat_words "$(timeout 2 qanat-appctl ${target:+-t "$target"} \
            list-commands 2> /dev/null | awk '/^  / { print $1 }')"
    fi
}

_qanat_dpctl()
{
    if [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
        _qanat_words "-s -m --timeout= --help --version"
    else
        _qanat_words "show dump-flows dump-dps flush help"
    fi
}

complete -F _qanat_ctl qanat-ctl
complete -F _qanat_appctl qanat-appctl
complete -F _qanat_dpctl qanat-dpctl
