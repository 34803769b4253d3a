/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qanat-vsctl-txn.h - the changes of a view as one transaction (RFC 7047,
 * section 5.2), and what the server answers to it.
 *
 * Values only; one thread.
 */
#ifndef QANAT_VSCTL_TXN_H
#define QANAT_VSCTL_TXN_H 1

#include "utilities/qanat-vsctl-view.h"

/* A row that the transaction makes, with the UUID that the server chose. */
struct txn_insert {
    const struct view_row *row;
    size_t op_index;
    struct uuid real_uuid;
};

struct txn {
    json_t *params;             /* Of "transact"; NULL: nothing to change. */
    struct txn_insert *inserts;
    size_t n_inserts;
    size_t inserts_size;        /* Inserts there is room for. */
    size_t select_index;        /* The operation that reads next_cfg, or 0. */
    int64_t next_cfg;           /* What it read. */
};

enum txn_result {
    TXN_DONE,
    TXN_AGAIN,                  /* The snapshot was too old. */
    TXN_REFUSED,
};

/* Makes the transaction.  First come "wait" operations, by which the server
 * checks that all that was verified is still so; then the changes; then, if
 * 'increment', next_cfg of 'root' goes up; last the comment. */
void txn_init(struct txn *, struct view *, const struct view_row *root,
              bool increment, const char *comment);
void txn_fini(struct txn *);

/* Reads the server's answer.  For TXN_REFUSED stores a sentence in '*error',
 * which the caller frees. */
enum txn_result txn_read_answer(struct txn *, const json_t *results,
                                char **error);

/* The server's UUID for a new row, or 'uuid' itself for any other. */
const struct uuid *txn_get_real_uuid(const struct txn *, const struct uuid *);

#endif /* QANAT_VSCTL_TXN_H */
