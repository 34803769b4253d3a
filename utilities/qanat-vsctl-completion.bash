# SPDX-License-Identifier: Apache-2.0
# Bash completion for qanat-vsctl: options and commands from the program, names
# of bridges, ports, interfaces, tables and records from the live database.

# Runs qanat-vsctl on the database that the command line names, for a second
# at most, and silently when there is none.
_qanat_vsctl_ask()
{
    "${COMP_WORDS[0]}" ${_qanat_vsctl_db:+"$_qanat_vsctl_db"} --no-wait \
        --timeout=1 --no-syslog "$@" 2>/dev/null
}

_qanat_vsctl_names()
{
    _qanat_vsctl_ask --bare --columns=name list "$1"
}

_qanat_vsctl_tables()
{
    echo Open_vSwitch Bridge Port Interface Controller Manager Mirror QoS \
        Queue NetFlow sFlow IPFIX Flow_Table Flow_Sample_Collector_Set SSL \
        AutoAttach Datapath CT_Zone CT_Timeout_Policy
}

# Names that can stand for argument number $2 of command $1; the words of the
# command so far are in $3...
_qanat_vsctl_argument()
{
    local command=$1 n=$2
    shift 2
    case $command:$n in
    add-br:2 | del-br:1 | br-exists:1 | br-to-vlan:1 | br-to-parent:1 | \
    br-set-external-id:1 | br-get-external-id:1 | list-ports:1 | \
    list-ifaces:1 | add-port:1 | add-bond:1 | get-controller:1 | \
    del-controller:1 | set-controller:1 | get-fail-mode:1 | \
    del-fail-mode:1 | set-fail-mode:1)
        _qanat_vsctl_ask list-br ;;
    set-fail-mode:2)
        echo standalone secure ;;
    del-port:1)
        _qanat_vsctl_ask list-br
        _qanat_vsctl_names Port ;;
    del-port:2)
        _qanat_vsctl_ask list-ports "$2" ;;
    port-to-br:1 | add-bond-iface:1 | del-bond-iface:1)
        _qanat_vsctl_names Port ;;
    iface-to-br:1 | del-bond-iface:2)
        _qanat_vsctl_names Interface ;;
    add-port:2 | add-bond:[2-9])
        command ls /sys/class/net 2>/dev/null ;;
    list:1 | find:1 | get:1 | set:1 | add:1 | remove:1 | clear:1 | \
    create:1 | destroy:1 | wait-until:1)
        _qanat_vsctl_tables ;;
    list:* | get:2 | set:2 | add:2 | remove:2 | clear:2 | destroy:* | \
    wait-until:2)
        case $2 in
        Open_vSwitch | SSL) echo . ;;
        Controller | NetFlow | sFlow | IPFIX | AutoAttach)
            _qanat_vsctl_names Bridge ;;
        QoS) _qanat_vsctl_names Port ;;
        Manager) _qanat_vsctl_ask --bare --columns=target list Manager ;;
        *) _qanat_vsctl_names "$2" ;;
        esac ;;
    get:* | add:3 | remove:3 | clear:*)
        _qanat_vsctl_ask --format=csv find "$2" | head -n 1 | tr , '\n' ;;
    set:* | create:* | wait-until:* | find:*)
        _qanat_vsctl_ask --format=csv find "$2" | head -n 1 | tr , '\n' | \
            sed 's/$/=/' ;;
    esac
}

_qanat_vsctl()
{
    local cur=${COMP_WORDS[COMP_CWORD]} i word choices _qanat_vsctl_db=
    local -a words=()

    # The words of the present command, without options; "=" is a word of its
    # own for bash.
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
        --db)
            if [ "${COMP_WORDS[i + 1]-}" = = ]; then
                _qanat_vsctl_db=--db=
                for ((i += 2; i < COMP_CWORD; i++)); do
                    # A remote's colons split it, too.
                    _qanat_vsctl_db+=${COMP_WORDS[i]}
                    [[ ${COMP_WORDS[i + 1]-} == : || \
                       ${COMP_WORDS[i]} == : ]] || break
                done
            fi ;;
        --) words=() ;;
        --*)
            if [ "${COMP_WORDS[i + 1]-}" = = ]; then
                ((i += 2))
            fi ;;
        -*) ;;
        *) words+=("$word") ;;
        esac
    done

    if [[ $cur == -* ]]; then
        choices=$("${COMP_WORDS[0]}" --options 2>/dev/null)
    elif [ ${#words[@]} = 0 ]; then
        choices=$("${COMP_WORDS[0]}" --commands 2>/dev/null)
    else
        choices="$(_qanat_vsctl_argument "${words[0]}" ${#words[@]} \
            "${words[@]}") --"
    fi
    mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$cur")
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
}

complete -F _qanat_vsctl qanat-vsctl
