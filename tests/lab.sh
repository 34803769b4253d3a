# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC3043
#
# lab.sh: machines to try a switch on, made of network namespaces.
#
# Read by the end-to-end tests (through tests/atlocal), by the demo and by the
# bench.  A "host" is a namespace in which a switch runs with folders of its
# own; a "guest" is a namespace whose eth0 is a veth pair's end, the other end
# of which lies in a host, for its switch to take.  "Wires" join hosts.
#
# Names are short words of the caller's; the namespace's real name has a tag
# that is unique among all runs on this machine.  Nothing is ever made in the
# namespace of the caller.  Each thing made is entered in $LAB_DIR/cleanup,
# newest first, before or at once when it is made: running that file undoes
# everything, whatever happened.  No function sleeps to let something happen;
# they wait for a condition, with a deadline.
#
# The caller sets LAB_BUILD (folder of the build) and LAB_SRC (of the source)
# and calls lab_begin.

: "${LAB_BUILD:=.}"
: "${LAB_SRC:=$LAB_BUILD}"
: "${LAB_DEADLINE:=20}"         # Seconds, for whatever has no other.
: "${LAB_SWITCH:=qanat}"        # Or "ovs", to try the tests on a known switch.
LAB_SHOW=${LAB_SHOW:-}          # Not empty: commands are shown as typed.

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
if [ -x /usr/bin/python3 ]; then
    LAB_PYTHON=/usr/bin/python3 # The one that the system's scapy is for.
else
    LAB_PYTHON=python3
fi

# --- beginning and end -----------------------------------------------------

# lab_begin DIR TAG: an empty laboratory in the folder DIR, which exists.  TAG,
# letters and digits, is unique among the runs on this machine.
lab_begin()
{
    LAB_DIR=$(cd "$1" && pwd)
    LAB_TAG=$2
    : > "$LAB_DIR/hosts"
    : > "$LAB_DIR/cleanup"
    : > "$LAB_DIR/expected-log"
}

# lab_on_exit TEXT: a line of shell for the clean-up.
lab_on_exit()
{
    { printf '%s\n' "$1"; cat "$LAB_DIR/cleanup"; } > "$LAB_DIR/cleanup.new"
    mv -f "$LAB_DIR/cleanup.new" "$LAB_DIR/cleanup"
}

# Undoes all.
lab_clean_up()
{
    if [ -f "$LAB_DIR/cleanup" ]; then
        PATH=$PATH sh "$LAB_DIR/cleanup" > "$LAB_DIR/cleanup.out" 2>&1
        rm -f "$LAB_DIR/cleanup"
    fi
}

# --- conditions ------------------------------------------------------------

# lab_wait SECONDS COMMAND...: until COMMAND succeeds; 1 if it does not.
lab_wait()
{
    local deadline

    deadline=$(($(date +%s) + $1))
    shift
    until "$@" > /dev/null 2>&1; do
        if [ "$(date +%s)" -gt "$deadline" ]; then
            echo "waited in vain for: $*" >&2
            return 1
        fi
        sleep 0.1
    done
}

# lab_not COMMAND...: for lab_wait.
lab_not()
{
    ! "$@"
}

# lab_equal EXPECTED COMMAND...: does COMMAND print EXPECTED?
lab_equal()
{
    local expected="$1"

    shift
    [ "$("$@")" = "$expected" ]
}

# lab_says WORD COMMAND...: does COMMAND print a line with the basic regular
# expression WORD?
lab_says()
{
    local word="$1"

    shift
    "$@" | grep -q -e "$word"
}

# --- namespaces and wires --------------------------------------------------

lab_ns()
{
    echo "$LAB_TAG-$1"
}

lab_netns()
{
    local ns

    ns=$(lab_ns "$1")
    # What still lives in it at the end is ours, since the namespace is.  No
    # process is ever ended by a number kept in a file.
    lab_on_exit "ip netns pids $ns 2>/dev/null | xargs -r kill -KILL; \
ip netns del $ns"
    ip netns add "$ns" || return
    # No chatter but what the test makes: lab_addr enables IPv6 where wanted.
    lab_in "$1" sysctl -q -w net.ipv6.conf.all.disable_ipv6=1 \
        net.ipv6.conf.default.disable_ipv6=1 \
        net.ipv6.conf.default.accept_dad=0 \
        net.ipv6.conf.default.router_solicitations=0
    ip -n "$ns" link set lo up
}

# lab_in NAME COMMAND...: runs COMMAND in a namespace.
lab_in()
{
    local name="$1"

    shift
    if [ -n "${LAB_PIN:-}" ]; then
        set -- taskset -c "$(lab_cpu "$name")" "$@"
    fi
    ip netns exec "$LAB_TAG-$name" "$@"
}

# lab_cpu NAME: with LAB_PIN, h1 and g1 have a core, h2 and g2 the next, and so
# on as far as there are cores.
lab_cpu()
{
    echo $(((${1#"${1%?}"} - 1) % $(nproc --all)))
}

# lab_type NAME COMMAND...: the same, shown if LAB_SHOW says so.
lab_type()
{
    lab_show "$@"
    lab_in "$@"
}

lab_show()
{
    local name

    if [ -n "$LAB_SHOW" ]; then
        name=$1
        shift
        printf '%s# %s\n' "$name" "$*"
    fi
}

# lab_wire NAME1 IF1 NAME2 IF2: a veth pair between two namespaces, up.
lab_wire()
{
    ip -n "$LAB_TAG-$1" link add "$2" type veth peer name "$4" \
        netns "$LAB_TAG-$3" \
        && ip -n "$LAB_TAG-$1" link set "$2" up \
        && ip -n "$LAB_TAG-$3" link set "$4" up
}

# lab_addr NAME IF ADDRESS/LENGTH...: sets addresses and brings IF up.
lab_addr()
{
    local name="$1" dev="$2" addr

    shift 2
    lab_in "$name" ip link set "$dev" up || return
    for addr; do
        case $addr in
        *:*)
            lab_in "$name" sysctl -q -w \
                "net.ipv6.conf.$dev.disable_ipv6=0" || return
            lab_in "$name" ip addr add "$addr" dev "$dev" nodad || return ;;
        *)
            lab_show "$name" ip addr add "$addr" dev "$dev"
            lab_in "$name" ip addr add "$addr" dev "$dev" || return ;;
        esac
    done
}

# lab_guest NAME HOST VIF [ADDRESS/LENGTH...]: a guest with eth0, whose other
# end is VIF in HOST.
lab_guest()
{
    local name="$1" host="$2" vif="$3"

    shift 3
    lab_netns "$name" && lab_wire "$name" eth0 "$host" "$vif" \
        && lab_addr "$name" eth0 "$@" || return
    if [ "$LAB_SWITCH" = ovs ]; then
        lab_offloads off "$name" eth0       # It does not honour them.
    fi
}

# lab_mac NAME IF: prints the MAC address.
lab_mac()
{
    lab_in "$1" cat "/sys/class/net/$2/address"
}

# lab_offloads on|off NAME IF: all that a NIC can do for its guest.
lab_offloads()
{
    lab_in "$2" ethtool -K "$3" tx "$1" rx "$1" sg "$1" tso "$1" gso "$1" \
        gro "$1" > /dev/null 2>&1
    lab_in "$2" ethtool -K "$3" tx-udp-segmentation "$1" > /dev/null 2>&1
    return 0
}

# lab_vlan NAME IF ID VLANIF ADDRESS/LENGTH...: a VLAN interface, by the kernel
# or, where it has no 802.1Q, by a helper that tags and untags.
lab_vlan()
{
    local name="$1" dev="$2" id="$3" vlan="$4"

    shift 4
    if ! lab_in "$name" ip link add link "$dev" name "$vlan" type vlan \
            id "$id" 2> /dev/null; then
        lab_start "$name" "vlan-$vlan" "$LAB_PYTHON" "$LAB_SRC/tests/lab.py" \
            vlan "$dev" "$id" "$vlan"
        lab_wait "$LAB_DEADLINE" lab_in "$name" ip link show "$vlan" || return
    fi
    lab_addr "$name" "$vlan" "$@"
}

# --- processes -------------------------------------------------------------

# lab_start NAME JOB COMMAND...: COMMAND in the background, in a namespace; what
# it says goes to JOB.out in $LAB_DIR, and its status to JOB.status.  Files,
# because the caller may be gone when somebody asks.
lab_start()
{
    local name="$1" job="$2"

    shift 2
    rm -f "$LAB_DIR/$job.status"
    (
        # ip-netns-exec becomes the command, so its number is the command's.
        if [ -n "${LAB_PIN:-}" ]; then
            set -- taskset -c "$(lab_cpu "$name")" "$@"
        fi
        ip netns exec "$LAB_TAG-$name" "$@" &
        echo $! > "$LAB_DIR/$job.pid"
        wait $!
        echo $? > "$LAB_DIR/$job.status"
    ) < /dev/null > "$LAB_DIR/$job.out" 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- &
    lab_wait 5 test -s "$LAB_DIR/$job.pid"
}

# lab_stop JOB [SIGNAL]: ends it and waits for its end.
lab_stop()
{
    if [ ! -e "$LAB_DIR/$1.status" ]; then
        kill -s "${2:-TERM}" "$(cat "$LAB_DIR/$1.pid")" 2> /dev/null
    fi
    lab_wait "$LAB_DEADLINE" test -s "$LAB_DIR/$1.status"
}

# lab_finish JOB: waits until it has ended by itself; its exit status.
lab_finish()
{
    local status

    lab_wait 90 test -s "$LAB_DIR/$1.status" || return
    status=$(cat "$LAB_DIR/$1.status")
    if [ "$status" -ne 0 ]; then
        echo "$1 ended with status $status:"
        tail -n 20 "$LAB_DIR/$1.out"
    fi
    return "$status"
}

# lab_job WORD: prints a name for a job that has none yet.
lab_job()
{
    local n=1

    while [ -e "$LAB_DIR/$1$n.out" ]; do
        n=$((n + 1))
    done
    echo "$1$n"
}

# lab_gone PID: has the process ended, though nobody may have asked yet how?
lab_gone()
{
    ! grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status" 2> /dev/null
}

# --- switches --------------------------------------------------------------

# lab_host NAME: a host with a switch that has no configuration yet.
lab_host()
{
    lab_machine "$1" && lab_switch_start "$1"
}

# lab_machine NAME: the same, but the switch is not started.
lab_machine()
{
    lab_netns "$1" || return
    mkdir -p "$LAB_DIR/$1/run" "$LAB_DIR/$1/db" "$LAB_DIR/$1/log"
    echo "$LAB_SWITCH" > "$LAB_DIR/$1/kind"
    echo "$1" >> "$LAB_DIR/hosts"
}

# lab_ovs_host NAME: a host with the installed Open vSwitch's userspace switch.
lab_ovs_host()
{
    lab_machine "$1" && echo ovs > "$LAB_DIR/$1/kind" && lab_switch_start "$1"
}

# lab_kind NAME: "qanat" or "ovs".
lab_kind()
{
    cat "$LAB_DIR/$1/kind"
}

lab_switch_start()
{
    echo running > "$LAB_DIR/$1/state"
    if [ "$(lab_kind "$1")" = ovs ]; then
        lab_start_ovs "$1"
    else
        lab_on_exit "$(lab_ctl_line "$1") stop"
        lab_ctl "$1" start
    fi
}

lab_switch_stop()
{
    echo stopped > "$LAB_DIR/$1/state"
    if [ "$(lab_kind "$1")" = ovs ]; then
        lab_appctl "$1" exit > /dev/null
        lab_in "$1" ovs-appctl -t "$LAB_DIR/$1/run/ovsdb-server.ctl" exit
        lab_wait "$LAB_DEADLINE" lab_not test -e "$LAB_DIR/$1/run/db.sock"
    else
        lab_ctl "$1" stop
    fi
}

# The command line that calls qanat-ctl for a host.  A sanitizer's report must
# not get lost with the daemon's standard error.
lab_ctl_line()
{
    local dir="$LAB_DIR/$1"

    echo "ASAN_OPTIONS=log_path=$dir/log/sanitizer:abort_on_error=0:\
detect_leaks=${LAB_DETECT_LEAKS:-0} \
UBSAN_OPTIONS=log_path=$dir/log/sanitizer:print_stacktrace=1 \
ip netns exec $LAB_TAG-$1 ${LAB_PIN:+taskset -c $(lab_cpu "$1")} \
$LAB_BUILD/utilities/qanat-ctl \
--rundir=$dir/run --dbdir=$dir/db --logdir=$dir/log"
}

# lab_ctl NAME COMMAND: qanat-ctl.  It keeps no descriptor of ours open.
lab_ctl()
{
    eval "$(lab_ctl_line "$1")" '"$2"' '< /dev/null 3>&- 4>&- 5>&- 6>&- 7>&-'
}

lab_start_ovs()
{
    local dir="$LAB_DIR/$1"

    if [ ! -e "$dir/db/conf.db" ]; then
        ovsdb-tool create "$dir/db/conf.db" \
            /usr/share/openvswitch/vswitch.ovsschema || return
    fi
    (
        exec 3>&- 4>&- 5>&- 6>&- 7>&-
        export OVS_RUNDIR="$dir/run" OVS_LOGDIR="$dir/log" OVS_DBDIR="$dir/db"
        lab_in "$1" ovsdb-server "$dir/db/conf.db" \
            --remote=punix:"$dir/run/db.sock" --no-chdir --detach \
            --pidfile="$dir/run/ovsdb-server.pid" \
            --unixctl="$dir/run/ovsdb-server.ctl" \
            --log-file="$dir/log/ovsdb-server.log" -vconsole:off \
            && lab_in "$1" ovs-vsctl --db="unix:$dir/run/db.sock" --no-wait \
                init \
            && lab_in "$1" ovs-vswitchd "unix:$dir/run/db.sock" --no-chdir \
                --disable-system --detach \
                --pidfile="$dir/run/ovs-vswitchd.pid" \
                --unixctl="$dir/run/qanat-vswitchd.ctl" \
                --log-file="$dir/log/qanat-vswitchd.log" -vconsole:off
    ) < /dev/null
}

# lab_vsctl HOST ARG...: the real ovs-vsctl.
lab_vsctl()
{
    local name="$1"

    shift
    lab_show "$name" ovs-vsctl "$@"
    if [ "$(lab_kind "$name")" = ovs ]; then
        case "$*" in
        *add-br\ *)
            set -- "$@" -- set bridge "$(echo "$*" \
                | sed 's/.*add-br \([^ ]*\).*/\1/')" datapath_type=netdev ;;
        esac
    fi
    lab_in "$name" ovs-vsctl --db="unix:$LAB_DIR/$name/run/db.sock" \
        --timeout="$LAB_DEADLINE" "$@"
}

# lab_appctl HOST ARG...: the real ovs-appctl.
lab_appctl()
{
    local name="$1"

    shift
    lab_show "$name" ovs-appctl -t /var/run/qanat/qanat-vswitchd.ctl "$@"
    lab_in "$name" timeout "$LAB_DEADLINE" \
        ovs-appctl -t "$LAB_DIR/$name/run/qanat-vswitchd.ctl" "$@"
}

# lab_pid HOST [DAEMON]: prints the daemon's process id.
lab_pid()
{
    local daemon="${2:-qanat-vswitchd}"

    if [ "$(lab_kind "$1")" = ovs ] && [ "$daemon" = qanat-vswitchd ]; then
        daemon=ovs-vswitchd
    fi
    cat "$LAB_DIR/$1/run/$daemon.pid"
}

# lab_verify: every switch that should run does, and its log and those of the
# sanitizers hold nothing that must not be there.  Prints what is wrong.
lab_verify()
{
    local host status=0 log

    for host in $(cat "$LAB_DIR/hosts"); do
        if [ "$(lab_kind "$host")" = ovs ]; then
            continue
        fi
        if [ "$(cat "$LAB_DIR/$host/state" 2> /dev/null)" = running ]; then
            lab_ctl "$host" status > "$LAB_DIR/status.out" 2>&1 || {
                sed "s/^/$host: /" "$LAB_DIR/status.out"
                status=1
            }
            lab_ctl "$host" stop > /dev/null || status=1
        fi
        log=$LAB_DIR/$host/log/qanat-vswitchd.log
        if grep -E -i 'assert|panic|\|EMER\||segmentation|backtrace' "$log" \
                2> /dev/null | grep -v -F -f "$LAB_DIR/expected-log" \
                | sed "s/^/$host: /" | grep .; then
            status=1
        fi
        for log in "$LAB_DIR/$host/log/"sanitizer.*; do
            if [ -s "$log" ]; then
                echo "$host: a sanitizer reports:"
                head -n 60 "$log"
                status=1
            fi
        done
    done
    return "$status"
}

# lab_show_logs: what a person wants to see after a failure.
lab_show_logs()
{
    local host log

    for host in $(cat "$LAB_DIR/hosts"); do
        echo "--- $host: ovs-vsctl show"
        lab_in "$host" ovs-vsctl --db="unix:$LAB_DIR/$host/run/db.sock" \
            --timeout=2 --no-wait show 2>&1
        for log in "$LAB_DIR/$host/log/"*; do
            echo "--- $host: ${log##*/} (the last 80 lines)"
            tail -n 80 "$log"
        done
    done
    for log in "$LAB_DIR"/*.out; do
        if [ -s "$log" ]; then
            echo "--- ${log##*/}"
            tail -n 40 "$log"
        fi
    done
}

# --- overlays of the field -------------------------------------------------

# lab_two_hosts: h1 and h2, p1p1 on each, joined by a wire of
# MTU 1500; guests g1 and g2 with 10.1.0.1 and 10.1.0.2, not on a bridge yet.
lab_two_hosts()
{
    lab_host h1 && lab_host h2 && lab_wire h1 p1p1 h2 p1p1 \
        && lab_guest g1 h1 vnet0 10.1.0.1/24 \
        && lab_guest g2 h2 vnet0 10.1.0.2/24
}

# lab_overlay SETUP TYPE [HOST...]: programs the hosts as the field's tutorials
# do.  SETUP is "two-bridge" or "one-bridge", TYPE "gre" or "vxlan".  LAB_FAMILY
# is 6 for IPv6 endpoints; LAB_OPTIONS are more options of the tunnel.
lab_overlay()
{
    local setup="$1" type="$2" host own peer port="${2}1"

    shift 2
    if [ $# -eq 0 ]; then
        set -- h1 h2
    fi
    for host; do
        case $host in
        h1) own=192.168.88.1/24 peer=192.168.88.2 ;;
        *) own=192.168.88.2/24 peer=192.168.88.1 ;;
        esac
        if [ "${LAB_FAMILY:-4}" = 6 ]; then
            own=fd88::${own#*.88.} peer=fd88::${peer#*.88.}
            own=${own%/*}/64
        fi
        lab_vsctl "$host" add-br grebr0 || return
        if [ "$setup" = two-bridge ]; then
            lab_vsctl "$host" add-br phybr0 \
                && lab_vsctl "$host" add-port phybr0 p1p1 \
                && lab_vsctl "$host" add-port phybr0 tep0 \
                    -- set Interface tep0 type=internal \
                && lab_addr "$host" tep0 "$own" || return
        else
            lab_addr "$host" p1p1 "$own" || return
        fi
        lab_vsctl "$host" add-port grebr0 vnet0 \
            && lab_vsctl "$host" add-port grebr0 "$port" \
                -- set Interface "$port" "type=$type" \
                "options:remote_ip=$(lab_quote "$peer")" \
                ${LAB_OPTIONS:-} || return
    done
}

# ovs-vsctl wants an IPv6 address in quotes, for its colons.
lab_quote()
{
    case $1 in
    *:*) printf '"%s"\n' "$1" ;;
    *) echo "$1" ;;
    esac
}

# --- traffic ---------------------------------------------------------------

# lab_reach NAME ADDRESS: until ADDRESS answers at all.
lab_reach()
{
    lab_wait "$LAB_DEADLINE" lab_in "$1" ping -n -q -c 1 -W 1 "$2"
}

# lab_ping NAME ADDRESS [PING OPTION...]: ten pings, none lost.
lab_ping()
{
    local name="$1" address="$2"

    shift 2
    lab_in "$name" ping -n -q -c 10 -i 0.05 -W 2 "$@" "$address" \
        > "$LAB_DIR/ping.out" 2>&1
    if ! grep -q ' 0% packet loss' "$LAB_DIR/ping.out"; then
        cat "$LAB_DIR/ping.out"
        return 1
    fi
}

# lab_no_ping NAME ADDRESS: ADDRESS does not answer.
lab_no_ping()
{
    ! lab_in "$1" ping -n -q -c 2 -i 0.2 -W 1 "$2" > /dev/null 2>&1
}

# lab_listening NAME tcp|udp PORT: does somebody listen there?
lab_listening()
{
    case $2 in
    tcp) lab_in "$1" ss -H -l -n -t "sport = :$3" | grep -q . ;;
    udp) lab_in "$1" ss -H -l -n -u "sport = :$3" | grep -q . ;;
    esac
}

# lab_tcp CLIENT SERVER ADDRESS: sends 24 MB over TCP both ways at once and
# checks every byte.
lab_tcp()
{
    lab_start "$2" "$(lab_job tcp)" timeout 60 "$LAB_PYTHON" \
        "$LAB_SRC/tests/lab.py" tcp-server 5301
    lab_wait "$LAB_DEADLINE" lab_listening "$2" tcp 5301 || return
    lab_in "$1" timeout 60 "$LAB_PYTHON" "$LAB_SRC/tests/lab.py" \
        tcp-client "$3" 5301 "${LAB_TCP_BYTES:-24000000}"
}

# lab_iperf CLIENT SERVER ADDRESS OPTION...: prints Gbit/s of one iperf3 run.
lab_iperf()
{
    local client="$1" server="$2" address="$3" job

    shift 3
    job=$(lab_job iperf)
    lab_start "$server" "$job" timeout 60 iperf3 -s -1
    lab_wait "$LAB_DEADLINE" lab_listening "$server" tcp 5201 || return
    lab_in "$client" timeout 60 iperf3 -c "$address" -J "$@" \
        > "$LAB_DIR/iperf.json" 2>&1
    lab_stop "$job"
    "$LAB_PYTHON" "$LAB_SRC/tests/lab.py" iperf "$LAB_DIR/iperf.json"
}

# --- looking at the wire ---------------------------------------------------

# What a fragment is, for tcpdump.
LAB_FRAGMENTS='ip[6:2] & 0x3fff != 0 or ip6[6] == 44'

# lab_capture NAME IF JOB [FILTER...]: captures to JOB.pcap until
# lab_capture_stop.
lab_capture()
{
    local name="$1" dev="$2" job="$3"

    shift 3
    lab_start "$name" "$job" tcpdump -n -i "$dev" --immediate-mode -U -Z root \
        -B 16384 -s "${LAB_SNAPLEN:-256}" -w "$LAB_DIR/$job.pcap" "$@"
    lab_wait "$LAB_DEADLINE" grep -q 'listening on' "$LAB_DIR/$job.out"
}

# lab_capture_stop JOB: prints the number of packets in JOB.pcap.
lab_capture_stop()
{
    lab_stop "$1" INT || return
    if ! grep -q '^0 packets dropped by kernel' "$LAB_DIR/$1.out"; then
        echo "the capture is not whole: $(tail -n 1 "$LAB_DIR/$1.out")"
        return 1
    fi
    # A packet of a strange kind takes more than one line; those are indented.
    tcpdump -n -r "$LAB_DIR/$1.pcap" 2> /dev/null | grep -c '^[^[:space:]]'
    return 0
}

# lab_packets JOB FILTER FIELD...: prints the named tshark fields of each
# packet in JOB.pcap that the display filter takes; where a field occurs twice,
# as in a tunnel, the outer one.  LAB_TSHARK are more options of tshark.
lab_packets()
{
    local job="$1" filter="$2" field

    shift 2
    set -- "$@" --end
    while [ "$1" != --end ]; do
        field=$1
        shift
        set -- "$@" -e "$field"
    done
    shift
    # shellcheck disable=SC2086
    tshark -n ${LAB_TSHARK:-} -r "$LAB_DIR/$job.pcap" -Y "$filter" \
        -T fields -E separator=/s -E occurrence=f "$@" 2> /dev/null
}

# lab_snmp NAME COUNTER: one of the kernel's IPv4 counters, e.g. FragCreates.
lab_snmp()
{
    lab_in "$1" awk -v name="$2" '
        /^Ip:/ && !n { n = split($0, names); next }
        /^Ip:/ { for (i = 2; i <= n; i++) if (names[i] == name) print $i }' \
        /proc/net/snmp
}
