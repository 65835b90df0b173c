/* What a program does to be watched. Build it, run it, and run `slurpstats` meanwhile:
 *
 *     cc example.c $(pkg-config --cflags --libs mmstats) -o example && ./example */
#include <mmstats.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 10;
    mmstats_publisher *publisher = mmstats_open(NULL);
    struct mmstats_about by_status = {MMSTATS_DEFAULTS, .tags = (const char *[]){"method", "status"},
                                      .tag_count = 2};
    mmstats_stat *requests = mmstats_counter(publisher, "requests", &by_status);
    mmstats_stat *ok = mmstats_tagged(requests, (const char *[]){"GET", "200"});
    mmstats_stat *latency = mmstats_timer(publisher, "latency", NULL);
    mmstats_stat *phase = mmstats_text(publisher, "phase", NULL);

    for (int i = 0; i < rounds; i++) {
        uint64_t begin = mmstats_now();
        mmstats_set_text(phase, "working");
        usleep(20000);
        mmstats_since(latency, begin);
        mmstats_incr(ok, 1);
    }
    mmstats_set_text(phase, "done");
    printf("%s\n", mmstats_file(publisher));
    mmstats_close(publisher);
    return 0;
}
