/* SPDX-License-Identifier: Apache-2.0 */

/* nlreq.c - questions to the kernel over netlink (see nlreq.h). */

#include "vswitchd/nlreq.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "lib/base/log.h"
#include "lib/flow/flow.h"

LOG_MODULE(netlink);

/* How often a dump that was disturbed by a change is begun again. */
#define MAX_DUMP_TRIES 5

/* What is known of the answer that is being read. */
struct answer {
    nlreq_fn *fn;
    void *aux;
    bool done;
    bool interrupted;
    int error;                  /* 0 or -errno. */
};

static struct nl_sock *sock;

static int
open_socket(void)
{
    const struct timeval timeout = { .tv_sec = 2 };
    int error;

    sock = nl_socket_alloc();
    if (!sock) {
        return -ENOMEM;
    }
    error = nl_connect(sock, NETLINK_ROUTE);
    if (error) {
        error = errno ? -errno : -EIO;
        nl_socket_free(sock);
        sock = NULL;
        return error;
    }
    nl_socket_set_buffer_size(sock, 1 << 18, 1 << 16);
    setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVTIMEO, &timeout,
               sizeof timeout);
    return 0;
}

static void
close_socket(void)
{
    if (sock) {
        nl_socket_free(sock);
        sock = NULL;
    }
}

int
nlreq_init(void)
{
    return open_socket();
}

void
nlreq_fini(void)
{
    close_socket();
}

static int
on_valid(struct nl_msg *msg, void *answer_)
{
    struct answer *answer = answer_;
    const struct nlmsghdr *head = nlmsg_hdr(msg);

    if (head->nlmsg_flags & NLM_F_DUMP_INTR) {
        answer->interrupted = true;
    }
    if (answer->fn) {
        answer->fn(head, answer->aux);
    }
    return NL_OK;
}

static int
on_end(struct nl_msg *msg, void *answer_)
{
    struct answer *answer = answer_;

    if (nlmsg_hdr(msg)->nlmsg_flags & NLM_F_DUMP_INTR) {
        answer->interrupted = true;
    }
    answer->done = true;
    return NL_STOP;
}

static int
on_error(struct sockaddr_nl *from UNUSED, struct nlmsgerr *error,
         void *answer_)
{
    struct answer *answer = answer_;

    answer->error = error->error ? error->error : -EIO;
    answer->done = true;
    return NL_STOP;
}

/* Reads until the answer is complete.  libnl tells that a dump was disturbed
 * (NLE_DUMP_INTR) only when it is at its end. */
static int
receive(struct answer *answer)
{
    struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
    int error = 0;

    if (!cb) {
        return -ENOMEM;
    }
    nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, answer);
    nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_end, answer);
    nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_end, answer);
    nl_cb_err(cb, NL_CB_CUSTOM, on_error, answer);
    while (!answer->done) {
        error = nl_recvmsgs(sock, cb);
        if (error == -NLE_DUMP_INTR) {
            answer->interrupted = true;
            answer->done = true;
            error = 0;
        } else if (error < 0 && !answer->done) {
            error = error == -NLE_AGAIN ? -ETIMEDOUT
                    : error == -NLE_NOMEM ? -ENOBUFS : -EIO;
            break;
        } else {
            error = 0;
        }
    }
    nl_cb_put(cb);
    return error ? error : answer->error;
}

static int
run(struct nl_msg *msg, struct answer *answer)
{
    int error;

    if (!sock) {
        error = open_socket();
        if (error) {
            nlmsg_free(msg);
            return error;
        }
    }
    error = nl_send_auto(sock, msg);
    nlmsg_free(msg);
    error = error < 0 ? -EIO : receive(answer);
    if (error && !answer->done) {
        /* What else comes would be taken for the next answer. */
        log_warn_rl("the kernel does not answer over netlink (%s)",
                    strerror(-error));
        close_socket();
    }
    return error;
}

int
nlreq_run(struct nl_msg *msg, nlreq_fn *fn, void *aux)
{
    struct answer answer = { .fn = fn, .aux = aux };

    nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
    return run(msg, &answer);
}

int
nlreq_dump(int type, const void *body, size_t body_len, nlreq_fn *fn,
           void *aux)
{
    int error = 0;

    for (int i = 0; i < MAX_DUMP_TRIES; i++) {
        struct answer answer = { .fn = fn, .aux = aux };
        struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_REQUEST
                                                      | NLM_F_DUMP);

        if (!msg || nlmsg_append(msg, (void *) (uintptr_t) body, body_len,
                                 NLMSG_ALIGNTO)) {
            nlmsg_free(msg);
            return -ENOMEM;
        }
        error = run(msg, &answer);
        if (!answer.interrupted) {
            return error;
        }
    }
    log_warn_rl("a netlink table changes faster than it can be read");
    return error;
}

void
nlreq_put_addr(struct nl_msg *msg, int attr,
               const struct in6_addr *addr)
{
    if (flow_addr_is_ip4(addr)) {
        nla_put_u32(msg, attr, flow_addr_to_ip4(addr));
    } else {
        nla_put(msg, attr, sizeof *addr, addr);
    }
}
