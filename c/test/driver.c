/* Does what it reads, one command a line, and answers each with a line: what the tests drive the writer by.
 *
 *     open [KEY=TEXT ...]         path, filename, group
 *     KIND LABEL [KEY=TEXT ...]   unit help aggregate keep size window scale low high bounds tags states text
 *                                 number max_series ttl; lists have commas between them
 *     incr move set integer bool add observe since text state LABEL[{V,V}] VALUE [TIMES]
 *     forget LABEL{V,V}
 *     thread COMMAND ; COMMAND    in a thread of its own, to its end
 *     keep NAME COMMAND           in the thread of that name, which goes on
 *     fork COMMAND ; COMMAND      in a child, to its end; `raw-fork`: without the C library
 *     file, close, close-descriptors, end
 *
 * The answer is `ok`, `null SENTENCE`, or what was asked for; what the writer says comes before it as `said
 * SENTENCE`. What contains commands answers each of them and, of `thread` and `fork`, the end. */
#define _GNU_SOURCE
#include <errno.h>
#include <mmstats.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 64, LINE = 70000 };

static mmstats_publisher *publisher;
static struct {
    char label[256];
    mmstats_stat *stat;
} known[1024];
static int known_count;

static void run(char *line);

static void
say(const char *sentence)
{
    printf("said %s\n", sentence);
}

static size_t
split(char *text, char separator, char **parts)
{
    size_t count = 0;
    for (char *at = text; at != NULL && *at != '\0' && count < MOST;) {
        parts[count++] = at;
        at = strchr(at, separator);
        if (at != NULL) {
            *at++ = '\0';
        }
    }
    return count;
}

static char *
option(char **words, size_t count, const char *key)
{
    size_t length = strlen(key);
    for (size_t i = 0; i < count; i++) {
        if (strncmp(words[i], key, length) == 0 && words[i][length] == '=') {
            return words[i] + length + 1;
        }
    }
    return NULL;
}

static void
answer(const void *made)
{
    if (made != NULL) {
        printf("ok\n");
    }
    else {
        printf("null %s\n", mmstats_error());
    }
}

static mmstats_stat *
declare(const char *kind, const char *label, char **words, size_t count)
{
    static const struct {
        const char *name;
        mmstats_stat *(*make)(mmstats_publisher *, const char *, const struct mmstats_about *);
    } kinds[] = {
        {"counter", mmstats_counter},     {"updown", mmstats_updown}, {"number", mmstats_number},
        {"integer", mmstats_integer},     {"boolean", mmstats_bool},  {"gauge", mmstats_gauge},
        {"average", mmstats_average},     {"moving", mmstats_moving}, {"timer", mmstats_timer},
        {"histogram", mmstats_histogram}, {"string", mmstats_text},
    };
    char *lists[4][MOST], *given = option(words, count, "bounds"), *number = NULL;
    double bounds[MOST];
    struct mmstats_about about = {MMSTATS_DEFAULTS};
    size_t states = 0, names = 0;
    about.unit = option(words, count, "unit");
    about.help = option(words, count, "help");
    about.bound_count = given != NULL ? split(given, ',', lists[0]) : 0;
    for (size_t i = 0; i < about.bound_count; i++) {
        bounds[i] = atof(lists[0][i]);
    }
    about.bounds = bounds;
    if ((given = option(words, count, "tags")) != NULL) {
        about.tag_count = split(given, ',', lists[1]);
        about.tags = (const char *const *)lists[1];
    }
    if ((given = option(words, count, "states")) != NULL) {
        states = split(given, ',', lists[2]);
    }
    if ((given = option(words, count, "names")) != NULL) {
        names = split(given, ',', lists[2]);
    }
    about.aggregate = (number = option(words, count, "aggregate")) != NULL ? atoi(number) : 0;
    about.keep = option(words, count, "keep") != NULL;
    about.size = (number = option(words, count, "size")) != NULL ? (uint32_t)atoi(number) : 0;
    about.window = (number = option(words, count, "window")) != NULL ? atof(number) : 0;
    about.scale = (number = option(words, count, "scale")) != NULL ? (unsigned)atoi(number) : about.scale;
    about.low = (number = option(words, count, "low")) != NULL ? atof(number) : 0;
    about.high = (number = option(words, count, "high")) != NULL ? atof(number) : 0;
    about.ttl = (number = option(words, count, "ttl")) != NULL ? atof(number) : 0;
    about.max_series = (number = option(words, count, "max_series")) != NULL ? (uint32_t)atoi(number) : 0;
    if (strcmp(kind, "enum") == 0) {
        return mmstats_enum(publisher, label, &about, (const char *const *)lists[2], states);
    }
    if (strcmp(kind, "static") == 0) {
        number = option(words, count, "number");
        return number != NULL ? mmstats_static_number(publisher, label, &about, atof(number))
                              : mmstats_static(publisher, label, &about, option(words, count, "text"));
    }
    if (strcmp(kind, "info") == 0) {
        split(option(words, count, "texts"), ',', lists[3]);
        return mmstats_info(publisher, label, &about, (const char *const *)lists[2],
                            (const char *const *)lists[3], names);
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, kind) == 0) {
            return kinds[i].make(publisher, label, &about);
        }
    }
    fprintf(stderr, "driver: no command %s\n", kind);
    exit(2);
}

static mmstats_stat *
find(char *name, char **values)
{
    char *brace = strchr(name, '{');
    if (brace != NULL) {
        *brace = '\0';
        brace[strlen(brace + 1)] = '\0';
        split(brace + 1, ',', values);
    }
    for (int i = 0; i < known_count; i++) {
        if (strcmp(known[i].label, name) == 0) {
            return known[i].stat;
        }
    }
    return NULL;
}

static bool
update(const char *what, mmstats_stat *stat, const char *text)
{
    if (strcmp(what, "incr") == 0) {
        mmstats_incr(stat, strtoull(text, NULL, 10));
    }
    else if (strcmp(what, "move") == 0) {
        mmstats_move(stat, strtoll(text, NULL, 10));
    }
    else if (strcmp(what, "set") == 0) {
        mmstats_set(stat, atof(text));
    }
    else if (strcmp(what, "integer") == 0) {
        mmstats_set_integer(stat, strtoll(text, NULL, 10));
    }
    else if (strcmp(what, "bool") == 0) {
        mmstats_set_bool(stat, atoi(text) != 0);
    }
    else if (strcmp(what, "add") == 0) {
        mmstats_add(stat, atof(text));
    }
    else if (strcmp(what, "observe") == 0) {
        mmstats_observe(stat, atof(text));
    }
    else if (strcmp(what, "since") == 0) {
        mmstats_since(stat, mmstats_now() - strtoull(text, NULL, 10));
    }
    else if (strcmp(what, "text") == 0) {
        mmstats_set_text(stat, text);
    }
    else if (strcmp(what, "state") == 0) {
        mmstats_set_state(stat, strtoull(text, NULL, 10));
    }
    else {
        return false;
    }
    return true;
}

static void
run_all(char *commands)
{
    for (char *at = commands; at != NULL;) {
        char *next = strstr(at, " ; ");
        if (next != NULL) {
            *next = '\0';
            next += 3;
        }
        run(at);
        at = next;
    }
}

static void *
run_in_thread(void *commands)
{
    run_all(commands);
    return NULL;
}

/* Threads that go on: each does what is put before it, and says when it is through. */
static struct kept {
    char name[32];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char *todo;
    bool ends;
} threads[16];

static void *
run_kept(void *argument)
{
    struct kept *kept = argument;
    pthread_mutex_lock(&kept->lock);
    while (!kept->ends) {
        if (kept->todo == NULL) {
            pthread_cond_wait(&kept->changed, &kept->lock);
            continue;
        }
        run_all(kept->todo);
        kept->todo = NULL;
        pthread_cond_broadcast(&kept->changed);
    }
    pthread_mutex_unlock(&kept->lock);
    return NULL;
}

static void
keep(const char *name, char *commands)
{
    struct kept *kept = threads;
    while (kept->name[0] != '\0' && strcmp(kept->name, name) != 0) {
        kept++;
    }
    if (kept->name[0] == '\0') {
        snprintf(kept->name, sizeof kept->name, "%s", name);
        pthread_mutex_init(&kept->lock, NULL);
        pthread_cond_init(&kept->changed, NULL);
        pthread_create(&kept->thread, NULL, run_kept, kept);
    }
    pthread_mutex_lock(&kept->lock);
    kept->todo = commands;
    kept->ends = strcmp(commands, "end") == 0;
    if (kept->ends) {
        kept->todo = NULL;
    }
    pthread_cond_broadcast(&kept->changed);
    while (kept->todo != NULL) {
        pthread_cond_wait(&kept->changed, &kept->lock);
    }
    pthread_mutex_unlock(&kept->lock);
    if (kept->ends) {
        pthread_join(kept->thread, NULL);
        kept->name[0] = '\0';
    }
}

static void
in_child(char *commands, bool raw)
{
    fflush(stdout);
    pid_t child = raw ? (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0L) : fork();
    if (child == 0) {
        run_all(commands);
        fflush(stdout);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    printf(WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "ok\n" : "died %d\n", status);
}

static void
run(char *line)
{
    char *rest = strchr(line, ' '), *words[MOST], *values[MOST] = {0};
    if (strncmp(line, "thread ", 7) == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, run_in_thread, rest + 1);
        pthread_join(thread, NULL);
        printf("ok\n"); /* its lane is free now */
        return;
    }
    if (strncmp(line, "keep ", 5) == 0) {
        char *commands = strchr(rest + 1, ' ');
        *commands = '\0';
        keep(rest + 1, commands + 1);
        if (strcmp(commands + 1, "end") == 0) {
            printf("ok\n");
        }
        return;
    }
    if (strncmp(line, "fork ", 5) == 0 || strncmp(line, "raw-fork ", 9) == 0) {
        in_child(rest + 1, *line == 'r');
        return;
    }
    size_t count = split(line, ' ', words);
    for (size_t i = 1; i < count; i++) { /* a blank in a text is written as \ and s */
        for (char *at = words[i]; (at = strstr(at, "\\s")) != NULL;) {
            *at = ' ';
            memmove(at + 1, at + 2, strlen(at + 2) + 1);
        }
    }
    if (strcmp(words[0], "nothing") == 0) {
        printf("ok\n");
    }
    else if (strcmp(words[0], "open") == 0) {
        struct mmstats_options options = {option(words, count, "path"), option(words, count, "filename"),
                                          option(words, count, "group"), say};
        publisher = mmstats_open(&options);
        answer(publisher);
    }
    else if (strcmp(words[0], "close") == 0) {
        mmstats_close(publisher);
        publisher = NULL;
        known_count = 0;
        printf("ok\n");
    }
    else if (strcmp(words[0], "file") == 0) {
        const char *file = mmstats_file(publisher);
        printf("%s\n", file != NULL ? file : "none");
    }
    else if (strcmp(words[0], "forget") == 0) {
        mmstats_stat *family = find(words[1], values);
        mmstats_forget(family, (const char *const *)values);
        printf("ok\n");
    }
    else if (strcmp(words[0], "close-descriptors") == 0) {
        for (int fd = 3; fd < 64; fd++) {
            close(fd);
        }
        printf("ok\n");
    }
    else if (count >= 3 && strchr(words[2], '=') == NULL) {
        mmstats_stat *stat = find(words[1], values);
        stat = values[0] != NULL ? mmstats_tagged(stat, (const char *const *)values) : stat;
        long times = count > 3 ? atol(words[3]) : 1;
        for (long i = 0; i < times; i++) {
            if (!update(words[0], stat, words[2])) {
                fprintf(stderr, "driver: no command %s\n", words[0]);
                exit(2);
            }
        }
        printf("ok\n");
    }
    else {
        mmstats_stat *made = declare(words[0], count > 1 ? words[1] : "", words, count);
        if (made != NULL && known_count < 1024) {
            snprintf(known[known_count].label, sizeof known[0].label, "%s", words[1]);
            known[known_count++].stat = made;
        }
        answer(made);
    }
}

int
main(void)
{
    static char line[LINE];
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, "end") == 0) {
            break;
        }
        run(line);
        fflush(stdout);
    }
    return 0;
}
