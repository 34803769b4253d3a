/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline.c: what is published is what is read, and nothing is left behind
 * (the address sanitizer looks for that). */

#include "vswitchd/pipeline.h"

#include <CUnit/CUnit.h>
#include <arpa/inet.h>

#include "datapath/dp_private.h"
#include "tests/unit/vswitchd/xlate_env.h"

void suite_pipeline(void);

static void
test_lookup(void)
{
    struct xenv_port ports[50];
    const struct pipeline *pl;
    struct pl_bridge *br;

    /* OpenFlow numbers in no order. */
    for (uint32_t i = 0; i < 50; i++) {
        ports[i] = (struct xenv_port) {
            .bridge = i % 3 ? "br0" : "br1", .no = 1 + i * 37 % 50,
        };
    }
    xenv_publish(ports, 50, 99);
    pl = pipeline_get();
    CU_ASSERT_EQUAL(pl->n_bridges, 2);
    CU_ASSERT_EQUAL(pl->hostip_port, 99);
    for (uint32_t i = 0; i < 50; i++) {
        const struct pl_port *port = pipeline_port(pl, ports[i].no);

        CU_ASSERT_PTR_NOT_NULL_FATAL(port);
        CU_ASSERT_EQUAL(port->dp_port, ports[i].no);
        br = xenv_bridge(ports[i].bridge);
        CU_ASSERT_PTR_EQUAL(port->bridge, br);
        CU_ASSERT_PTR_EQUAL(pl_bridge_port(br, ports[i].no), port);
        br = xenv_bridge(i % 3 ? "br1" : "br0");
        CU_ASSERT_PTR_NULL(pl_bridge_port(br, ports[i].no));
    }
    CU_ASSERT_PTR_NULL(pipeline_port(pl, 0));
    CU_ASSERT_PTR_NULL(pipeline_port(pl, 51));
    CU_ASSERT_PTR_NULL(pipeline_port(pl, UINT32_MAX));
    CU_ASSERT_PTR_NULL(pl_bridge_port(xenv_bridge("br0"), UINT32_MAX));
    xenv_end();
}

/* Each publication makes every flow stale. */
static void
test_generations(void)
{
    static const struct xenv_port port = {
        .bridge = "br0", .no = 1, .trunks = "1 2 3", .addrs = "192.0.2.1",
    };
    uint32_t last = dp_pipeline_generation();

    for (unsigned int i = 0; i < 10; i++) {
        const struct pipeline *old = pipeline_get();

        xenv_publish(&port, i & 1, PORT_NONE);
        CU_ASSERT_PTR_NOT_EQUAL(pipeline_get(), old);
        CU_ASSERT_NOT_EQUAL(dp_pipeline_generation(), last);
        last = dp_pipeline_generation();
    }
    xenv_end();
}

/* Before anything is published no port is anybody's. */
static void
test_empty(void)
{
    pipeline_init();
    CU_ASSERT_EQUAL(pipeline_get()->n_bridges, 0);
    CU_ASSERT_PTR_NULL(pipeline_port(pipeline_get(), 1));
    pipeline_free(NULL);
}

void
suite_pipeline(void)
{
    CU_pSuite suite = CU_add_suite("pipeline", NULL, NULL);

    CU_add_test(suite, "empty", test_empty);
    CU_add_test(suite, "ports by number", test_lookup);
    CU_add_test(suite, "generations", test_generations);
}
