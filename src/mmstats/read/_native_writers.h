/* Whether a process lives: what /proc says, and what the kernel tells more cheaply of one that was met. */
#ifndef MMSTATS_NATIVE_WRITERS_H
#define MMSTATS_NATIVE_WRITERS_H

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#define WRITERS 16384   /* that are remembered */
#define MOST_PIDFDS 512 /* that are kept */
#define SHARE 16        /* and no more than that part of all descriptors that the process may have */
#define PIDFS 0x50494446

/* A process that was met. `ino`: what a pidfd of it has, and of no other one until the machine goes down.
 * `fd`: such a pidfd, and one; 0: none was kept. */
struct writer {
    uint64_t ticks, ino;
    uint32_t pid;
    int fd;
};

/* `known`: by their pids; NULL: the kernel has no numbers for processes. `device`: that all pidfds are on. */
struct writers {
    struct writer *known;
    dev_t device;
    size_t pidfds, most_pidfds;
    bool is_asked, is_full; /* full: one was not kept for want of room */
};

/* What /proc says of a process; `state`: 0 where it says nothing. */
struct process {
    char state;
    long threads;
    uint64_t ticks;
};

/* Likewise `process` of `host.identity`: the third field, the twentieth and the 22nd, behind a name that may
 * hold anything. */
static struct process
process_of(const char *proc, uint32_t pid)
{
    struct process process = {.state = 0};
    char path[256], said[1025];
    int length = snprintf(path, sizeof path, "%s/%u/stat", proc, pid);
    int fd = length > 0 && (size_t)length < sizeof path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) {
        return process;
    }
    ssize_t size = read(fd, said, sizeof said - 1);
    close(fd);
    said[size > 0 ? size : 0] = 0;
    const char *at = strrchr(said, ')');
    for (int field = 2; at != NULL; field++, at = strchr(at + 1, ' ')) {
        if (field == 3) {
            process.state = at[1];
        }
        else if (field == 20) {
            process.threads = strtol(at + 1, NULL, 10);
        }
        else if (field == 22) {
            process.ticks = strtoull(at + 1, NULL, 10);
            return process;
        }
    }
    process.state = 0;
    return process;
}

static int
pidfd_of(uint32_t pid)
{
#ifdef SYS_pidfd_open
    return (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
#else
    return -1;
#endif
}

/* The number of the process behind a pidfd; 0: it is no pidfd, or `must_live` and is no more. */
static uint64_t
number_of(const struct writers *writers, int fd, bool must_live)
{
    struct stat found;
    struct pollfd asked = {.fd = fd, .events = POLLIN};
    if (fstat(fd, &found) != 0 || found.st_dev != writers->device || (must_live && poll(&asked, 1, 0) != 0)) {
        return 0;
    }
    return found.st_ino;
}

static void
ask_for_numbers(struct writers *writers)
{
    struct statfs found;
    struct stat itself;
    struct rlimit limit;
    int fd = pidfd_of((uint32_t)getpid());
    writers->is_asked = true;
    if (fd >= 0 && fstatfs(fd, &found) == 0 && found.f_type == PIDFS && fstat(fd, &itself) == 0) {
        writers->device = itself.st_dev;
        writers->known = calloc(WRITERS, sizeof *writers->known);
    }
    if (fd >= 0) {
        close(fd);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        writers->most_pidfds = limit.rlim_cur / SHARE < MOST_PIDFDS ? limit.rlim_cur / SHARE : MOST_PIDFDS;
    }
}

/* A program may close whatever is open, and the number be that of something else by now. */
static void
forget_writer(struct writers *writers, struct writer *writer)
{
    if (writer->fd > 0) {
        if (number_of(writers, writer->fd - 1, false) == writer->ino) {
            close(writer->fd - 1);
        }
        writers->pidfds--;
    }
    *writer = (struct writer){.pid = 0};
}

static void
forget_writers(struct writers *writers)
{
    for (size_t i = 0; writers->pidfds > 0 && i < WRITERS; i++) {
        forget_writer(writers, &writers->known[i]);
    }
}

/* Give back the pidfds of those that are no more. */
static void
forget_the_dead(struct writers *writers)
{
    for (size_t i = 0; writers->pidfds > 0 && i < WRITERS; i++) {
        struct writer *writer = &writers->known[i];
        if (writer->fd > 0 && number_of(writers, writer->fd - 1, true) != writer->ino) {
            forget_writer(writers, writer);
        }
    }
}

/* Before a reading: there is room for new ones, if there can be. */
static void
look_after(struct writers *writers)
{
    if (writers->is_full) {
        forget_the_dead(writers);
        writers->is_full = false;
    }
}

/* Remember a process, and keep its pidfd if there may be one more. */
static void
remember_writer(struct writers *writers, uint32_t pid, uint64_t ticks, int fd)
{
    uint64_t number = number_of(writers, fd, true);
    struct writer *writer = &writers->known[pid % WRITERS];
    forget_writer(writers, writer);
    if (number != 0) {
        bool is_kept = writers->pidfds < writers->most_pidfds;
        *writer = (struct writer){.ticks = ticks, .ino = number, .pid = pid, .fd = is_kept ? fd + 1 : 0};
        writers->pidfds += is_kept;
        writers->is_full = writers->is_full || !is_kept;
    }
    if (writer->fd == 0) {
        close(fd);
    }
}

/* Whether a process that lived in an earlier reading lives still: at a small part of what asking /proc costs.
 */
static bool
is_known_to_live(struct writers *writers, uint32_t pid, uint64_t ticks)
{
    struct writer *known = &writers->known[pid % WRITERS];
    if (known->pid != pid || known->ticks != ticks) {
        return false;
    }
    if (known->fd > 0) {
        bool lives = number_of(writers, known->fd - 1, true) == known->ino;
        if (!lives) {
            forget_writer(writers, known); /* or it is no longer the pidfd: /proc tells */
        }
        return lives;
    }
    int fd = pidfd_of(pid);
    bool lives = fd >= 0 && number_of(writers, fd, true) == known->ino;
    if (fd >= 0) {
        close(fd);
    }
    return lives;
}

/* Whether the writer of a file, whose pid means to us what it meant to it, is gone: `_is_dead` of
 * `host.liveness`. What is remembered of it: the number that its pid had before and behind the look at /proc.
 */
static bool
is_dead(struct writers *writers, const char *proc, uint32_t pid, uint64_t ticks)
{
    bool may_be_known = strcmp(proc, "/proc") == 0;
    if (may_be_known && !writers->is_asked) {
        ask_for_numbers(writers);
    }
    may_be_known = may_be_known && writers->known != NULL && ticks != 0;
    if (may_be_known && is_known_to_live(writers, pid, ticks)) {
        return false;
    }
    int fd = may_be_known ? pidfd_of(pid) : -1;
    struct process process = process_of(proc, pid);
    bool is_dead, is_theirs = process.state != 0 && process.ticks == ticks;
    if (process.state == 0) {
        is_dead = kill((pid_t)pid, 0) != 0 && errno == ESRCH;
    }
    else if (!is_theirs) {
        is_dead = ticks != 0;
    }
    else {
        is_dead = (process.state == 'Z' || process.state == 'X') && process.threads <= 1;
    }
    if (fd >= 0 && is_theirs && !is_dead) {
        remember_writer(writers, pid, ticks, fd);
    }
    else if (fd >= 0) {
        close(fd);
    }
    return is_dead;
}

#endif
