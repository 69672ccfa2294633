/* Every program that loads this finds its calendar clock CLOCK_SHIFT_S seconds ahead.
 *
 * Only the calendar clock: clocks that measure waiting run on as they are, so that time-outs and
 * sleeps last as long as ever.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

typedef int clock_reader(clockid_t, struct timespec *);

static time_t shift_s(void)
{
    const char *text = getenv("CLOCK_SHIFT_S");
    return text == NULL ? 0 : (time_t)strtoll(text, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *found)
{
    static clock_reader *system_clock = NULL;
    static time_t shift = 0;
    if (system_clock == NULL) {
        shift = shift_s();
        system_clock = (clock_reader *)dlsym(RTLD_NEXT, "clock_gettime");
    }
    int failed = system_clock(clock, found);
    if (failed == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        found->tv_sec += shift;
    return failed;
}

int gettimeofday(struct timeval *restrict found, void *restrict zone)
{
    (void)zone;
    struct timespec now;
    int failed = clock_gettime(CLOCK_REALTIME, &now);
    if (failed == 0) {
        found->tv_sec = now.tv_sec;
        found->tv_usec = now.tv_nsec / 1000;
    }
    return failed;
}

time_t time(time_t *found)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (found != NULL)
        *found = now.tv_sec;
    return now.tv_sec;
}
