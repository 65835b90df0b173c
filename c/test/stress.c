/* Threads that come, count and go, all at once: stress THREADS ROUNDS. What they come to stands at the end.
 */
#define _GNU_SOURCE
#include <mmstats.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static mmstats_publisher *publisher;
static mmstats_stat *hits, *size, *latency, *requests, *load, *free_bytes, *phase;
static long rounds;

static void *
work(void *argument)
{
    const char *names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    for (long i = 0; i < rounds; i++) {
        const char *member = names[(i + (long)(size_t)argument) % 8];
        mmstats_incr(hits, 1);
        mmstats_observe(size, (double)(i % 1000));
        mmstats_since(latency, mmstats_now());
        mmstats_add(load, 1.0);
        mmstats_set(free_bytes, (double)i);
        mmstats_incr(mmstats_tagged(requests, &member), 1);
        if (i % 100 == 0) {
            mmstats_set_text(phase, member);
            mmstats_counter(publisher, "hits", NULL);
        }
    }
    return NULL;
}

int
main(int argc, char **argv)
{
    enum { MOST = 64, WAVES = 3 };
    int count = argc > 1 ? atoi(argv[1]) : 4;
    pthread_t threads[MOST];
    struct mmstats_about tagged = {MMSTATS_DEFAULTS, .tags = (const char *[]){"name"}, .tag_count = 1};
    rounds = argc > 2 ? atol(argv[2]) : 1000;
    count = count > MOST ? MOST : count;
    publisher = mmstats_open(NULL);
    hits = mmstats_counter(publisher, "hits", NULL);
    size = mmstats_histogram(publisher, "size", NULL);
    latency = mmstats_timer(publisher, "latency", NULL);
    requests = mmstats_counter(publisher, "requests", &tagged);
    load = mmstats_average(publisher, "load", NULL);
    free_bytes = mmstats_gauge(publisher, "free", NULL);
    phase = mmstats_text(publisher, "phase", NULL);
    for (int wave = 0; wave < WAVES; wave++) { /* each goes on where the one before ended */
        for (int i = 0; i < count; i++) {
            pthread_create(&threads[i], NULL, work, (void *)(size_t)i);
        }
        for (int i = 0; i < count; i++) {
            pthread_join(threads[i], NULL);
        }
    }
    printf("%ld %s\n", (long)WAVES * count * rounds, mmstats_file(publisher));
    mmstats_close(publisher);
    return 0;
}
