/* SPDX-License-Identifier: Apache-2.0 */
/* vport.c: the table of classes, and at whose account a drop is. */

#include "datapath/vport.h"

#include <CUnit/CUnit.h>
#include <string.h>

#include "datapath/mem.h"
#include "tests/unit/datapath/pmd_env.h"

void suite_vport(void);

static void
test_classes(void)
{
    static const char *const wanted[] = {
        "system", "internal", "dpdk", "patch", "gre", "vxlan",
    };
    unsigned int n = 0;
    const char *type;

    while ((type = vport_class_type(n))) {
        const struct vport_class *class = vport_class_find(type);

        CU_ASSERT_PTR_NOT_NULL_FATAL(class);
        CU_ASSERT_STRING_EQUAL(class->type, type);
        CU_ASSERT_PTR_EQUAL(vport_class_find(type), class);
        /* Ours alone. */
        CU_ASSERT_STRING_NOT_EQUAL(type, "hostip");
        n++;
        CU_ASSERT_FATAL(n < 100);
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(wanted); i++) {
        bool is_found = false;

        for (unsigned int j = 0; j < n; j++) {
            is_found |= !strcmp(wanted[i], vport_class_type(j));
        }
        CU_ASSERT(is_found);
    }
    CU_ASSERT_PTR_NULL(vport_class_find(""));
    CU_ASSERT_PTR_NULL(vport_class_find("Gre"));
    CU_ASSERT_PTR_NULL(vport_class_find("geneve2"));
    CU_ASSERT_PTR_NOT_NULL(vport_class_find("hostip"));
    CU_ASSERT_PTR_NULL(vport_class_type(n + 1));
    /* A tunnel has no device. */
    CU_ASSERT_PTR_NULL(vport_class_find("gre")->tx);
    CU_ASSERT_PTR_NULL(vport_class_find("gre")->rx);
}

static void
test_ports(void)
{
    struct vport_cfg cfg = { .name = (char *) "x", .type = (char *) "patch" };
    struct vport *a, *b, *c;
    char *error;

    pmd_env_begin();
    smap_init(&cfg.options);
    CU_ASSERT_PTR_NULL(dp_port_add(&cfg, &a));
    CU_ASSERT_PTR_NULL(dp_port_add(&cfg, &b));
    CU_ASSERT(a->port_no != PORT_NONE && a->port_no != b->port_no);
    CU_ASSERT_PTR_EQUAL(dp_port_find(a->port_no), a);

    cfg.port_no = a->port_no;   /* Taken: another is chosen. */
    CU_ASSERT_PTR_NULL(dp_port_add(&cfg, &c));
    CU_ASSERT(c->port_no != a->port_no && c->port_no != b->port_no);
    dp_port_del(c);
    cfg.port_no = 1234;
    CU_ASSERT_PTR_NULL(dp_port_add(&cfg, &c));
    CU_ASSERT_EQUAL(c->port_no, 1234);
    dp_port_del(c);
    CU_ASSERT_PTR_NULL(dp_port_find(1234));
    CU_ASSERT_PTR_NULL(dp_port_find(UINT32_MAX));
    CU_ASSERT_PTR_NULL(dp_port_find(PORT_NONE));

    cfg.type = (char *) "nonsense";
    error = dp_port_add(&cfg, &c);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CU_ASSERT_PTR_NOT_NULL(strstr(error, "nonsense"));
    CU_ASSERT_PTR_NULL(c);
    free(error);
    dp_port_del(a);
    dp_port_del(b);
    smap_fini(&cfg.options);
    pmd_env_end();
}

static void
test_drops(void)
{
    struct vport *vport;
    struct vport_counters c;
    uint64_t dropped;

    pmd_env_begin();
    vport = pmd_env_add_port(1, 0, 1500);
    vport_drop_rx(vport, &pmd_env, mem_alloc_small(), DROP_PARSE_IP4_LEN);
    vport_drop_rx(vport, &pmd_env, mem_alloc_small(), DROP_VNET_CSUM_PLACE);
    vport_drop_rx(vport, &pmd_env, mem_alloc_small(), DROP_SAME_PORT);
    vport_drop_tx(vport, &pmd_env, mem_alloc_small(), DROP_TX_ERROR);
    vport_drop_tx(vport, &pmd_env, mem_alloc_small(), DROP_TX_FULL);
    vport_count_drop(vport, &pmd_env, DROP_NO_MBUF);
    /* A port that is gone has no account; the packet is freed. */
    vport_drop_rx(NULL, &pmd_env, mem_alloc_small(), DROP_SAME_PORT);

    dp_port_get_counters(vport, &c, &dropped);
    CU_ASSERT_EQUAL(c.rx_errors, 2);
    CU_ASSERT_EQUAL(c.tx_errors, 1);
    CU_ASSERT_EQUAL(c.drops[DROP_PARSE_IP4_LEN], 1);
    CU_ASSERT_EQUAL(c.drops[DROP_VNET_CSUM_PLACE], 1);
    CU_ASSERT_EQUAL(c.drops[DROP_SAME_PORT], 1);
    CU_ASSERT_EQUAL(c.drops[DROP_TX_ERROR], 1);
    CU_ASSERT_EQUAL(c.drops[DROP_TX_FULL], 1);
    CU_ASSERT_EQUAL(c.drops[DROP_NO_MBUF], 1);
    CU_ASSERT_EQUAL(pmd_env_n_all_drops(), 6);
    pmd_env_end();
}

void
suite_vport(void)
{
    CU_pSuite suite = CU_add_suite("vport", NULL, NULL);

    CU_add_test(suite, "classes", test_classes);
    CU_add_test(suite, "ports and numbers", test_ports);
    CU_add_test(suite, "drops", test_drops);
}
