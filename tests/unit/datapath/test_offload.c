/* SPDX-License-Identifier: Apache-2.0 */
/* offload.c and what it calls, against the naive model in ref_offload.c:
 * random frames of all kinds, through random encapsulations, in chains of all
 * shapes, towards ports of any capability and MTU.  What leaves is looked at
 * from outside. */

#include "datapath/offload.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/pkt/wire.h"
#include "tests/unit/datapath/ref_offload.h"

#define N_CASES 20000

void suite_offload(void);

enum kind {
    TCP_SUPER, USO_SUPER, UFO_SUPER,
    TCP_PLAIN, UDP_PLAIN, ICMP_PLAIN, FRAGMENT,
    N_KINDS
};

struct test_case {
    enum kind kind;
    struct env_frame f;
    struct env_tnl tnls[PKT_MAX_ENCAPS];        /* [0] is innermost. */
    unsigned int n_tnls;
    enum dpdk_env_shape shape;
    uint32_t caps;
    uint16_t mtu;
    uint32_t room;
    uint32_t overhead;          /* Outermost to innermost L3 header. */
};

static struct env_bytes bytes;
static uint8_t got[ENV_MAX_FRAME];
static unsigned int n_seen[N_KINDS][4], n_seen_trains;

#define FAIL(C, ...)                                                          \
    (fprintf(stderr, __VA_ARGS__), print_case(C), false)

static void
print_case(const struct test_case *c)
{
    fprintf(stderr, " (kind %d IPv%d vlans %d payload %u gso_size %u csum %d"
            " frag %04x flags %03x tunnels %u shape %d caps %x mtu %u"
            " room %u)\n", c->kind, c->f.version, c->f.n_vlans,
            c->f.payload_len, c->f.gso_size, c->f.csum, c->f.frag,
            c->f.tcp_flags, c->n_tnls, c->shape, c->caps, c->mtu, c->room);
}

static bool
coin(unsigned int one_in)
{
    return !dpdk_env_range(0, one_in - 1);
}

static void
make_frame(struct test_case *c, uint32_t max_payload)
{
    struct env_frame *f = &c->f;

    memset(f, 0, sizeof *f);
    f->version = coin(2) ? 4 : 6;
    f->n_vlans = (uint8_t) dpdk_env_range(0, 2);
    f->proto = c->kind == TCP_SUPER || c->kind == TCP_PLAIN ? IPPROTO_TCP
                                                            : IPPROTO_UDP;
    f->ip_id = (uint16_t) dpdk_env_random();
    f->frag = coin(2) ? IP4_DF : 0;
    f->csum = coin(2) ? ENV_CSUM_PARTIAL
              : coin(4) ? ENV_CSUM_WRONG : ENV_CSUM_FULL;
    f->padding = coin(6) ? dpdk_env_range(1, 30) : 0;
    f->payload_len = coin(3) ? dpdk_env_range(1, 3000)
                             : dpdk_env_range(1, max_payload);
    if (coin(3)) {
        f->ip4_options = (uint8_t) (4 * dpdk_env_range(0, 10));
        f->hop_by_hop = coin(2);
        f->routing = coin(2);
        f->dest_options = coin(2);
    }
    if (f->proto == IPPROTO_TCP) {
        static const uint16_t flags[] = {
            TCP_ACK, TCP_ACK | TCP_PSH, TCP_ACK | TCP_FIN,
            TCP_ACK | TCP_PSH | TCP_FIN | TCP_CWR | TCP_ECE,
            TCP_ACK | TCP_CWR,
        };

        f->tcp_flags = flags[dpdk_env_range(0, 4)];
        f->tcp_options = (uint8_t) (4 * dpdk_env_range(0, 10));
    }
}

static void
make_super(struct test_case *c)
{
    struct env_frame *f = &c->f;
    uint32_t min = MAX(f->payload_len / 900, 1);

    f->csum = ENV_CSUM_PARTIAL;
    f->gso = c->kind == UFO_SUPER ? PKT_GSO_UFO
             : c->kind == USO_SUPER ? PKT_GSO_USO
             : f->version == 4 ? PKT_GSO_TCP4 : PKT_GSO_TCP6;
    if (f->payload_len < 40) {
        f->payload_len = 40;
    }
    f->gso_size = (uint16_t) dpdk_env_range(min, MIN(f->payload_len - 1,
                                                     coin(3) ? 9000 : 1500));
    if (c->kind == UFO_SUPER) {
        f->gso_size = (uint16_t) ROUND_UP(MAX(f->gso_size, 8), 8);
    }
}

static void
make_plain(struct test_case *c)
{
    struct env_frame *f = &c->f;

    switch (c->kind) {
    case TCP_PLAIN:
        if (coin(6)) {
            f->tcp_flags |= coin(2) ? TCP_SYN : coin(2) ? TCP_RST : TCP_URG;
        }
        break;
    case ICMP_PLAIN:
        f->proto = f->version == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
        f->csum = ENV_CSUM_FULL;
        break;
    case FRAGMENT:
        f->version = 4;
        f->csum = ENV_CSUM_FULL;
        f->payload_len = MIN(f->payload_len, 30000u);
        f->frag = coin(3) ? IP4_MF
                  : (uint16_t) (dpdk_env_range(1, 4000)
                                | (coin(2) ? IP4_MF : 0));
        /* All but the last carry a multiple of 8. */
        f->payload_len = ROUND_UP(f->payload_len, 8);
        break;
    case TCP_SUPER:
    case USO_SUPER:
    case UFO_SUPER:
    case UDP_PLAIN:
    case N_KINDS:
        break;
    }
}

static void
make_tnls(struct test_case *c)
{
    c->n_tnls = coin(3) ? 0 : coin(4) ? dpdk_env_range(2, 3) : 1;
    for (unsigned int i = 0; i < c->n_tnls; i++) {
        struct env_tnl *t = &c->tnls[i];

        memset(t, 0, sizeof *t);
        t->is_gre = coin(2);
        t->is_ip6 = coin(2);
        t->csum = coin(2) || (t->is_ip6 && !t->is_gre);
        t->key = coin(2);
        t->seq = t->is_gre && coin(2);
        t->df = t->is_ip6 || coin(2);
        t->quiet = coin(5);
        t->path_mtu = coin(3) ? (uint16_t) dpdk_env_range(1000, 2000) : 0;
    }
}

/* How much the innermost L3 packet may have. */
static void
find_room(struct test_case *c)
{
    bool any = c->caps & VPORT_CAP_ANY_SIZE;
    uint32_t limit = any ? 65535 : c->mtu;

    c->overhead = 0;
    c->room = 65535;
    for (unsigned int i = 0; i < c->n_tnls; i++) {
        const struct env_tnl *t = &c->tnls[i];
        uint32_t path = t->path_mtu ? t->path_mtu : 65535;

        /* What is between this outer header and the innermost. */
        c->overhead += env_tnl_len(t) + 14
                       + (i ? 0 : 4u * c->f.n_vlans);
        c->room = MIN(c->room, path - c->overhead);
    }
    c->room = MIN(c->room, limit - c->overhead);
}

static void
make_case(struct test_case *c)
{
    static const uint16_t mtus[] = { 576, 1280, 1400, 1500, 1500, 1500, 9000,
                                     65535 };
    uint32_t max_payload = coin(3) ? 65000 : 9000;

    c->kind = (enum kind) dpdk_env_range(0, N_KINDS - 1);
    c->mtu = coin(8) ? (uint16_t) dpdk_env_range(300, 999)
                     : mtus[dpdk_env_range(0, ARRAY_SIZE(mtus) - 1)];
    c->caps = dpdk_env_random() & (VPORT_CAP_ANY_SIZE - 1);
    c->caps |= coin(8) && max_payload < 60000 ? 0 : VPORT_CAP_CHAIN;
    c->caps |= coin(10) ? VPORT_CAP_ANY_SIZE : 0;
    c->caps |= coin(3) ? VPORT_CAP_TRAIN : 0;
    if (max_payload > 60000) {
        c->caps |= VPORT_CAP_CHAIN;
    }
    make_tnls(c);
    make_frame(c, c->mtu < 1000 ? 8000 : max_payload);
    if (c->kind <= UFO_SUPER) {
        make_super(c);
    } else {
        make_plain(c);
    }
    c->shape = (enum dpdk_env_shape) dpdk_env_range(0, N_SHAPES - 1);
    find_room(c);
}

/* Compares an inner frame with what it should be. */
static bool
same_frame(const struct test_case *c, const uint8_t *b, uint32_t len,
           const struct ref_frame *want, bool was_cut)
{
    uint8_t *w = want->b;
    uint32_t field = bytes.csum_ofs;

    if (len != want->len) {
        return FAIL(c, "length %u, not %u", len, want->len);
    }
    if (c->f.proto == IPPROTO_TCP && was_cut) {
        uint16_t is = env_get16(b + field), should = env_get16(w + field);

        if (c->f.csum == ENV_CSUM_WRONG) {
            if (is == should || is % 0xffff == should % 0xffff) {
                return FAIL(c, "a wrong checksum became right");
            }
        } else if (is % 0xffff != should % 0xffff) {
            return FAIL(c, "TCP checksum %04x, not %04x", is, should);
        }
        memcpy(w + field, b + field, 2);
    } else if (c->f.proto == IPPROTO_TCP && c->f.csum == ENV_CSUM_PARTIAL
               && !env_get16(w + field) && env_get16(b + field) == 0xffff) {
        memcpy(w + field, b + field, 2);        /* Two zeros are one. */
    }
    if (memcmp(b, w, len)) {
        uint32_t i = 0;

        while (b[i] == w[i]) {
            i++;
        }
        return FAIL(c, "byte %u (l3 %u l4 %u payload %u) is %02x, not %02x",
                    i, bytes.l3, bytes.l4, bytes.payload, b[i], w[i]);
    }
    return true;
}

/* IPv6 fragments have an ID of their own choice, which must be one. */
static bool
adopt_ip6_id(const struct test_case *c, const uint8_t *b, uint32_t len,
             const struct ref *ref, unsigned int i)
{
    static uint32_t id;
    uint32_t at = bytes.l3 + bytes.unfrag_len + 4;

    if (c->kind != UFO_SUPER || c->f.version != 6 || at + 4 > len) {
        return true;
    }
    if (i && id != env_get32(b + at)) {
        return FAIL(c, "IPv6 fragments of two IDs");
    }
    id = env_get32(b + at);
    env_put32(ref->frames[i].b + at, id);
    return true;
}

/* Checks one packet as the wire sees it ('got', 'len'), the i-th of all. */
static bool
check_packet(const struct test_case *c, const struct ref *ref, unsigned int i,
             uint32_t len, bool is_train)
{
    static uint32_t last_seq;
    uint32_t l2_len = c->n_tnls ? 14 : bytes.l3;
    uint32_t at = 0;

    for (unsigned int t = c->n_tnls; t-- > 0;) {
        struct env_tnl tnl = c->tnls[t];
        const char *error;
        uint32_t n;

        /* A cutter fills in a checksum that the tunnel need not have. */
        tnl.csum |= is_train && t + 1 == c->n_tnls;
        n = env_strip(&tnl, got + at, len - at, &error);
        if (!n) {
            return FAIL(c, "tunnel %u: %s", t, error);
        }
        if (tnl.path_mtu && len - at - 14 > tnl.path_mtu) {
            return FAIL(c, "tunnel %u: above its path MTU", t);
        }
        at += n;
        if (tnl.is_gre && tnl.seq && c->n_tnls == 1) {
            uint32_t seq = env_get32(got + at - 4);

            if (i && seq != last_seq + 1) {
                return FAIL(c, "GRE sequence");
            }
            last_seq = seq;
        }
    }
    if (!(c->caps & VPORT_CAP_ANY_SIZE) && len - l2_len > c->mtu) {
        return FAIL(c, "longer than the MTU");
    }
    return adopt_ip6_id(c, got + at, len - at, ref, i)
           && same_frame(c, got + at, len - at, &ref->frames[i], ref->cut);
}

/* Whether the train 'm' of 'n' pieces should have been longer by the first
 * piece of what was sent next. */
static bool
ends_too_early(const struct rte_mbuf *m, unsigned int n,
               const struct rte_mbuf *next)
{
    const struct pkt_meta *md = pkt_meta(m), *next_md = pkt_meta(next);
    const struct pkt_encap *outer = &md->encaps[md->n_encaps - 1];
    uint32_t front = outer->l4 + 8;
    uint32_t size = n > 1 ? md->need.gso_size : m->pkt_len - front;
    uint32_t next_size = next_md->need.gso ? next_md->need.gso_size
                                           : next->pkt_len - front;

    return n < 64 && m->pkt_len - front == n * size && next_size <= size
           && m->pkt_len - outer->l3 + next_size <= 65535;
}

static bool
check_sent(const struct test_case *c, const struct ref *ref)
{
    bool trains = c->n_tnls && !c->tnls[c->n_tnls - 1].is_gre
                  && !(~c->caps & (VPORT_CAP_TRAIN | VPORT_CAP_USO
                                   | VPORT_CAP_CSUM | VPORT_CAP_CHAIN));
    unsigned int n = 0, n_trains = 0;

    for (unsigned int i = 0; i < env_n_sent; i++) {
        const struct rte_mbuf *m = env_sent[i];
        bool is_train = pkt_meta(m)->need.gso;
        unsigned int piece = 0;
        const char *error;
        uint32_t len;

        if ((is_train && !trains)
            || (pkt_meta(m)->need.csum
                && (!(c->caps & VPORT_CAP_CSUM) || (c->n_tnls && !trains)))
            || (m->nb_segs > 1 && !(c->caps & VPORT_CAP_CHAIN))) {
            return FAIL(c, "more than the port can do");
        }
        for (; env_piece(m, piece, got, &len, &error); piece++, n++) {
            if (n == ref->n) {
                return FAIL(c, "more than %u packets", n);
            }
            if (!check_packet(c, ref, n, len, is_train)) {
                return false;
            }
        }
        if (error) {
            return FAIL(c, "%s", error);
        }
        if (trains && ref->n > 1 && i + 1 < env_n_sent
            && ends_too_early(m, piece, env_sent[i + 1])) {
            return FAIL(c, "a train of %u might be longer", piece);
        }
        n_trains += is_train;
    }
    if (n != ref->n || env_vport_pmd.c.trains_tx != n_trains) {
        return FAIL(c, "%u packets, not %u, %u trains", n, ref->n, n_trains);
    }
    n_seen_trains += n_trains;
    return true;
}

static bool
check_whole(const struct test_case *c, const struct ref *ref)
{
    const struct pkt_need *need;
    uint32_t len;

    if (env_n_sent != 1) {
        return FAIL(c, "%u packets, not a whole one", env_n_sent);
    }
    need = &pkt_meta(env_sent[0])->need;
    len = dpdk_env_bytes(env_sent[0], got, sizeof got);
    if (len != bytes.end || memcmp(got, bytes.b, len)) {
        return FAIL(c, "a whole packet changed");
    }
    if (need->gso != c->f.gso || need->gso_size != ref->gso_size
        || !need->csum || need->csum_start != bytes.l4) {
        return FAIL(c, "need of a whole packet: size %u, not %u",
                    need->gso_size, ref->gso_size);
    }
    return true;
}

static bool
check_dropped(const struct test_case *c, const struct ref *ref)
{
    enum drop_reason reason = DROP_BAD_SEGMENT;
    unsigned int n_answers = 0;

    if (ref->fate == REF_TOO_BIG) {
        reason = c->n_tnls && !c->f.gso && c->room + c->overhead >= 65535
                 ? DROP_TOO_LONG_ENCAP : DROP_TOO_BIG;
        n_answers = !c->n_tnls || !c->tnls[0].quiet;
        if (c->kind == FRAGMENT && c->f.frag & IP4_OFS_MASK) {
            n_answers = 0;
        }
    }
    if (env_n_drops() != 1 || env_vport_pmd.c.drops[reason] != 1) {
        return FAIL(c, "not one drop as %s", drop_reason_name(reason));
    }
    if (env_n_sent || env_pmd.n_recirc != n_answers
        || env_vport_pmd.c.icmp_too_big != n_answers) {
        return FAIL(c, "%u sent, %u answers, not %u", env_n_sent,
                    env_pmd.n_recirc, n_answers);
    }
    return true;
}

static bool
check_counters(const struct test_case *c, const struct ref *ref)
{
    const struct vport_counters *n = &env_vport_pmd.c;

    if (ref->fate == REF_TOO_BIG || ref->fate == REF_BAD_SEGMENT) {
        return true;
    }
    if (env_n_drops() || n->cut != ref->cut || n->frags != ref->n_frags) {
        return FAIL(c, "drops %u, cut %u, fragments %u (not %u)",
                    (unsigned int) env_n_drops(), (unsigned int) n->cut,
                    (unsigned int) n->frags, ref->n_frags);
    }
    return true;
}

static bool
run_case(struct test_case *c)
{
    struct rte_mbuf *m, *clone = NULL;
    const struct ref *ref;
    uint8_t *was = NULL;
    uint32_t was_len = 0;
    bool ok = false;

    env_build(&c->f, &bytes);
    if (bytes.end - bytes.l3 > 65535) {
        return true;
    }
    m = env_packet(&c->f, &bytes, c->shape);
    for (unsigned int i = 0; i < c->n_tnls; i++) {
        m = env_encap(m, &c->tnls[i], ENV_TNL_PORT + i);
    }
    if (coin(3)) {
        clone = pkt_clone(m);
        was = malloc(ENV_MAX_FRAME);
        was_len = dpdk_env_bytes(clone, was, ENV_MAX_FRAME);
    }
    ref = ref_offload(&c->f, &bytes, c->room, c->n_tnls ? 0 : c->caps);
    if (ref->fate == REF_SENT && !c->n_tnls) {
        /* The send buffer of a port that takes super-packets coalesces again
         * what it was not to get whole. */
        c->caps &= ~(uint32_t) (VPORT_CAP_TSO4 | VPORT_CAP_TSO6);
    }
    env_reset(c->caps, c->mtu);
    offload_send(&env_pmd, &env_vport, m);
    env_collect();

    switch (ref->fate) {
    case REF_SENT:
        ok = check_sent(c, ref);
        break;
    case REF_WHOLE:
        ok = check_whole(c, ref);
        break;
    case REF_TOO_BIG:
    case REF_BAD_SEGMENT:
        ok = check_dropped(c, ref);
        break;
    }
    ok = ok && check_counters(c, ref);
    n_seen[c->kind][ref->fate]++;
    env_free_sent();
    if (clone) {
        if (dpdk_env_bytes(clone, got, sizeof got) != was_len
            || memcmp(got, was, was_len)) {
            ok = FAIL(c, "a clone changed");
        }
        rte_pktmbuf_free(clone);
        free(was);
    }
    if (!dpdk_env_is_full()) {
        ok = FAIL(c, "mbufs lost");
    }
    return ok;
}

static void
test_random(void)
{
    unsigned int n_bad = 0;

    dpdk_env_start();
    for (unsigned int i = 0; i < N_CASES && n_bad < 5; i++) {
        struct test_case c;

        dpdk_env_seed(i);
        make_case(&c);
        if (!run_case(&c)) {
            fprintf(stderr, "case %u\n", i);
            n_bad++;
        }
    }
    CU_ASSERT_EQUAL(n_bad, 0);

    /* That the cases reach what they are made for. */
    CU_ASSERT(n_seen[TCP_SUPER][REF_SENT] > 100);
    CU_ASSERT(n_seen[TCP_SUPER][REF_WHOLE] > 20);
    CU_ASSERT(n_seen[USO_SUPER][REF_SENT] > 100);
    CU_ASSERT(n_seen[USO_SUPER][REF_WHOLE] > 20);
    CU_ASSERT(n_seen[USO_SUPER][REF_TOO_BIG] > 20);
    CU_ASSERT(n_seen[UFO_SUPER][REF_SENT] > 100);
    CU_ASSERT(n_seen[UFO_SUPER][REF_WHOLE] > 20);
    CU_ASSERT(n_seen[TCP_PLAIN][REF_SENT] > 100);
    CU_ASSERT(n_seen[UDP_PLAIN][REF_SENT] > 100);
    CU_ASSERT(n_seen[UDP_PLAIN][REF_TOO_BIG] > 20);
    CU_ASSERT(n_seen[FRAGMENT][REF_SENT] > 100);
    CU_ASSERT(n_seen_trains > 100);
}

void
suite_offload(void)
{
    CU_pSuite suite = CU_add_suite("offload", NULL, NULL);

    CU_add_test(suite, "random frames against the naive model", test_random);
}
