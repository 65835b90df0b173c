/* mmstats: publish counters, gauges, timers, histograms and texts into a file that anybody may read.
 *
 *     mmstats_publisher *publisher = mmstats_open(NULL);
 *     mmstats_stat *requests = mmstats_counter(publisher, "requests", NULL);
 *     mmstats_incr(requests, 1);
 *
 * An update is a few plain stores into a mapped file: no lock, no system call. The first one of a thread, and
 * of a forked child, asks for memory. Every process has a file of its own: after a fork the child's first
 * update makes one, and begins at zero.
 *
 * Nothing here ends the program. What the machine refuses (a full file system, no permission, no descriptors)
 * is said once, and the metrics count on in private memory. A wrong argument gives NULL, with EINVAL in
 * `errno` and a sentence from mmstats_error(); every update takes NULL, and does nothing then.
 *
 * Threads may do anything at any time, but for mmstats_close(): whoever closes sees to it that nobody updates
 * any more. A signal handler may update what its thread has updated before; if it interrupts an update of the
 * very same metric, one of the two may be lost. */
#ifndef MMSTATS_H
#define MMSTATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define MMSTATS_VERSION "1.0.0.dev0"

typedef struct mmstats_publisher mmstats_publisher;
typedef struct mmstats_stat mmstats_stat;

/* How the values of several processes become one; 0 is what the kind has by itself: the sum, of
 * mmstats_number() the greatest, of mmstats_bool() whether one is true, of a text the last one, of states and
 * constants the set. */
enum mmstats_aggregate {
    MMSTATS_BY_KIND,
    MMSTATS_SUM,
    MMSTATS_MAX,
    MMSTATS_MIN,
    MMSTATS_AVG,
    MMSTATS_LAST,
    MMSTATS_ALL,
    MMSTATS_ANY,
    MMSTATS_SET
};

/* Where to publish. Whatever is NULL is as the environment says, and else as everybody does it. */
struct mmstats_options {
    const char *path;     /* directory: MMSTATS_PATH, /dev/shm/mmstats-UID, $XDG_RUNTIME_DIR/mmstats, ... */
    const char *filename; /* MMSTATS_FILES, "{CMD}-{PID}-{ID}.mmstats"; words: CMD PID TID ID UID */
    const char *group;    /* what belongs together: MMSTATS_GROUP, the command's name */
    void (*say)(const char *sentence); /* gets what the machine refused; on stderr */
};

/* What a metric is, beside its kind and label. Begin with MMSTATS_DEFAULTS, or give NULL. */
struct mmstats_about {
    unsigned scale;   /* histogram, timer: an octave has 2**scale buckets, 0 to 8 */
    const char *unit; /* "bytes", "seconds"; NULL: none */
    const char *help; /* a sentence for people */
    enum mmstats_aggregate aggregate;
    bool keep;            /* updown, number: counts on when the process has ended */
    uint32_t size;        /* moving, timer: how many of the last values count (100); text: bytes (255) */
    double window;        /* moving: of the last so many seconds instead */
    double low, high;     /* histogram, timer: values between have buckets; 0: as the unit has it */
    const double *bounds; /* histogram, timer: how many values are not above each is counted exactly */
    size_t bound_count;
    const char *const *tags; /* names: the metric is a family, see mmstats_tagged() */
    size_t tag_count;
    uint32_t max_series; /* members of the family; what is more is counted as one (1,000) */
    double ttl;          /* seconds after which a folder leaves out a member that nobody updated; 0: never */
};
#define MMSTATS_DEFAULTS .scale = 3

/* --- the file --------------------------------------------------------------------------------------- */

/* NULL: no memory at all, or a wrong option. `options` may be NULL. */
mmstats_publisher *mmstats_open(const struct mmstats_options *options);

/* The process ended in order: what it counted stays in the file, until somebody folds it. Frees everything.
 */
void mmstats_close(mmstats_publisher *publisher);

/* The file's name; NULL where readers cannot see it. Good until the next fork, and the end. */
const char *mmstats_file(mmstats_publisher *publisher);

/* What was wrong with the last call of this thread that gave NULL. */
const char *mmstats_error(void);

/* --- metrics: made once, shared by all threads, valid until the end ---------------------------------- */

/* The same label again gives the same metric, if it is declared the same. `about` may be NULL. */
mmstats_stat *mmstats_counter(mmstats_publisher *, const char *label, const struct mmstats_about *about);
mmstats_stat *mmstats_updown(mmstats_publisher *, const char *label, const struct mmstats_about *about);
mmstats_stat *mmstats_number(mmstats_publisher *, const char *label, const struct mmstats_about *about);
mmstats_stat *mmstats_integer(mmstats_publisher *, const char *label, const struct mmstats_about *about);
mmstats_stat *mmstats_bool(mmstats_publisher *, const char *label, const struct mmstats_about *about);
mmstats_stat *mmstats_gauge(mmstats_publisher *, const char *label, const struct mmstats_about *about);
mmstats_stat *mmstats_average(mmstats_publisher *, const char *label, const struct mmstats_about *about);
mmstats_stat *mmstats_moving(mmstats_publisher *, const char *label, const struct mmstats_about *about);
mmstats_stat *mmstats_timer(mmstats_publisher *, const char *label, const struct mmstats_about *about);
mmstats_stat *mmstats_histogram(mmstats_publisher *, const char *label, const struct mmstats_about *about);
mmstats_stat *mmstats_text(mmstats_publisher *, const char *label, const struct mmstats_about *about);

/* One of some states, by its place from 0 on. */
mmstats_stat *mmstats_enum(mmstats_publisher *, const char *label, const struct mmstats_about *about,
                           const char *const *states, size_t count);

/* What never changes: a text, a number, or `count` pairs of a name and a text. They have no updates. */
mmstats_stat *mmstats_static(mmstats_publisher *, const char *label, const struct mmstats_about *about,
                             const char *text);
mmstats_stat *mmstats_static_number(mmstats_publisher *, const char *label, const struct mmstats_about *about,
                                    double number);
mmstats_stat *mmstats_info(mmstats_publisher *, const char *label, const struct mmstats_about *about,
                           const char *const *names, const char *const *texts, size_t count);

/* The member of a family with these values, one for each of its tags. Keep it: it is looked up each time. */
mmstats_stat *mmstats_tagged(mmstats_stat *family, const char *const *values);

/* Stop publishing a member; its metric takes no updates any more, the next mmstats_tagged() makes another. */
void mmstats_forget(mmstats_stat *family, const char *const *values);

/* --- updates ---------------------------------------------------------------------------------------- */

void mmstats_incr(mmstats_stat *counter, uint64_t amount);            /* wraps modulo 2**64 */
void mmstats_move(mmstats_stat *updown, int64_t amount);              /* up, or down */
void mmstats_set(mmstats_stat *number_or_gauge, double value);        /* the value from now on */
void mmstats_set_integer(mmstats_stat *integer, int64_t value);       /* likewise */
void mmstats_set_bool(mmstats_stat *metric, bool value);              /* likewise */
void mmstats_add(mmstats_stat *average_or_moving, double value);      /* one more value */
void mmstats_observe(mmstats_stat *histogram_or_timer, double value); /* one more; of a timer, seconds */
void mmstats_set_text(mmstats_stat *text, const char *utf8);          /* cut where it is too long */
void mmstats_set_state(mmstats_stat *of_enum, size_t state);          /* its place among the states */

/* One more duration: what has passed since mmstats_now() gave `begin`. */
uint64_t mmstats_now(void);
void mmstats_since(mmstats_stat *timer, uint64_t begin);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
