/* SPDX-License-Identifier: Apache-2.0 */
/* gro.c, as pmd_tx() calls it: random streams of TCP segments with everything
 * in them that must not be merged away.  What leaves is cut again by the naive
 * model in ref_offload.c and must be, stream by stream and byte by byte, what
 * went in. */

#include "datapath/gro.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>

#include "datapath/mem.h"
#include "lib/pkt/wire.h"
#include "tests/unit/datapath/ref_offload.h"

#define N_CASES 3000
#define MAX_STREAMS 12          /* More than GRO_SLOTS. */
#define MAX_QUEUE 400
#define MAX_BIG 40              /* Big buffers are few. */
#define ALL_CAPS (VPORT_CAP_CHAIN | VPORT_CAP_CSUM | VPORT_CAP_TSO4           \
                  | VPORT_CAP_TSO6)

void suite_gro(void);

/* What one packet is made of, beside its stream's headers. */
struct step {
    uint32_t seq;
    uint32_t payload_len;
    uint16_t flags;
    uint16_t id;
    enum env_csum csum;
    bool vouched;               /* DATA_VALID, on a right checksum. */
    bool bad_ip_csum;
    uint32_t padding;
};

struct stream {
    struct env_frame f;
    struct env_bytes t;         /* Template. */
    uint32_t seq;
    uint16_t id;
    uint32_t mss;
    uint8_t *queue[MAX_QUEUE];  /* Sent into the port, in order. */
    uint32_t len[MAX_QUEUE];
    unsigned int n, n_out;
};

static struct stream streams[MAX_STREAMS];
static unsigned int n_streams;
static uint8_t arena[16u << 20];
static size_t arena_used;
static unsigned int n_big;
static unsigned int n_seen_super, n_seen_segs, n_seen_alone;
static unsigned int n_max_segs;

static struct rte_mbuf *clones[2048];
static uint8_t *clone_bytes[2048];
static uint32_t clone_len[2048];
static unsigned int n_clones;

/* Instead of the port: gro_burst(). */
static bool is_burst, is_ok;
static struct rte_mbuf *burst[PKT_BURST];
static const struct flow_key *burst_keys[PKT_BURST];
static struct flow_key burst_key[PKT_BURST];
static unsigned int n_burst;

static struct env_bytes frame;
static uint8_t got[ENV_MAX_FRAME];

#define FAIL(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), false)

static bool
coin(unsigned int one_in)
{
    return !dpdk_env_range(0, one_in - 1);
}

static uint8_t *
keep(const uint8_t *b, uint32_t len)
{
    uint8_t *p = arena + arena_used;

    if (arena_used + len > sizeof arena) {
        abort();
    }
    memcpy(p, b, len);
    arena_used += len;
    return p;
}

static void
begin(uint32_t caps)
{
    env_reset(caps, 1500);
    arena_used = 0;
    n_streams = 0;
    n_big = 0;
    n_clones = 0;
    n_burst = 0;
    is_ok = true;
}

static struct stream *
add_stream(uint8_t version, uint8_t n_vlans, uint8_t tcp_options, uint32_t mss)
{
    struct stream *s = &streams[n_streams++];

    s->f = (struct env_frame) {
        .version = version, .proto = IPPROTO_TCP, .n_vlans = n_vlans,
        .tcp_options = tcp_options, .tcp_flags = TCP_ACK,
        .frag = coin(2) ? IP4_DF : 0,
    };
    env_build(&s->f, &s->t);
    env_put16(s->t.b + s->t.l4, n_streams);     /* Who it is. */
    env_put16(s->t.b + s->t.l4 + 18, 0);        /* Urgent pointer. */
    s->seq = coin(4) ? 0xffffffffu - dpdk_env_range(0, 20000)
                     : dpdk_env_random();
    s->id = coin(4) ? (uint16_t) (0xfff0 + dpdk_env_range(0, 15))
                    : (uint16_t) dpdk_env_random();
    s->mss = mss;
    s->n = s->n_out = 0;
    return s;
}

/* Makes frame 'frame' of a stream's headers and 'p'. */
static void
build(const struct stream *s, const struct step *p)
{
    const struct env_bytes *t = &s->t;
    uint8_t *l3 = frame.b + t->l3, *l4 = frame.b + t->l4;
    uint32_t l4_len = t->payload - t->l4 + p->payload_len;
    uint32_t sum;

    memcpy(frame.b, t->b, t->payload);
    frame.l3 = t->l3;
    frame.l4 = t->l4;
    frame.payload = t->payload;
    frame.csum_ofs = t->csum_ofs;
    frame.end = t->payload + p->payload_len;
    frame.len = frame.end + p->padding;
    dpdk_env_fill(frame.b + t->payload, p->payload_len);
    memset(frame.b + frame.end, 0, p->padding);
    env_put32(l4 + 4, p->seq);
    env_put16(l4 + 12, (env_get16(l4 + 12) & 0xf000) | p->flags);
    if (s->f.version == 4) {
        env_put16(l3 + 2, frame.end - t->l3);
        env_put16(l3 + 4, p->id);
        env_put16(l3 + 10, 0);
        env_put16(l3 + 10, ~env_sum(0, l3, t->l4 - t->l3));
        if (p->bad_ip_csum) {
            l3[10] ^= 0x40;
        }
    } else {
        env_put16(l3 + 4, frame.end - t->l3 - 40);
    }

    env_put16(l4 + 16, 0);
    sum = env_pseudo_sum(l3, IPPROTO_TCP, l4_len);
    if (p->csum != ENV_CSUM_PARTIAL) {
        sum = ~env_sum(sum, l4, l4_len) & 0xffff;
        if (p->csum == ENV_CSUM_WRONG) {
            sum = (sum + dpdk_env_range(1, 0xfffe)) % 0xffff;
        }
    }
    env_put16(l4 + 16, sum);
}

/* What must come out for the frame: with its checksum completed. */
static void
expect(struct stream *s, const struct step *p)
{
    uint32_t l4_len = frame.end - frame.l4;
    uint8_t *b;

    if (s->n == MAX_QUEUE) {
        abort();
    }
    b = s->queue[s->n] = keep(frame.b, frame.len);
    s->len[s->n++] = frame.len;
    if (p->csum == ENV_CSUM_PARTIAL) {
        env_put16(b + frame.l4 + 16, 0);
        env_put16(b + frame.l4 + 16,
                  ~env_sum(env_pseudo_sum(b + frame.l3, IPPROTO_TCP, l4_len),
                           b + frame.l4, l4_len));
    }
}

/* Whatever waits leaves. */
static bool
flush(void)
{
    unsigned int n;

    if (!is_burst) {
        pmd_flush(&env_pmd);
        return true;
    }
    n = gro_burst(&env_pmd, &env_vport, burst, burst_keys, n_burst);
    n_burst = 0;
    for (unsigned int i = 0; i < n; i++) {
        struct flow_key key;
        struct pkt_ofs ofs;
        uint32_t len = dpdk_env_bytes(burst[i], got, sizeof got);

        /* The keys go along: those of the packets that are left. */
        env_sent[env_n_sent++] = burst[i];
        if (len == UINT32_MAX
            || parse_packet(got, len, len, &key, &ofs) != PARSE_OK
            || key.tp_src != burst_keys[i]->tp_src
            || key.nw_ttl != burst_keys[i]->nw_ttl) {
            return FAIL("a packet with the key of another");
        }
    }
    return true;
}

static bool
send_packet(struct rte_mbuf *m, const struct flow_key *key)
{
    if (!is_burst) {
        pmd_tx(&env_pmd, &env_vport, m);
        return true;
    }
    burst_key[n_burst] = *key;
    burst_keys[n_burst] = &burst_key[n_burst];
    burst[n_burst++] = m;
    return n_burst < PKT_BURST || flush();
}

/* Builds a packet and sends it into the port. */
static void
put_in(struct stream *s, const struct step *p)
{
    enum dpdk_env_shape shape = (enum dpdk_env_shape)
                                dpdk_env_range(0, N_SHAPES - 1);
    struct flow_key key;
    struct pkt_meta *md;
    struct rte_mbuf *m;

    build(s, p);
    expect(s, p);
    if (shape != SHAPE_TINY && frame.len > MEM_SMALL_ROOM / 2
        && n_big++ >= MAX_BIG) {
        shape = SHAPE_TINY;
    }
    m = dpdk_env_packet(frame.b, frame.len, shape, frame.payload);
    md = pkt_meta(m);
    if (parse_packet(pkt_data(m), m->data_len, m->pkt_len, &key, &md->ofs)
        != PARSE_OK) {
        abort();
    }
    md->need.csum = p->csum == ENV_CSUM_PARTIAL;
    md->need.csum_start = (uint16_t) frame.l4;
    md->need.csum_offset = 16;
    md->need.csum_valid = p->vouched;
    if (coin(6) && n_clones < ARRAY_SIZE(clones)) {
        clones[n_clones] = pkt_clone(m);
        clone_len[n_clones] = frame.len;
        clone_bytes[n_clones++] = keep(frame.b, frame.len);
        if (coin(2)) {
            /* The reference travels, the owner stays. */
            struct rte_mbuf *ref = clones[n_clones - 1];

            clones[n_clones - 1] = m;
            m = ref;
        }
    }
    is_ok &= send_packet(m, &key);
}

static struct step
next_step(struct stream *s, uint32_t payload_len)
{
    struct step p = {
        .seq = s->seq, .payload_len = payload_len, .flags = TCP_ACK,
        .id = s->id, .csum = ENV_CSUM_FULL,
    };

    s->seq += payload_len;
    s->id++;
    return p;
}

/* A header field of the stream becomes another, for good. */
static void
step_header(struct stream *s)
{
    uint8_t *b = s->t.b;
    uint8_t *l3 = b + s->t.l3, *l4 = b + s->t.l4;
    bool is_ip4 = s->f.version == 4;

    switch (dpdk_env_range(0, 9)) {
    case 0: env_put32(l4 + 8, env_get32(l4 + 8) + 1000); break;
    case 1: env_put16(l4 + 14, env_get16(l4 + 14) + 1); break;
    case 2: l3[1] ^= is_ip4 ? 0x04 : 0x40; break;
    case 3: l3[is_ip4 ? 8 : 7] ^= 1; break;
    case 4: b[5] ^= 1; break;
    case 5: env_put16(l4 + 18, env_get16(l4 + 18) + 1); break;
    case 6:
        if (s->t.payload > s->t.l4 + 20) {
            /* Of a timestamp this is the last byte. */
            b[s->t.payload - 1]++;
        }
        break;
    case 7:
        if (is_ip4) {
            l3[6] ^= 0x40;      /* DF */
        } else {
            l3[3] ^= 1;         /* Flow label. */
        }
        break;
    case 8:
        if (s->f.n_vlans) {
            b[s->t.l3 - 3] ^= 1;
        }
        break;
    default:
        env_put16(l4 + 12, env_get16(l4 + 12) ^ 0x0100);  /* Reserved. */
        break;
    }
}

/* Something out of the ordinary. */
static void
send_odd(struct stream *s, struct step *p)
{
    static const uint16_t flags[] = {
        TCP_FIN, TCP_URG, TCP_SYN, TCP_CWR, TCP_ECE, TCP_RST,
        TCP_PSH | TCP_FIN,
    };
    struct step other = *p;

    switch (dpdk_env_range(0, 13)) {
    case 0: p->flags |= flags[dpdk_env_range(0, ARRAY_SIZE(flags) - 1)]; break;
    case 1: p->csum = ENV_CSUM_WRONG; p->vouched = false; break;
    case 2: p->bad_ip_csum = s->f.version == 4; break;
    case 3: p->padding = dpdk_env_range(1, 30); break;
    case 4: p->id++; s->id++; break;
    case 5: p->id--; break;
    case 6: p->seq += s->mss; s->seq += s->mss; break;       /* A gap. */
    case 7: p->seq -= s->mss; break;                         /* Again. */
    case 8: put_in(s, p); break;                               /* Twice. */
    case 9: p->flags &= (uint16_t) ~TCP_ACK; break;
    case 10:                                                 /* A pure ACK. */
        other.payload_len = 0;
        put_in(s, &other);
        p->id = s->id++;
        break;
    case 11:                                                 /* Reordered. */
        other = next_step(s, s->mss);
        put_in(s, &other);
        break;
    case 12: step_header(s); break;
    default: p->flags |= TCP_PSH; break;
    }
    put_in(s, p);
}

static void
send_next(struct stream *s)
{
    struct step p = next_step(s, coin(8) ? dpdk_env_range(1, 2 * s->mss)
                                         : s->mss);

    p.csum = coin(3) ? ENV_CSUM_PARTIAL : ENV_CSUM_FULL;
    p.vouched = p.csum == ENV_CSUM_FULL && coin(3);
    if (coin(12)) {
        p.flags |= TCP_PSH;
    }
    if (coin(10)) {
        send_odd(s, &p);
    } else {
        put_in(s, &p);
    }
}

/* Compares one frame with the next of its stream's. */
static bool
check_frame(const uint8_t *b, uint32_t len, bool was_merged)
{
    struct stream *s = NULL;
    const uint8_t *want;
    uint32_t field;

    for (unsigned int i = 0; i < n_streams; i++) {
        if (len >= streams[i].t.payload
            && env_get16(b + streams[i].t.l4) == i + 1
            && !memcmp(b + streams[i].t.l4 + 2,
                       streams[i].t.b + streams[i].t.l4 + 2, 2)) {
            s = &streams[i];
        }
    }
    if (!s || s->n_out == s->n) {
        return FAIL("a frame of no stream, or too many");
    }
    want = s->queue[s->n_out];
    if (len != s->len[s->n_out]) {
        return FAIL("frame %u of stream %u: %u bytes, not %u", s->n_out,
                    (unsigned int) (s - streams), len, s->len[s->n_out]);
    }
    s->n_out++;
    n_seen_alone += !was_merged;
    field = s->t.l4 + 16;
    for (uint32_t i = 0; i < len; i++) {
        if (b[i] != want[i] && i != field && i != field + 1) {
            return FAIL("frame %u of stream %u: byte %u (l3 %u, l4 %u) is"
                        " %02x, not %02x", s->n_out - 1,
                        (unsigned int) (s - streams), i, s->t.l3, s->t.l4,
                        b[i], want[i]);
        }
    }
    /* Two zeros are one. */
    return env_get16(b + field) % 0xffff == env_get16(want + field) % 0xffff
           || FAIL("a checksum became %04x, not %04x", env_get16(b + field),
                   env_get16(want + field));
}

/* Whether what a super-packet says of itself would be believed by another
 * switch, and its headers are as a cutter wants them. */
static bool
check_super(const struct rte_mbuf *m, uint32_t caps, uint32_t len)
{
    const struct pkt_meta *md = pkt_meta(m);
    bool is_ip4 = md->need.gso == PKT_GSO_TCP4;
    uint32_t tso = is_ip4 ? VPORT_CAP_TSO4 : VPORT_CAP_TSO6;
    const uint8_t *l3 = got + md->ofs.l3, *l4 = got + md->ofs.l4;
    struct virtio_net_hdr vnet;
    struct flow_key key;
    struct pkt_need need;
    struct pkt_ofs ofs;

    if (~caps & (VPORT_CAP_CHAIN | VPORT_CAP_CSUM | tso)) {
        return FAIL("a super-packet for a port that takes none");
    }
    vnet_fill(&vnet, &md->need, md->ofs.payload);
    if (parse_packet(got, len, len, &key, &ofs) != PARSE_OK
        || memcmp(&ofs, &md->ofs, sizeof ofs)
        || vnet_check(&vnet, got, len, len, &key, &ofs,
                      VNET_OFFER_CSUM | 1u << md->need.gso, &need) != VNET_OK
        || memcmp(&need, &md->need, sizeof need)) {
        return FAIL("a need that nobody would believe");
    }
    if (m->nb_segs > 1023) {
        return FAIL("%u links", m->nb_segs);
    }
    if (is_ip4 && env_sum(0, l3, 20) != 0xffff) {
        return FAIL("a wrong IPv4 header checksum");
    }
    return env_get16(l4 + 16) % 0xffff
           == env_pseudo_sum(l3, IPPROTO_TCP, len - md->ofs.l4) % 0xffff
           || FAIL("not the pseudo header's sum");
}

/* Cuts a super-packet by the naive model and looks at each piece. */
static bool
check_cut(const struct rte_mbuf *m, uint32_t len)
{
    static struct env_bytes in;
    const struct pkt_meta *md = pkt_meta(m);
    struct env_frame f = {
        .version = md->need.gso == PKT_GSO_TCP4 ? 4 : 6, .proto = IPPROTO_TCP,
        .payload_len = len - md->ofs.payload, .csum = ENV_CSUM_PARTIAL,
        .gso = md->need.gso, .gso_size = md->need.gso_size,
        .tcp_flags = env_get16(got + md->ofs.l4 + 12) & 0xfff,
    };
    const struct ref *ref;

    memcpy(in.b, got, len);
    in.len = in.end = len;
    in.l3 = md->ofs.l3;
    in.l4 = md->ofs.l4;
    in.payload = md->ofs.payload;
    in.csum_ofs = in.l4 + 16;
    ref = ref_offload(&f, &in, 65535, 0);
    if (ref->fate != REF_SENT || ref->n < 2) {
        return FAIL("cannot be cut");
    }
    for (unsigned int i = 0; i < ref->n; i++) {
        if (!check_frame(ref->frames[i].b, ref->frames[i].len, true)) {
            return false;
        }
    }
    n_seen_super++;
    n_seen_segs += ref->n;
    n_max_segs = MAX(n_max_segs, ref->n);
    return true;
}

/* Flushes, and looks at all that has left. */
static bool
check_sent(uint32_t caps)
{
    const struct vport_counters *c = &env_vport_pmd.c;
    unsigned int n_super = n_seen_super, n_segs = n_seen_segs;
    uint64_t n_bytes = 0;
    bool ok = flush() && is_ok;

    if (env_vport_pmd.n_tx || env_vport_pmd.gro.n_slots
        || env_vport_pmd.n_trains || env_pmd.n_dirty) {
        return FAIL("something is held");
    }
    for (unsigned int i = 0; i < env_n_sent && ok; i++) {
        const struct rte_mbuf *m = env_sent[i];
        uint32_t len = dpdk_env_bytes(m, got, sizeof got);

        n_bytes += m->pkt_len;
        if (len == UINT32_MAX) {
            ok = FAIL("a broken chain");
        } else if (pkt_meta(m)->need.gso) {
            ok = check_super(m, caps, len) && check_cut(m, len);
        } else {
            ok = env_bytes_of(m, got, &len) && check_frame(got, len, false);
        }
    }
    for (unsigned int i = 0; i < n_streams && ok; i++) {
        if (streams[i].n_out != streams[i].n) {
            ok = FAIL("%u of %u frames of stream %u", streams[i].n_out,
                      streams[i].n, i);
        }
    }
    n_super = n_seen_super - n_super;
    n_segs = n_seen_segs - n_segs;
    if (ok && (c->tx_super != n_super || c->coalesced != n_segs
               || (!is_burst && (c->tx_packets != env_n_sent
                                 || c->tx_bytes != n_bytes))
               || env_n_drops())) {
        ok = FAIL("counters");
    }
    return ok;
}

/* Ends a case: shared data is as it was, and all memory is back. */
static bool
end(void)
{
    bool ok = true;

    env_free_sent();
    for (unsigned int i = 0; i < n_clones; i++) {
        if (dpdk_env_bytes(clones[i], got, sizeof got) != clone_len[i]
            || memcmp(got, clone_bytes[i], clone_len[i])) {
            ok = FAIL("shared data changed");
        }
        rte_pktmbuf_free(clones[i]);
    }
    return dpdk_env_is_full() && ok;
}

static bool
run_case(void)
{
    static const uint32_t masks[] = {
        VPORT_CAP_TSO4, VPORT_CAP_TSO6, VPORT_CAP_CSUM, VPORT_CAP_CHAIN,
    };
    uint32_t caps = ALL_CAPS;
    unsigned int n = dpdk_env_range(1, 200);
    bool ok;

    if (!is_burst && coin(6)) {
        caps &= ~masks[dpdk_env_range(0, ARRAY_SIZE(masks) - 1)];
    }
    begin(caps);
    for (unsigned int i = coin(4) ? dpdk_env_range(2, MAX_STREAMS) : 1; i;
         i--) {
        struct stream *s;

        s = add_stream(coin(2) ? 4 : 6, (uint8_t) dpdk_env_range(0, 2),
                       coin(2) ? 12 : 0,
                       coin(4) ? dpdk_env_range(1, 300)
                               : dpdk_env_range(200, 1460));
        if (coin(10) && s->f.version == 4) {
            /* IPv4 options: such a stream goes through as it is. */
            n_streams--;
            s->f.ip4_options = 8;
            env_build(&s->f, &s->t);
            env_put16(s->t.b + s->t.l4, ++n_streams);
        }
    }
    for (unsigned int i = 0; i < n;) {
        /* Interleaved, in runs of any length. */
        struct stream *s = &streams[dpdk_env_range(0, n_streams - 1)];

        for (unsigned int run = dpdk_env_range(1, 30); run && i < n;
             run--, i++) {
            send_next(s);
        }
        if (coin(10)) {
            is_ok &= flush();
        }
    }
    ok = check_sent(caps);
    return end() && ok;
}

static void
try_random(bool burst_mode)
{
    unsigned int n_bad = 0;

    dpdk_env_start();
    is_burst = burst_mode;
    n_seen_super = n_seen_segs = n_seen_alone = n_max_segs = 0;
    for (unsigned int i = 0; i < N_CASES && n_bad < 5; i++) {
        dpdk_env_seed(i);
        if (!run_case()) {
            fprintf(stderr, "gro case %u\n", i);
            n_bad++;
        }
    }
    is_burst = false;
    CU_ASSERT_EQUAL(n_bad, 0);

    /* That the cases reach what they are made for. */
    CU_ASSERT(n_seen_super > 1000);
    CU_ASSERT(n_seen_segs > 3 * n_seen_super);
    CU_ASSERT(n_seen_alone > 10000);
    CU_ASSERT(n_max_segs > 20);
}

static void
test_random(void)
{
    try_random(false);
}

static void
test_random_burst(void)
{
    try_random(true);
}

/* Equal segments in a row are one packet as long as it may be: 64 kB, or more
 * segments than any receiver must take. */
static void
expect_sizes(uint8_t version, uint32_t mss, unsigned int n,
             unsigned int n_first, unsigned int n_packets)
{
    struct stream *s;

    dpdk_env_seed(version + mss);
    begin(ALL_CAPS);
    s = add_stream(version, 0, 12, mss);
    for (unsigned int i = 0; i < n; i++) {
        struct step p = next_step(s, mss);

        put_in(s, &p);
    }
    CU_ASSERT(check_sent(ALL_CAPS));
    CU_ASSERT_EQUAL(env_n_sent, n_packets);
    if (n_first > 1) {
        CU_ASSERT_EQUAL(pkt_meta(env_sent[0])->need.gso_size, mss);
        CU_ASSERT_EQUAL(env_sent[0]->pkt_len, s->t.payload + n_first * mss);
    }
    CU_ASSERT(end());
}

static void
test_sizes(void)
{
    expect_sizes(4, 1448, 20, 20, 1);
    expect_sizes(6, 1428, 20, 20, 1);
    /* (65535 - 52) / 1448 and (65535 - 72) / 1428. */
    expect_sizes(4, 1448, 100, 45, 3);
    expect_sizes(6, 1428, 100, 45, 3);
    expect_sizes(4, 256, 260, 255, 2);
    /* Not worth a beginning. */
    expect_sizes(4, 255, 3, 1, 3);
    expect_sizes(6, 1, 3, 1, 3);
}

/* One pair of segments of which the second, or the first, has something: how
 * many packets leave. */
static unsigned int
send_pair(uint8_t version, void (*spoil)(struct stream *, struct step *),
          bool is_first)
{
    struct stream *s;
    unsigned int n;

    begin(ALL_CAPS);
    s = add_stream(version, 1, 12, 500);
    for (unsigned int i = 0; i < 2; i++) {
        struct step p = next_step(s, 500);

        if (i == !is_first) {
            spoil(s, &p);
        }
        put_in(s, &p);
    }
    CU_ASSERT(check_sent(ALL_CAPS));
    n = env_n_sent;
    CU_ASSERT(end());
    return n;
}

#define SPOILER(NAME, WHAT)                                                   \
    static void                                                               \
    NAME(struct stream *s, struct step *p)                                    \
    {                                                                         \
        (void) s;                                                             \
        (void) p;                                                             \
        WHAT;                                                                 \
    }

SPOILER(spoil_nothing, (void) 0)
SPOILER(spoil_psh, p->flags |= TCP_PSH)
SPOILER(spoil_partial, p->csum = ENV_CSUM_PARTIAL)
SPOILER(spoil_vouched, p->vouched = true)
SPOILER(spoil_shorter, p->payload_len = 100)
SPOILER(spoil_longer, p->payload_len = 501)
SPOILER(spoil_fin, p->flags |= TCP_FIN)
SPOILER(spoil_cwr, p->flags |= TCP_CWR)
SPOILER(spoil_ece, p->flags |= TCP_ECE)
SPOILER(spoil_csum, p->csum = ENV_CSUM_WRONG)
SPOILER(spoil_ip_csum, p->bad_ip_csum = true)
SPOILER(spoil_padding, p->padding = 2)
SPOILER(spoil_id, p->id++)
SPOILER(spoil_seq, p->seq++)
SPOILER(spoil_ack, s->t.b[s->t.l4 + 11]++)
SPOILER(spoil_window, s->t.b[s->t.l4 + 15]++)
SPOILER(spoil_urg, s->t.b[s->t.l4 + 19]++)
SPOILER(spoil_option, s->t.b[s->t.l4 + 31]++)
SPOILER(spoil_ttl, s->t.b[s->t.l3 + (s->f.version == 4 ? 8 : 7)]--)
SPOILER(spoil_tos, s->t.b[s->t.l3 + 1] ^= 0x20)
SPOILER(spoil_vlan, s->t.b[15] ^= 1)
SPOILER(spoil_mac, s->t.b[3] ^= 1)

/* Each by its name, so that none of them hides in the random streams. */
static void
test_pairs(void)
{
    static const struct {
        const char *name;
        void (*fn)(struct stream *, struct step *);
        bool ip4_only;
        unsigned int n_second, n_first;     /* Packets, when it is there. */
    } cases[] = {
        { "nothing", spoil_nothing, false, 1, 1 },
        { "PSH", spoil_psh, false, 1, 2 },
        { "a partial checksum", spoil_partial, false, 1, 1 },
        { "a checksum vouched for", spoil_vouched, false, 1, 1 },
        { "shorter", spoil_shorter, false, 1, 2 },
        { "longer", spoil_longer, false, 2, 2 },
        { "FIN", spoil_fin, false, 2, 2 },
        { "CWR", spoil_cwr, false, 2, 2 },
        { "ECE", spoil_ece, false, 2, 2 },
        { "a wrong checksum", spoil_csum, false, 2, 2 },
        { "a wrong IPv4 checksum", spoil_ip_csum, true, 2, 2 },
        { "padding", spoil_padding, false, 2, 2 },
        { "another ID", spoil_id, true, 2, 2 },
        { "another sequence", spoil_seq, false, 2, 2 },
        { "another acknowledgment", spoil_ack, false, 2, 1 },
        { "another window", spoil_window, false, 2, 1 },
        { "another urgent pointer", spoil_urg, false, 2, 1 },
        { "another option", spoil_option, false, 2, 1 },
        { "another TTL", spoil_ttl, false, 2, 1 },
        { "another TOS", spoil_tos, false, 2, 1 },
        { "another VLAN", spoil_vlan, false, 2, 1 },
        { "another MAC", spoil_mac, false, 2, 1 },
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
        for (uint8_t version = 4; version <= 6; version += 2) {
            unsigned int first, second;

            if (version == 6 && cases[i].ip4_only) {
                continue;
            }
            dpdk_env_seed(i);
            second = send_pair(version, cases[i].fn, false);
            first = send_pair(version, cases[i].fn, true);
            if (second != cases[i].n_second || first != cases[i].n_first) {
                fprintf(stderr, "IPv%u, %s: %u and %u packets\n", version,
                        cases[i].name, second, first);
                CU_FAIL("pair");
            }
        }
    }
}

/* What is no segment, of the same stream or not, is not overtaken. */
static void
test_barrier(void)
{
    struct stream *s;
    struct step p;

    dpdk_env_seed(3);
    begin(ALL_CAPS);
    s = add_stream(4, 0, 0, 600);
    for (unsigned int i = 0; i < 6; i++) {
        if (i == 3) {
            p = next_step(s, 0);        /* A pure ACK. */
            put_in(s, &p);
        }
        p = next_step(s, 600);
        put_in(s, &p);
    }
    CU_ASSERT(check_sent(ALL_CAPS));
    CU_ASSERT_EQUAL(env_n_sent, 3);
    CU_ASSERT_EQUAL(env_vport_pmd.c.coalesced, 6);
    CU_ASSERT(end());
}

/* A shared first segment needs headers of its own: without memory for them it
 * is dropped under a name and nothing is left behind. */
static void
test_no_memory(void)
{
    static struct rte_mbuf *held[16384];
    struct rte_mbuf *m, *clone;
    struct flow_key key;
    unsigned int n = 0;
    struct stream *s;
    struct step p;

    dpdk_env_seed(4);
    begin(ALL_CAPS);
    s = add_stream(4, 0, 0, 1000);
    p = next_step(s, 1000);
    build(s, &p);
    m = dpdk_env_packet(frame.b, frame.len, SHAPE_SMALL_BIG, frame.payload);
    parse_packet(pkt_data(m), m->data_len, m->pkt_len, &key,
                 &pkt_meta(m)->ofs);
    clone = pkt_clone(m);
    while (n < ARRAY_SIZE(held)
           && ((held[n] = mem_alloc_small()) || (held[n] = mem_alloc_big()))) {
        n++;
    }
    pmd_tx(&env_pmd, &env_vport, clone);
    CU_ASSERT_EQUAL(env_vport_pmd.c.drops[DROP_NO_MBUF], 1);
    CU_ASSERT_EQUAL(env_vport_pmd.gro.n_slots, 0);
    pmd_flush(&env_pmd);
    CU_ASSERT_EQUAL(env_n_sent, 0);
    while (n) {
        rte_pktmbuf_free(held[--n]);
    }
    rte_pktmbuf_free(m);
    CU_ASSERT(end());
}

void
suite_gro(void)
{
    CU_pSuite suite = CU_add_suite("gro", NULL, NULL);

    CU_add_test(suite, "random streams", test_random);
    CU_add_test(suite, "random streams into a tunnel", test_random_burst);
    CU_add_test(suite, "sizes", test_sizes);
    CU_add_test(suite, "pairs", test_pairs);
    CU_add_test(suite, "what must not be overtaken", test_barrier);
    CU_add_test(suite, "no memory", test_no_memory);
}
