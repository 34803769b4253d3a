/* SPDX-License-Identifier: Apache-2.0 */

/* sched.c - receive queues to PMD threads.  MAIN; pure functions. */

#include "datapath/sched.h"

#include <ctype.h>
#include <string.h>

#include "datapath/vport.h"

static unsigned int
least_loaded(const uint64_t *load, const unsigned int *n_queues,
             unsigned int n_pmds)
{
    unsigned int best = 0;

    for (unsigned int i = 1; i < n_pmds; i++) {
        if (load[i] < load[best]
            || (load[i] == load[best] && n_queues[i] < n_queues[best])) {
            best = i;
        }
    }
    return best;
}

void
sched_assign(struct sched_rxq *rxqs, unsigned int n_rxqs, unsigned int n_pmds)
{
    uint64_t load[DP_MAX_PMDS] = { 0 };
    unsigned int n_queues[DP_MAX_PMDS] = { 0 };

    for (unsigned int i = 0; i < n_rxqs; i++) {
        if (rxqs[i].pmd >= 0 && (unsigned int) rxqs[i].pmd < n_pmds) {
            load[rxqs[i].pmd] += rxqs[i].load;
            n_queues[rxqs[i].pmd]++;
        } else {
            rxqs[i].pmd = -1;
        }
    }
    for (unsigned int i = 0; n_pmds && i < n_rxqs; i++) {
        if (rxqs[i].pmd < 0) {
            unsigned int pmd = least_loaded(load, n_queues, n_pmds);

            rxqs[i].pmd = (int) pmd;
            load[pmd] += rxqs[i].load;
            n_queues[pmd]++;
        }
    }
}

int
sched_parse_mask(const char *text, unsigned int n_cpus, int *cpus,
                 unsigned int max)
{
    unsigned int cpu = 0;
    unsigned int n = 0;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        text += 2;
    }
    if (!*text) {
        return -1;
    }
    for (const char *p = text + strlen(text); p-- > text; cpu += 4) {
        unsigned int digit;

        if (!isxdigit((unsigned char) *p)) {
            return -1;
        }
        digit = isdigit((unsigned char) *p)
                ? (unsigned int) (*p - '0')
                : (unsigned int) (tolower((unsigned char) *p) - 'a' + 10);
        for (unsigned int bit = 0; bit < 4; bit++) {
            if (digit & 1u << bit) {
                if (cpu + bit >= n_cpus || n == max) {
                    return -1;
                }
                cpus[n++] = (int) (cpu + bit);
            }
        }
    }
    return n ? (int) n : -1;
}
