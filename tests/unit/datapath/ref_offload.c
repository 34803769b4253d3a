/* SPDX-License-Identifier: Apache-2.0 */
/* ref_offload.c - see ref_offload.h. */

#include "tests/unit/datapath/ref_offload.h"

#include <stdlib.h>

#include "lib/pkt/wire.h"

static uint8_t arena[24 << 20];
static size_t arena_used;
static struct ref ref;

static struct ref_frame *
add_frame(uint32_t len)
{
    struct ref_frame *frame = &ref.frames[ref.n++];

    if (ref.n > ENV_MAX_SENT || arena_used + len > sizeof arena) {
        abort();
    }
    frame->b = arena + arena_used;
    frame->len = len;
    arena_used += len;
    return frame;
}

static void
set_ip_length(uint8_t *ip, uint32_t l3_len, uint32_t hdr_len)
{
    if (ip[0] >> 4 == 4) {
        env_put16(ip + 2, l3_len);
        env_put16(ip + 10, 0);
        env_put16(ip + 10, ~env_sum(0, ip, hdr_len));
    } else {
        env_put16(ip + 4, l3_len - 40);
    }
}

/* Writes the checksum of the L4 packet from 'l4' to the frame's end; a wrong
 * one when the frame's was. */
static void
set_csum(const struct env_frame *f, const struct env_bytes *in, uint8_t *b,
         uint32_t len)
{
    uint8_t *field = b + in->csum_ofs;
    uint32_t sum;

    env_put16(field, 0);
    sum = env_pseudo_sum(b + in->l3, f->proto, len - in->l4);
    sum = env_sum(sum, b + in->l4, len - in->l4);
    sum = ~sum & 0xffff;
    env_put16(field, !sum && f->proto == IPPROTO_UDP ? 0xffff : sum);
}

static enum ref_fate
cut_tcp_or_uso(const struct env_frame *f, const struct env_bytes *in,
               uint32_t size)
{
    uint32_t total = f->payload_len;

    if ((total + size - 1) / size > PKT_MAX_SEGS) {
        return REF_BAD_SEGMENT;
    }
    for (uint32_t at = 0, i = 0; at < total; at += size, i++) {
        uint32_t n = at + size < total ? size : total - at;
        bool last = at + n == total;
        struct ref_frame *o = add_frame(in->payload + n);
        uint8_t *l3 = o->b + in->l3, *l4 = o->b + in->l4;

        memcpy(o->b, in->b, in->payload);
        memcpy(o->b + in->payload, in->b + in->payload + at, n);
        if (f->version == 4) {
            env_put16(l3 + 4, env_get16(l3 + 4) + i);
        }
        set_ip_length(l3, o->len - in->l3, in->l4 - in->l3);
        if (f->proto == IPPROTO_TCP) {
            env_put32(l4 + 4, env_get32(l4 + 4) + at);
            if (i) {
                l4[13] &= (uint8_t) ~0x80;
            }
            if (!last) {
                l4[13] &= (uint8_t) ~0x09;
            }
        } else {
            env_put16(l4 + 4, 8 + n);
        }
        set_csum(f, in, o->b, o->len);
    }
    return REF_SENT;
}

/* The options for fragments behind the first: the builder's are 4 bytes each,
 * so no padding comes in. */
static uint32_t
later_ip4_header(const uint8_t *ip, uint32_t hdr_len, uint8_t *to)
{
    uint32_t n = 20;

    memcpy(to, ip, 20);
    for (uint32_t at = 20; at < hdr_len; at += 4) {
        if (ip[at] & 0x80) {
            memcpy(to + n, ip + at, 4);
            n += 4;
        }
    }
    to[0] = (uint8_t) (0x40 | n / 4);
    return n;
}

/* Fragments of the frame at 'b', whose checksum is complete. */
static bool
cut_datagram(const struct env_frame *f, const struct env_bytes *in,
             const uint8_t *b, uint32_t end, uint32_t room, uint32_t max_size)
{
    uint32_t hdr_len = f->version == 4 ? in->l4 - in->l3 : in->unfrag_len;
    uint32_t data = in->l3 + hdr_len;
    uint16_t ofs0 = f->version == 4 ? f->frag & 0x1fff : 0;

    for (uint32_t at = data; at < end;) {
        uint8_t hdr[128];
        uint32_t n, len = hdr_len;
        struct ref_frame *o;

        memcpy(hdr, b + in->l3, hdr_len);
        if (f->version == 6) {
            memset(hdr + len, 0, 8);
            hdr[len] = hdr[in->unfrag_next - in->l3];
            hdr[in->unfrag_next - in->l3] = IPPROTO_FRAGMENT;
            len += 8;
        } else if (at > data) {
            len = later_ip4_header(b + in->l3, hdr_len, hdr);
        }
        n = room > len ? room - len : 0;
        n = max_size && n > max_size ? max_size : n;
        n -= n % 8;
        if (!n) {
            return false;
        }
        if (n > end - at) {
            n = end - at;
        }
        if (f->version == 4) {
            bool mf = at + n < end || f->frag & IP4_MF;

            env_put16(hdr + 6, (ofs0 + (at - data) / 8)
                               | (mf ? IP4_MF : 0u));
        } else {
            env_put16(hdr + len - 6, (at - data) | (at + n < end));
        }
        o = add_frame(in->l3 + len + n);
        memcpy(o->b, b, in->l3);
        memcpy(o->b + in->l3, hdr, len);
        memcpy(o->b + in->l3 + len, b + at, n);
        set_ip_length(o->b + in->l3, len + n, len);
        at += n;
        ref.n_frags++;
    }
    return true;
}

static enum ref_fate
plain(const struct env_frame *f, const struct env_bytes *in, uint8_t *b,
      uint32_t end, uint32_t room)
{
    if (end - in->l3 <= room) {
        struct ref_frame *o = add_frame(end);

        memcpy(o->b, b, end);
        return REF_SENT;
    }
    if (f->version == 4 && !(f->frag & IP4_DF)) {
        return cut_datagram(f, in, b, end, room, 0) ? REF_SENT
                                                     : REF_BAD_SEGMENT;
    }
    return REF_TOO_BIG;
}

static bool
port_cuts(const struct env_frame *f, uint32_t room, uint32_t hdr_len,
          uint32_t caps)
{
    uint32_t cap = f->gso == PKT_GSO_TCP4 ? VPORT_CAP_TSO4
                   : f->gso == PKT_GSO_TCP6 ? VPORT_CAP_TSO6
                   : f->gso == PKT_GSO_USO ? VPORT_CAP_USO : VPORT_CAP_UFO;

    if (f->proto == IPPROTO_TCP && f->tcp_flags & TCP_CWR
        && !(caps & VPORT_CAP_ECN)) {
        return false;
    }
    if (!(caps & cap) || !(caps & VPORT_CAP_CSUM)) {
        return false;
    }
    ref.gso_size = f->gso_size;
    if (hdr_len + f->gso_size > room) {
        uint32_t max = room > hdr_len ? room - hdr_len : 0;

        max -= f->gso == PKT_GSO_UFO ? max % 8 : 0;
        ref.gso_size = (uint16_t) max;
        return f->gso != PKT_GSO_USO && max >= 8;
    }
    return true;
}

static enum ref_fate
super(const struct env_frame *f, const struct env_bytes *in, uint32_t room,
      uint32_t caps)
{
    static struct env_bytes done;
    uint32_t hdr_len = in->payload - in->l3;

    if (port_cuts(f, room,
                  f->gso == PKT_GSO_UFO
                  ? (f->version == 4 ? in->l4 - in->l3 : in->unfrag_len + 8)
                  : hdr_len, caps)) {
        return REF_WHOLE;
    }
    ref.cut = true;
    if (f->gso == PKT_GSO_UFO) {
        done = *in;
        set_csum(f, in, done.b, in->end);
        return cut_datagram(f, in, done.b, in->end, room, f->gso_size)
               ? REF_SENT : REF_BAD_SEGMENT;
    }
    if (f->gso == PKT_GSO_USO) {
        if (hdr_len + f->gso_size <= room) {
            return cut_tcp_or_uso(f, in, f->gso_size);
        }
        if (f->version == 6 || f->frag & IP4_DF) {
            return REF_TOO_BIG;
        }

        /* Each datagram on its own: the second half of the array is what the
         * first becomes. */
        if (cut_tcp_or_uso(f, in, f->gso_size) != REF_SENT) {
            return REF_BAD_SEGMENT;
        }
        unsigned int n = ref.n;
        for (unsigned int i = 0; i < n; i++) {
            enum ref_fate fate = plain(f, in, ref.frames[i].b,
                                       ref.frames[i].len, room);

            if (fate != REF_SENT) {
                return fate;
            }
        }
        ref.n -= n;
        memmove(ref.frames, ref.frames + n, ref.n * sizeof *ref.frames);
        return REF_SENT;
    }

    uint32_t max = room > hdr_len ? room - hdr_len : 0;
    if (max < 8 && max < f->gso_size) {
        return REF_BAD_SEGMENT;
    }
    return cut_tcp_or_uso(f, in, f->gso_size < max ? f->gso_size : max);
}

const struct ref *
ref_offload(const struct env_frame *f, const struct env_bytes *in,
            uint32_t room, uint32_t caps)
{
    static struct env_bytes done;

    arena_used = 0;
    ref.n = 0;
    ref.n_frags = 0;
    ref.cut = false;
    ref.gso_size = 0;
    if (f->gso != PKT_GSO_NONE) {
        ref.fate = super(f, in, room, caps);
        return &ref;
    }
    if (in->end - in->l3 > room && f->proto == IPPROTO_TCP
        && !(f->frag & (IP4_MF | IP4_OFS_MASK))
        && !(f->tcp_flags & (TCP_SYN | TCP_RST | TCP_URG))) {
        uint32_t hdr_len = in->payload - in->l3;

        ref.cut = true;
        if (room < hdr_len + 8) {
            ref.fate = REF_BAD_SEGMENT;
        } else {
            ref.fate = cut_tcp_or_uso(f, in, room - hdr_len);
        }
        return &ref;
    }

    done = *in;
    if (f->csum == ENV_CSUM_PARTIAL) {
        set_csum(f, in, done.b, in->end);
    }

    /* Padding stays where it does no harm. */
    bool trimmed = in->len - in->l3 > room || f->csum == ENV_CSUM_PARTIAL;
    ref.fate = plain(f, in, done.b, trimmed ? in->end : in->len, room);
    return &ref;
}
