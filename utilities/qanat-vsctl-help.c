/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-help.c - the text of --help.
 */
#include <stdio.h>

#include "lib/ipc/dirs.h"
#include "utilities/qanat-vsctl-args.h"
#include "utilities/qanat-vsctl-record.h"

static const char commands_text[] =
    "The switch as a whole:\n"
    "  init                        make the database's root row if needed\n"
    "  show                        bridges, ports and interfaces as a tree\n"
    "  emer-reset                  take back controllers, mirrors and more\n"
    "\n"
    "Bridges:\n"
    "  [--may-exist] add-br BRIDGE               make a bridge\n"
    "  [--may-exist] add-br BRIDGE PARENT VLAN   show a VLAN as a bridge\n"
    "  [--if-exists] del-br BRIDGE               delete it and its ports\n"
    "  [--real|--fake] list-br                   names of bridges\n"
    "  br-exists BRIDGE            status 0 if it exists, otherwise 2\n"
    "  br-to-vlan BRIDGE           VLAN of a fake bridge, otherwise 0\n"
    "  br-to-parent BRIDGE         parent of a fake bridge, or itself\n"
    "  br-set-external-id BRIDGE KEY [VALUE]     set or remove a key\n"
    "  br-get-external-id BRIDGE [KEY]           print one or all keys\n"
    "\n"
    "Ports (a bond is one port):\n"
    "  list-ports BRIDGE           names of ports, without the local one\n"
    "  [--may-exist] add-port BRIDGE PORT [COLUMN[:KEY]=VALUE]...\n"
    "  [--may-exist] [--fake-iface] add-bond BRIDGE PORT IFACE IFACE...\n"
    "                [COLUMN[:KEY]=VALUE]...\n"
    "  [--may-exist] add-bond-iface BOND IFACE\n"
    "  [--if-exists] del-bond-iface [BOND] IFACE\n"
    "  [--if-exists] [--with-iface] del-port [BRIDGE] PORT\n"
    "  port-to-br PORT             name of the bridge it is on\n"
    "\n"
    "Interfaces (a bond has several):\n"
    "  list-ifaces BRIDGE          names of interfaces\n"
    "  iface-to-br IFACE           name of the bridge it is on\n"
    "\n"
    "Controllers, managers and SSL:\n"
    "  get-controller BRIDGE       del-controller BRIDGE\n"
    "  [--inactivity-probe=MS] set-controller BRIDGE TARGET...\n"
    "  get-fail-mode BRIDGE        del-fail-mode BRIDGE\n"
    "  set-fail-mode BRIDGE standalone|secure\n"
    "  get-manager                 del-manager\n"
    "  [--inactivity-probe=MS] set-manager TARGET...\n"
    "  get-ssl                     del-ssl\n"
    "  [--bootstrap] set-ssl PRIVATE-KEY CERTIFICATE CA-CERTIFICATE\n"
    "\n"
    "Any table:\n"
    "  [--if-exists] [--columns=COLUMN,...] list TABLE [RECORD]...\n"
    "  [--columns=COLUMN,...] find TABLE [COLUMN[:KEY]OPERATOR VALUE]...\n"
    "  [--if-exists] [--id=@NAME] get TABLE RECORD [COLUMN[:KEY]]...\n"
    "  [--if-exists] set TABLE RECORD COLUMN[:KEY]=VALUE...\n"
    "  [--if-exists] add TABLE RECORD COLUMN [KEY=]VALUE...\n"
    "  [--if-exists] remove TABLE RECORD COLUMN KEY|VALUE|KEY=VALUE...\n"
    "  [--if-exists] clear TABLE RECORD COLUMN...\n"
    "  [--id=@NAME|UUID] create TABLE COLUMN[:KEY]=VALUE...\n"
    "  [--if-exists] destroy TABLE RECORD...     --all destroy TABLE\n"
    "  wait-until TABLE RECORD [COLUMN[:KEY]OPERATOR VALUE]...\n"
    "  comment [WORD]...\n"
    "Operators: = != < > <= >= {=} {!=} {<} {>} {<=} {>=} {in} {not-in}\n"
    "\n"
    "A RECORD can be named in these ways:\n";

static const char options_text[] =
    "\n"
    "  --no-wait                   do not wait for the switch\n"
    "  -t, --timeout=SECONDS       give up after that time (status 142)\n"
    "  --dry-run                   change nothing\n"
    "  --oneline                   one line of output per command\n"
    "  --retry                     try to connect until it works\n"
    "\n"
    "Form of the output of list and find:\n"
    "  -f, --format=FORMAT         table, list, html, csv or json\n"
    "  -d, --data=FORMAT           string, bare or json\n"
    "  --no-headings               leave out the names of columns\n"
    "  --bare                      --format=list --data=bare --no-headings\n"
    "  --pretty                    spread JSON over lines\n"
    "  --max-column-width=N        cut cells of --format=table\n"
    "\n"
    "Logging and information:\n"
    "  -v, --verbose[=SPEC]        set log levels\n"
    "  --log-file[=FILE]           write a log file too\n"
    "  --no-syslog                 log warnings only to syslog\n"
    "  --commands, --options       print what there is, for shells\n"
    "  -h, --help                  print this\n"
    "  -V, --version               print the version\n";

static const char *const tables[] = {
    "Bridge", "Port", "Interface", "Controller", "Manager", "Mirror", "QoS",
    "Queue", "NetFlow", "sFlow", "IPFIX", "Flow_Table", "AutoAttach", "SSL",
    "Open_vSwitch",
};

void
args_print_help(void)
{
    struct str s = STR_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        str_printf(&s, "  %s:\n", tables[i]);
        record_describe(&s, tables[i]);
    }
    printf("%s: asks and changes the configuration of Qanat\n"
           "usage: %s [OPTIONS] [--] [OPTIONS] COMMAND [ARG]... "
           "[-- [OPTIONS] COMMAND [ARG]...]...\n\n%s%s\n"
           "Options:\n"
           "  --db=SERVER[,SERVER]...     unix:FILE, tcp:IP[:PORT]\n"
           "                              (default: unix:%s/db.sock)%s",
           qanat_progname(), qanat_progname(), commands_text, str_cstr(&s),
           dirs_run(), options_text);
    str_fini(&s);
}
