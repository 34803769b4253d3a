/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.h - lock annotations that clang checks, and a mutex that has them.
 *
 * Built by clang with -Wthread-safety, an access to a GUARDED_BY() field
 * without its lock is a warning; other compilers see nothing.  Packet threads
 * take no lock on their common path.
 */
#ifndef QANAT_BASE_THREAD_H
#define QANAT_BASE_THREAD_H 1

#include <pthread.h>

#if defined(__clang__)
#define THREAD_ANNOTATION(X) __attribute__((X))
#else
#define THREAD_ANNOTATION(X)
#endif

#define CAPABILITY(NAME) THREAD_ANNOTATION(capability(NAME))
#define GUARDED_BY(LOCK) THREAD_ANNOTATION(guarded_by(LOCK))
#define PT_GUARDED_BY(LOCK) THREAD_ANNOTATION(pt_guarded_by(LOCK))
#define REQUIRES(LOCK) THREAD_ANNOTATION(requires_capability(LOCK))
#define EXCLUDES(LOCK) THREAD_ANNOTATION(locks_excluded(LOCK))
#define ACQUIRES(LOCK) THREAD_ANNOTATION(acquire_capability(LOCK))
#define RELEASES(LOCK) THREAD_ANNOTATION(release_capability(LOCK))
#define NO_THREAD_CHECK THREAD_ANNOTATION(no_thread_safety_analysis)

/* A pthread mutex that the annotations understand. */
struct CAPABILITY("mutex") mutex {
    pthread_mutex_t m;
};

#define MUTEX_INIT { PTHREAD_MUTEX_INITIALIZER }

static inline void
mutex_init(struct mutex *mutex)
{
    pthread_mutex_init(&mutex->m, NULL);
}

static inline void
mutex_fini(struct mutex *mutex)
{
    pthread_mutex_destroy(&mutex->m);
}

static inline void
mutex_lock(struct mutex *mutex) ACQUIRES(mutex) NO_THREAD_CHECK;

static inline void
mutex_lock(struct mutex *mutex)
{
    pthread_mutex_lock(&mutex->m);
}

static inline void
mutex_unlock(struct mutex *mutex) RELEASES(mutex) NO_THREAD_CHECK;

static inline void
mutex_unlock(struct mutex *mutex)
{
    pthread_mutex_unlock(&mutex->m);
}

#endif /* QANAT_BASE_THREAD_H */
