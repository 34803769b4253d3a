/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of lib/tnl/tnl_cfg.c: each option, each way to get it wrong, and the
 * sentence that tells. */

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/smap.h"
#include "lib/base/str.h"
#include "tests/unit/tnl/tnl_test.h"

void suite_tnl_cfg(void);

#define R "remote_ip=192.0.2.2"
#define R6 "remote_ip=2001:db8::2"

/* Reads options given as text; '*ignored' may be NULL. */
static char *
parse(const char *type, const char *options, struct tnl_cfg *cfg,
      char **ignored)
{
    struct smap map;
    char *text = NULL;
    char *error;

    smap_init(&map);
    error = smap_parse(&map, options, strlen(options));
    CU_ASSERT_PTR_NULL(error);
    free(error);
    error = tnl_cfg_parse(tnl_type_from_name(type), &map, cfg, &text);
    if (error) {
        CU_ASSERT_PTR_NULL(text);
    }
    if (ignored) {
        *ignored = text;
    } else {
        free(text);
    }
    smap_fini(&map);
    return error;
}

/* What is left after the canonical form was made. */
static void
check_text(const char *type, const char *options, const char *want)
{
    struct tnl_cfg cfg = tnl_test_cfg(type, options);
    struct str s = STR_INIT;

    tnl_cfg_format(&s, &cfg);
    if (strcmp(str_cstr(&s), want)) {
        printf("    %s: %s\n", options, str_cstr(&s));
    }
    CU_ASSERT_STRING_EQUAL(str_cstr(&s), want);

    /* The text means the same. */
    struct tnl_cfg again = tnl_test_cfg(type, str_cstr(&s));
    CU_ASSERT(!memcmp(&cfg, &again, sizeof cfg));
    str_fini(&s);
}

static void
test_good(void)
{
    static const struct {
        const char *type;
        const char *options;
        const char *text;       /* NULL: as the options. */
    } cases[] = {
        {"gre", R, NULL},
        {"vxlan", R, NULL},
        {"gre", R6, NULL},
        {"gre", "remote_ip=flow", NULL},
        {"gre", "remote_ip=flow,local_ip=flow,key=flow", NULL},
        {"gre", "remote_ip=flow,local_ip=192.0.2.1", NULL},
        {"gre", R ",local_ip=192.0.2.1", NULL},
        {"gre", R6 ",local_ip=2001:db8::1", NULL},
        {"gre", "remote_ip=::ffff:192.0.2.2", R},
        {"gre", R ",key=0", R},
        {"gre", R ",key=0x0", R},
        {"gre", R ",key=0xffffffff", R ",key=4294967295"},
        {"gre", R ",in_key=1", NULL},
        {"gre", R ",out_key=1", NULL},
        {"gre", R ",in_key=1,out_key=flow", NULL},
        {"gre", R ",in_key=flow,out_key=2", NULL},
        {"gre", R ",in_key=5,out_key=5", R ",key=5"},
        {"gre", R ",in_key=flow,out_key=flow", R ",key=flow"},
        {"vxlan", R ",key=16777215", NULL},
        {"vxlan", R ",dst_port=4789", R},
        {"vxlan", R ",dst_port=1", NULL},
        {"vxlan", R ",dst_port=65535", NULL},
        {"vxlan", R ",dst_port=0x2118", R ",dst_port=8472"},
        {"vxlan", R ",csum=true", NULL},
        {"gre", R ",csum=false", R},
        {"gre", R ",df_default=false", NULL},
        {"gre", R ",df_default=true", R},
        {"gre", R ",tos=inherit", NULL},
        {"gre", R ",tos=0xfc", NULL},
        {"gre", R ",tos=40", R ",tos=0x28"},
        {"gre", R ",tos=0", R},
        {"gre", R ",ttl=inherit", NULL},
        {"gre", R ",ttl=255", NULL},
        {"gre", R ",ttl=64", R},
        {"gre", R ",ttl=0", R},
        {"gre", R ",seq=true", NULL},
        {"gre", R ",seq=false", R},
        {"vxlan", R ",packet_type=legacy_l2", R},
        {"vxlan", R ",icmp_too_big=false", NULL},
        {"gre", R ",icmp_too_big=true", R},
        {"gre", R ",local_ip=192.0.2.1,in_key=1,out_key=2,csum=true,"
         "df_default=false,tos=0x4,ttl=1,seq=true,icmp_too_big=false", NULL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        check_text(cases[i].type, cases[i].options,
                   cases[i].text ? cases[i].text : cases[i].options);
    }
}

static void
test_fields(void)
{
    struct tnl_cfg cfg = tnl_test_cfg("vxlan", R);
    struct tnl_cfg want;

    memset(&want, 0, sizeof want);
    want.type = tnl_type_from_name("vxlan");
    want.df = true;
    want.icmp_too_big = true;
    want.ttl = 64;
    want.dst_port = 4789;
    want.remote = flow_addr_from_ip4(inet_addr("192.0.2.2"));
    CU_ASSERT(!memcmp(&cfg, &want, sizeof cfg));

    cfg = tnl_test_cfg("gre", "remote_ip=flow,local_ip=192.0.2.9,in_key=flow,"
                       "out_key=258,csum=true,seq=true,df_default=false,"
                       "tos=inherit,ttl=inherit,icmp_too_big=false");
    memset(&want, 0, sizeof want);
    want.type = tnl_type_from_name("gre");
    want.remote_flow = want.has_local = true;
    want.in_key_flow = want.out_key_present = true;
    want.csum = want.seq = want.tos_inherit = want.ttl_inherit = true;
    want.ttl = 64;
    want.local = flow_addr_from_ip4(inet_addr("192.0.2.9"));
    want.out_key = htobe64(258);
    CU_ASSERT(!memcmp(&cfg, &want, sizeof cfg));
}

/* Each error names the option, its value as given, and a remedy. */
static void
test_bad(void)
{
    static const struct {
        const char *type;
        const char *options;
        const char *words[3];
    } cases[] = {
        {"gre", "", {"remote_ip is missing", "set it"}},
        {"gre", "key=1", {"remote_ip is missing"}},
        {"gre", "remote_ip=host.example.org",
         {"remote_ip", "\"host.example.org\"", "names are not resolved"}},
        {"gre", "remote_ip=\"\"", {"remote_ip", "\"\"", "must be"}},
        {"gre", "remote_ip=192.0.2", {"remote_ip", "\"192.0.2\""}},
        {"gre", "remote_ip=192.0.2.2/24", {"remote_ip", "\"192.0.2.2/24\""}},
        {"gre", "remote_ip=192.0.2.256", {"remote_ip", "\"192.0.2.256\""}},
        {"gre", "remote_ip=fe80::1%eth0", {"remote_ip", "\"fe80::1%eth0\""}},
        {"gre", "remote_ip=Flow", {"remote_ip", "\"Flow\""}},
        {"gre", "remote_ip=224.0.0.1",
         {"remote_ip", "\"224.0.0.1\"", "a multicast address"}},
        {"vxlan", "remote_ip=239.1.1.1", {"a multicast address"}},
        {"vxlan", "remote_ip=ff02::1", {"\"ff02::1\"", "a multicast"}},
        {"vxlan", "remote_ip=::ffff:224.0.0.1", {"a multicast address"}},
        {"gre", "remote_ip=0.0.0.0", {"remote_ip", "unspecified"}},
        {"gre", "remote_ip=::", {"remote_ip", "unspecified"}},
        {"gre", "remote_ip=255.255.255.255", {"remote_ip", "broadcast"}},
        {"gre", R ",local_ip=eth0", {"local_ip", "\"eth0\""}},
        {"gre", R ",local_ip=224.0.0.1", {"local_ip", "a multicast address"}},
        {"gre", R ",local_ip=0.0.0.0", {"local_ip", "unspecified"}},
        {"gre", R ",local_ip=flow", {"local_ip", "\"flow\"",
                                     "remote_ip=flow"}},
        {"gre", R ",local_ip=2001:db8::1",
         {"\"192.0.2.2\"", "\"2001:db8::1\"", "address families"}},
        {"gre", R6 ",local_ip=192.0.2.1",
         {"\"2001:db8::2\"", "\"192.0.2.1\"", "address families"}},
        {"gre", R ",key=4294967296",
         {"key", "\"4294967296\"", "0 to 4294967295 (32 bits for gre)"}},
        {"vxlan", R ",key=16777216",
         {"key", "\"16777216\"", "0 to 16777215 (24 bits for vxlan)"}},
        {"vxlan", R ",in_key=0x1000000", {"in_key", "\"0x1000000\""}},
        {"vxlan", R ",out_key=-1", {"out_key", "\"-1\""}},
        {"gre", R ",key=18446744073709551617", {"key"}},
        {"gre", R ",key=five", {"key", "\"five\"", "\"flow\" or a number"}},
        {"gre", R ",key=\"\"", {"key", "\"\""}},
        {"gre", R ",key=\"5 \"", {"key", "\"5 \""}},
        {"gre", R ",key=0x", {"key", "\"0x\""}},
        {"gre", R ",key=1,in_key=2", {"key \"1\"", "in_key \"2\"", "either"}},
        {"gre", R ",key=1,out_key=1", {"key \"1\"", "out_key \"1\""}},
        {"vxlan", R ",dst_port=0", {"dst_port", "\"0\"", "1 to 65535"}},
        {"vxlan", R ",dst_port=65536", {"dst_port", "\"65536\""}},
        {"vxlan", R ",dst_port=vxlan", {"dst_port", "\"vxlan\""}},
        {"gre", R ",dst_port=4789",
         {"\"dst_port\" is unknown", "type gre", "remove it"}},
        {"vxlan", R ",seq=true", {"\"seq\" is unknown", "type vxlan"}},
        {"gre", R ",exts=gbp", {"\"exts\" is unknown"}},
        {"vxlan", R ",exts=gbp", {"exts", "\"gbp\"", "not supported"}},
        {"vxlan", R ",exts=gpe", {"exts", "\"gpe\"", "not supported"}},
        {"gre", R ",csum=yes", {"csum", "\"yes\"", "true or false"}},
        {"gre", R ",csum=True", {"csum", "\"True\""}},
        {"gre", R ",df_default=1", {"df_default", "\"1\""}},
        {"gre", R ",seq=\"\"", {"seq", "\"\"", "true"}},
        {"gre", R ",icmp_too_big=no", {"icmp_too_big", "\"no\""}},
        {"gre", R ",tos=1", {"tos", "\"1\"", "ECN"}},
        {"gre", R ",tos=0x2e", {"tos", "\"0x2e\"", "DSCP times 4"}},
        {"gre", R ",tos=256", {"tos", "\"256\""}},
        {"gre", R ",tos=ef", {"tos", "\"ef\""}},
        {"gre", R ",ttl=256", {"ttl", "\"256\"", "0 to 255"}},
        {"gre", R ",ttl=-1", {"ttl", "\"-1\""}},
        {"gre", R ",ttl=Inherit", {"ttl", "\"Inherit\""}},
        {"gre", R ",packet_type=ptap", {"packet_type", "\"ptap\"",
                                        "legacy_l2"}},
        {"vxlan", R ",packet_type=legacy_l3", {"\"legacy_l3\""}},
        {"gre", R ",psk=secret", {"\"psk\"", "does not encrypt", "remove"}},
        {"vxlan", R ",remote_cert=/x", {"\"remote_cert\"", "encrypt"}},
        {"vxlan", R ",remote_name=x", {"\"remote_name\"", "encrypt"}},
        {"gre", R ",ipsec_encapsulation=yes", {"ipsec_encapsulation"}},
        {"gre", R ",egress_pkt_mark=1", {"\"egress_pkt_mark\"", "remove"}},
        {"gre", R ",remoteip=1", {"\"remoteip\" is unknown", "known are "
                                  "remote_ip, local_ip, key,"}},
        {"gre", R ",peer=patch0", {"\"peer\" is unknown"}},
        {"gre", R ",tos=\xd0\xb5" "f", {"tos", "\"\\xd0\\xb5f\""}},
        {"gre", R ",\xe2\x82\xac=1", {"\"\\xe2\\x82\\xac\" is unknown"}},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct tnl_cfg cfg;
        char *error = parse(cases[i].type, cases[i].options, &cfg, NULL);

        CU_ASSERT_PTR_NOT_NULL(error);
        if (!error) {
            printf("    accepted: %s\n", cases[i].options);
            continue;
        }
        for (size_t j = 0; j < ARRAY_SIZE(cases[i].words); j++) {
            const char *words = cases[i].words[j];

            if (words && !strstr(error, words)) {
                printf("    %s: no %s in: %s\n", cases[i].options, words,
                       error);
                CU_FAIL("error text");
            }
        }
        free(error);
    }
}

/* Whatever the row holds, the sentence is short and printable. */
static void
test_long_and_dirty(void)
{
    static const char *const names[] = {
        "remote_ip", "local_ip", "key", "in_key", "out_key", "dst_port",
        "csum", "df_default", "tos", "ttl", "seq", "packet_type", "exts",
        "icmp_too_big", "psk",
    };
    char *value = malloc(100001);

    for (unsigned int round = 0; round < 300; round++) {
        size_t len = round < 5 ? 100000 : 1 + tnl_test_random() % 60;

        for (size_t i = 0; i < len; i++) {
            value[i] = (char) (1 + tnl_test_random() % 255);
        }
        value[len] = '\0';
        for (size_t i = 0; i <= ARRAY_SIZE(names); i++) {
            struct smap map;
            struct tnl_cfg cfg;
            char *ignored;
            char *error;

            smap_init(&map);
            smap_set(&map, "remote_ip", "192.0.2.2");
            if (i < ARRAY_SIZE(names)) {
                smap_set(&map, names[i], value);
            } else {
                smap_set(&map, value, "1");
            }
            error = tnl_cfg_parse(tnl_type_from_name("vxlan"), &map, &cfg,
                                  &ignored);
            CU_ASSERT_PTR_NULL(ignored);
            if (error) {
                CU_ASSERT(strlen(error) < 600);
                for (const char *p = error; *p; p++) {
                    CU_ASSERT(*p >= 0x20 && *p < 0x7f);
                }
                free(error);
            } else {
                /* A digit or two can come out of the dice. */
                CU_ASSERT(len < 4);
            }
            smap_fini(&map);
        }
    }
    free(value);
}

static void
test_ignored(void)
{
    struct tnl_cfg cfg;
    char *ignored;

    CU_ASSERT_PTR_NULL(parse("gre", R ",n_txq_desc=1,n_rxq=2", &cfg,
                             &ignored));
    CU_ASSERT_PTR_NOT_NULL_FATAL(ignored);
    CU_ASSERT_STRING_EQUAL(ignored, "n_rxq, n_txq_desc");
    free(ignored);
}

static void
check_conflict(const char *type_a, const char *a, const char *type_b,
               const char *b, bool want)
{
    struct tnl_cfg cfg_a = tnl_test_cfg(type_a, a);
    struct tnl_cfg cfg_b = tnl_test_cfg(type_b, b);

    if (tnl_cfg_conflicts(&cfg_a, &cfg_b) != want) {
        printf("    %s %s\n", a, b);
    }
    CU_ASSERT_EQUAL(tnl_cfg_conflicts(&cfg_a, &cfg_b), want);
    CU_ASSERT_EQUAL(tnl_cfg_conflicts(&cfg_b, &cfg_a), want);
}

static void
test_conflicts(void)
{
    check_conflict("gre", R, "gre", R, true);
    check_conflict("gre", R, "vxlan", R, false);
    check_conflict("gre", R, "gre", "remote_ip=192.0.2.3", false);
    check_conflict("gre", R, "gre", R ",local_ip=192.0.2.1", false);
    check_conflict("gre", R ",local_ip=192.0.2.1",
                   "gre", R ",local_ip=192.0.2.1", true);
    check_conflict("gre", R, "gre", "remote_ip=flow", false);
    check_conflict("gre", "remote_ip=flow", "gre", "remote_ip=flow", true);
    check_conflict("gre", "remote_ip=flow",
                   "gre", "remote_ip=flow,local_ip=flow", false);
    check_conflict("gre", R ",key=1", "gre", R ",key=2", false);
    check_conflict("gre", R ",key=1", "gre", R ",key=1", true);
    check_conflict("gre", R ",key=1", "gre", R ",key=flow", false);
    check_conflict("gre", R, "gre", R ",key=flow", false);

    /* Key 0 is no key; what is sent, and how, does not count. */
    check_conflict("gre", R, "gre", R ",in_key=0", true);
    check_conflict("gre", R, "gre", R ",out_key=5", true);
    check_conflict("gre", R, "gre", R ",csum=true,seq=true,tos=4,ttl=3,"
                   "df_default=false,icmp_too_big=false", true);
    check_conflict("vxlan", R, "vxlan", R ",dst_port=8472", false);
    check_conflict("vxlan", R, "vxlan", R ",dst_port=4789", true);
    check_conflict("vxlan", R6, "vxlan", R, false);
    check_conflict("gre", "remote_ip=::ffff:192.0.2.2", "gre", R, true);
}

void
suite_tnl_cfg(void)
{
    CU_pSuite suite = CU_add_suite("tnl_cfg", NULL, NULL);

    CU_add_test(suite, "good options", test_good);
    CU_add_test(suite, "what the fields are", test_fields);
    CU_add_test(suite, "bad options", test_bad);
    CU_add_test(suite, "long and dirty values", test_long_and_dirty);
    CU_add_test(suite, "options without effect", test_ignored);
    CU_add_test(suite, "conflicts", test_conflicts);
}
