/* SPDX-License-Identifier: Apache-2.0 */

/* drop.c - the names of the drop reasons. */

#include "datapath/drop.h"

#include <ctype.h>
#include <pthread.h>
#include <string.h>

#define REASON_NAME_MAX 32

static const struct {
    char name[REASON_NAME_MAX];
    const char *sentence;
} reasons[N_DROP_REASONS] = {
    [DROP_NONE] = { "NONE", "not dropped" },
#define DROP(NAME, SENTENCE) [DROP_##NAME] = { #NAME, SENTENCE },
#include "datapath/drop.def"
#undef DROP
};

static char lower[N_DROP_REASONS][REASON_NAME_MAX];

static void
make_lower(void)
{
    for (unsigned int i = 0; i < N_DROP_REASONS; i++) {
        for (unsigned int j = 0; reasons[i].name[j]; j++) {
            lower[i][j] = (char) tolower((unsigned char) reasons[i].name[j]);
        }
    }
}

const char *
drop_reason_name(uint32_t reason)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_lower);
    return reason < N_DROP_REASONS ? lower[reason] : "unknown";
}

const char *
drop_reason_sentence(uint32_t reason)
{
    return reason < N_DROP_REASONS ? reasons[reason].sentence : "unknown";
}
