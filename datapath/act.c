/* SPDX-License-Identifier: Apache-2.0 */

/* act.c - fifth stage of a packet's way: the actions of its flow.
 *
 * PMD threads.  Never looks at what the packet still needs: that is
 * offload.c's, at each output. */

#include "datapath/act.h"

#include <arpa/inet.h>

#include "datapath/act_set.h"
#include "datapath/adopt.h"
#include "datapath/gro.h"
#include "datapath/mem.h"
#include "datapath/offload.h"
#include "datapath/pop.h"
#include "lib/base/hash.h"
#include "lib/pkt/wire.h"

struct act_batch {
    struct rte_mbuf **pkts;
    const struct flow_key **keys;
    unsigned int n;
};

static struct vport *
phys_vport(const struct rte_mbuf *m)
{
    return dp_port_find(pkt_meta(m)->phys_port);
}

static void
drop_all(struct pmd *pmd, struct act_batch *b, enum drop_reason reason)
{
    for (unsigned int i = 0; i < b->n; i++) {
        vport_drop_rx(phys_vport(b->pkts[i]), pmd, b->pkts[i], reason);
    }
    b->n = 0;
}

/* Fills 'to' with copies of 'b' (less those for which there is no memory),
 * with arrays of the caller's. */
static void
copy_batch(struct pmd *pmd, const struct act_batch *b, struct act_batch *to)
{
    to->n = 0;
    for (unsigned int i = 0; i < b->n; i++) {
        struct rte_mbuf *copy = pkt_clone(b->pkts[i]);

        if (!copy) {
            vport_count_drop(phys_vport(b->pkts[i]), pmd, DROP_NO_MBUF);
            continue;
        }
        to->pkts[to->n] = copy;
        to->keys[to->n++] = b->keys[i];
    }
}

static void
act_output(struct pmd *pmd, struct act_batch *b, uint32_t port)
{
    struct vport *out = dp_port_find(port);

    if (UNLIKELY(!out || !out->class->tx)) {
        drop_all(pmd, b, DROP_NO_PORT);
        return;
    }
    for (unsigned int i = 0; i < b->n; i++) {
        offload_send(pmd, out, b->pkts[i]);
    }
    b->n = 0;
}

/* Applies 'EDIT', an expression that turns packet 'm' into its edited self or
 * NULL for want of memory, to the whole batch. */
#define EDIT_BATCH(PMD, B, EDIT)                                              \
    do {                                                                      \
        unsigned int kept_ = 0;                                               \
                                                                              \
        for (unsigned int i_ = 0; i_ < (B)->n; i_++) {                        \
            struct rte_mbuf *m = (B)->pkts[i_];                               \
            const struct flow_key *key UNUSED = (B)->keys[i_];                \
            struct vport *phys_ = phys_vport(m);                              \
                                                                              \
            m = (EDIT);                                                       \
            if (UNLIKELY(!m)) {                                               \
                vport_count_drop(phys_, (PMD), DROP_NO_MBUF);                 \
                continue;                                                     \
            }                                                                 \
            (B)->pkts[kept_] = m;                                             \
            (B)->keys[kept_++] = key;                                         \
        }                                                                     \
        (B)->n = kept_;                                                       \
    } while (0)

static struct rte_mbuf *
push_vlan(struct rte_mbuf *m, const struct action_push_vlan *a)
{
    struct vlan_hdr tag = {
        .tpid = a->tpid,
        .tci = a->tci & htons((uint16_t) ~VLAN_TCI_PRESENT),
    };

    m = pkt_gap(m, 2 * 6, sizeof tag);
    if (LIKELY(m)) {
        memcpy(pkt_data(m) + 2 * 6, &tag, sizeof tag);
    }
    return m;
}

/* The entropy of a tunnel packet: what stays the same within one
 * conversation, so that the network keeps its packets in order. */
static uint32_t
conversation_hash(const struct flow_key *key)
{
    const uint64_t *w = flow_key_words(key);
    uint64_t h = hash_fold(w[1] ^ HASH_K0, w[2] ^ HASH_K1);

    h = hash_fold(h ^ w[5], HASH_K2 ^ key->nw_proto);
    if (key->parts & FLOW_PART_IPV6) {
        h = hash_fold(h ^ w[6] ^ w[8], HASH_K1 ^ w[7] ^ w[9]);
    }
    if (!key->nw_frag) {
        h = hash_fold(h ^ key->tp_src, HASH_K2 ^ key->tp_dst);
    }
    return (uint32_t) (h ^ h >> 32);
}

static struct rte_mbuf *
tnl_push(struct pmd *pmd, struct vport *tnl, struct rte_mbuf *m,
         const struct tnl_push *push, const struct flow_key *key)
{
    struct vport_counters *c = &tnl->per_pmd[pmd->id]->c;
    uint32_t len = m->pkt_len;
    struct pkt_encap *e;
    struct pkt_meta *md;

    m = pkt_push(m, push->hdr_len);
    if (UNLIKELY(!m)) {
        return NULL;
    }
    md = pkt_meta(m);
    e = &md->encaps[md->n_encaps++];
    e->ops = tnl_ops_get(push->type);
    e->tnl_port = push->tnl_port;
    e->start = 0;
    e->l3 = push->l3_ofs;
    e->l4 = push->l4_ofs;
    e->inner = push->hdr_len;
    e->path_mtu = push->path_mtu;
    e->csum = push->csum;
    e->seq = push->seq;
    e->icmp_too_big = push->icmp_too_big;
    tnl_apply(push, pkt_data(m), key, conversation_hash(key));
    c->tx_packets++;
    c->tx_bytes += len;
    return m;
}

static void
act_tnl_push(struct pmd *pmd, struct act_batch *b,
             const struct tnl_push *push)
{
    struct vport *tnl = dp_port_find(push->tnl_port);

    if (UNLIKELY(!tnl)) {
        drop_all(pmd, b, DROP_NO_PORT);
        return;
    }
    for (unsigned int i = 0; i < b->n;) {
        if (UNLIKELY(pkt_meta(b->pkts[i])->n_encaps == PKT_MAX_ENCAPS)) {
            vport_drop_rx(phys_vport(b->pkts[i]), pmd, b->pkts[i],
                          DROP_TNL_DEPTH);
            b->n--;
            memmove(&b->pkts[i], &b->pkts[i + 1],
                    (b->n - i) * sizeof *b->pkts);
            memmove(&b->keys[i], &b->keys[i + 1],
                    (b->n - i) * sizeof *b->keys);
            continue;
        }
        i++;
    }
    if (b->n > 1) {
        b->n = gro_burst(pmd, tnl, b->pkts, b->keys, b->n);
    }
    EDIT_BATCH(pmd, b, tnl_push(pmd, tnl, m, push, key));
}

static void
pop_batch(struct pmd *pmd, struct act_batch *b, uint32_t type)
{
    for (unsigned int i = 0; i < b->n; i++) {
        pop_tunnel(pmd, b->pkts[i], b->keys[i], (tnl_type) type);
    }
    b->n = 0;
}

/* The pop in a list, or in a list within. */
static const struct action_tnl_pop *
find_pop(const void *actions, uint32_t len)
{
    const struct action *a;

    ACTION_FOR_EACH (a, actions, len) {
        const struct action_clone *clone = (const void *) a;
        const struct action_tnl_pop *pop = NULL;

        if (a->type == ACTION_TNL_POP) {
            pop = (const void *) a;
        } else if (a->type == ACTION_CLONE) {
            pop = find_pop(action_clone_data(clone), action_clone_len(clone));
        }
        if (pop) {
            return pop;
        }
    }
    return NULL;
}

/* Claims that fit nothing we have parsed can be explained by a pop: such a
 * packet goes there and nowhere else.  Or a guest made a tunnel of its own,
 * which is adopted. */
static void
judge_liars(struct pmd *pmd, const void *actions, uint32_t len,
            struct act_batch *b)
{
    unsigned int kept = 0;

    for (unsigned int i = 0; i < b->n; i++) {
        enum vnet_status lie = pkt_meta(b->pkts[i])->lie;

        if (UNLIKELY(lie != VNET_OK)) {
            const struct action_tnl_pop *pop = find_pop(actions, len);

            if (pop) {
                pop_tunnel(pmd, b->pkts[i], b->keys[i], (tnl_type) pop->type);
                continue;
            }
            if (!adopt_tunnel(b->pkts[i], b->keys[i])) {
                vport_drop_rx(phys_vport(b->pkts[i]), pmd, b->pkts[i],
                              drop_from_vnet(lie));
                continue;
            }
        }
        b->pkts[kept] = b->pkts[i];
        b->keys[kept++] = b->keys[i];
    }
    b->n = kept;
}

static void
execute_list(struct pmd *pmd, const void *actions, uint32_t len,
             struct act_batch *b)
{
    const uint8_t *end = (const uint8_t *) actions + len;
    const struct action *a;

    ACTION_FOR_EACH (a, actions, len) {
        bool last = (const uint8_t *) a + a->len == end;
        struct rte_mbuf *copies[PKT_BURST];
        const struct flow_key *copy_keys[PKT_BURST];
        struct act_batch copy = { copies, copy_keys, 0 };

        switch ((enum action_type) a->type) {
        case ACTION_OUTPUT: {
            uint32_t port = ((const struct action_output *) a)->port;

            if (last) {
                act_output(pmd, b, port);
            } else {
                copy_batch(pmd, b, &copy);
                act_output(pmd, &copy, port);
            }
            break;
        }
        case ACTION_CLONE: {
            const struct action_clone *clone = (const void *) a;

            if (last) {
                execute_list(pmd, action_clone_data(clone),
                             action_clone_len(clone), b);
            } else {
                copy_batch(pmd, b, &copy);
                execute_list(pmd, action_clone_data(clone),
                             action_clone_len(clone), &copy);
            }
            break;
        }
        case ACTION_PUSH_VLAN:
            EDIT_BATCH(pmd, b, push_vlan(m, (const void *) a));
            break;
        case ACTION_POP_VLAN:
            EDIT_BATCH(pmd, b,
                       pkt_gap(m, 2 * 6, -(int) sizeof(struct vlan_hdr)));
            break;
        case ACTION_SET:
            EDIT_BATCH(pmd, b, UNLIKELY(pkt_meta(m)->is_adopted)
                               ? adopt_set(m, (const void *) a, key)
                               : act_set(m, (const void *) a, key));
            break;
        case ACTION_TNL_PUSH:
            act_tnl_push(pmd, b,
                         &((const struct action_tnl_push *) a)->push);
            break;
        case ACTION_TNL_POP: {
            uint32_t type = ((const struct action_tnl_pop *) a)->type;

            if (last) {
                pop_batch(pmd, b, type);
            } else {
                /* Flooding: others are to have the packet as it is. */
                copy_batch(pmd, b, &copy);
                pop_batch(pmd, &copy, type);
            }
            break;
        }
        case ACTION_DROP:
            drop_all(pmd, b, (enum drop_reason)
                     ((const struct action_drop *) a)->reason);
            break;
        }
    }

    /* What a list left over has been sent as copies. */
    for (unsigned int i = 0; i < b->n; i++) {
        rte_pktmbuf_free(b->pkts[i]);
    }
    b->n = 0;
}

void
act_execute(struct pmd *pmd, const void *actions, uint32_t len,
            struct rte_mbuf **pkts, const struct flow_key **keys,
            unsigned int n)
{
    struct act_batch b = { pkts, keys, n };

    if (!len) {
        drop_all(pmd, &b, DROP_UPCALL);
        return;
    }
    judge_liars(pmd, actions, len, &b);
    execute_list(pmd, actions, len, &b);
}
