#define _GNU_SOURCE
#include "region.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "barrier.h"
#include "machine.h"

enum { TRIES = 100, WHY_ROOM = PATH_ROOM + 256, FLAGS = O_RDWR | O_CLOEXEC };

static uint64_t
round_up(uint64_t length, uint64_t align)
{
    return (length + align - 1) / align * align;
}

/* --- memory ------------------------------------------------------------------------------------------ */

/* Whether a number still leads to our file: a program that closes what it did not open is no rarity. */
static bool
is_ours(const struct region *region, int fd)
{
    struct stat found;
    return fd >= 0 && fstat(fd, &found) == 0 && found.st_dev == region->dev && found.st_ino == region->ino;
}

static bool
has_descriptor(struct region *region)
{
    if (is_ours(region, region->fd)) {
        return true;
    }
    int fd = open(region->file, FLAGS | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || !is_ours(region, fd)) {
        if (fd >= 0) {
            close(fd);
        }
        errno = EBADF;
        return false;
    }
    region->fd = fd;
    return true;
}

/* Reserves space, so that no store can find the file system full; 0, or what speaks against it.
 *
 * Beyond the limit of a file's size the kernel sends SIGXFSZ, which would end the program: this thread
 * takes no notice of it meanwhile. */
static int
reserve(int fd, uint64_t offset, size_t size)
{
    sigset_t limit, before, pending;
    sigemptyset(&limit);
    sigaddset(&limit, SIGXFSZ);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &limit, &before);
    int failed = posix_fallocate(fd, (off_t)offset, (off_t)size);
    if (failed == EFBIG && !sigismember(&pending, SIGXFSZ)) {
        sigtimedwait(&limit, NULL, &(struct timespec){0});
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

static void *
map(struct region *region, uint64_t offset, size_t size)
{
    int access = PROT_READ | PROT_WRITE;
    void *memory = MAP_FAILED;
    if (region->is_private) {
        memory = mmap(NULL, size, access, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    else if (has_descriptor(region) && (errno = reserve(region->fd, offset, size)) == 0) {
        memory = mmap(NULL, size, access, MAP_SHARED | MAP_POPULATE, region->fd, (off_t)offset);
    }
    return memory != MAP_FAILED ? memory : NULL;
}

static bool
grow(struct region *region, uint64_t offset, uint64_t size)
{
    void *memory = region->count < MOST_STEPS ? map(region, offset, size) : NULL;
    if (memory == NULL) {
        return false;
    }
    region->steps[region->count++] = (struct step){offset, offset + size, memory};
    return true;
}

static char *
at(const struct region *region, uint64_t offset)
{
    for (uint32_t i = region->count; i-- > 0;) {
        const struct step *step = &region->steps[i];
        if (offset >= step->begin && offset < step->end) {
            return step->memory + (offset - step->begin);
        }
    }
    return NULL;
}

static struct mmstats_header *
header_of(const struct region *region)
{
    return (struct mmstats_header *)region->steps[0].memory;
}

static void
unmap(struct region *region)
{
    for (uint32_t i = 0; i < region->count; i++) {
        munmap(region->steps[i].memory, region->steps[i].end - region->steps[i].begin);
    }
    region->count = 0;
}

/* --- blocks ------------------------------------------------------------------------------------------ */

static uint64_t *
word_of(void *block)
{
    return block;
}

static void
pad(struct region *region, uint64_t length)
{
    store_release(word_of(at(region, region->end)), MMSTATS_BLOCK_TYPE_PAD | length << 32);
    region->end += length;
}

void *
region_take(struct region *region, size_t length, size_t align)
{
    uint64_t size = round_up(length, align);
    uint64_t last = region->steps[region->count - 1].end, begin = round_up(region->end, align);
    if (begin + size > last) {
        uint64_t step = last < MMSTATS_LAST_STEP ? last : MMSTATS_LAST_STEP;
        uint64_t room = round_up(size + MMSTATS_LANE_ALIGN, MMSTATS_FIRST_STEP);
        if (!grow(region, last, room > step ? room : step)) {
            return NULL;
        }
        if (last > region->end) {
            pad(region, last - region->end);
        }
        begin = round_up(region->end, align);
    }
    if (begin > region->end) {
        pad(region, begin - region->end);
    }
    char *block = at(region, begin);
    store_relaxed(word_of(block), MMSTATS_BLOCK_TYPE_BUILDING | size << 32);
    region->end = begin + size;
    return block;
}

void
region_publish(void *block, uint32_t type)
{
    store_release(word_of(block), type | (load_relaxed(word_of(block)) & ~UINT64_C(0xFFFFFFFF)));
}

void
region_changed(struct region *region)
{
    store_release(&header_of(region)->layout_gen, ++region->layouts);
}

void
region_drop(struct region *region, unsigned reason, const char *what)
{
    uint64_t *word = &((uint64_t *)header_of(region)->dropped)[reason];
    uint64_t before = load_relaxed(word);
    store_relaxed(word, before + 1);
    if (before == 0 && what != NULL) {
        char sentence[WHY_ROOM];
        snprintf(sentence, sizeof sentence, "mmstats: %.200s%s%.3800s", what, *region->file ? ": " : "",
                 region->file);
        region->settings->say(sentence);
    }
}

/* --- the file ---------------------------------------------------------------------------------------- */

/* A file without a name; where that cannot be had, one that is called like nothing readers look at. */
static int
make_file(const char *directory, mode_t mode, char *temporary, size_t room)
{
    *temporary = '\0';
    int fd = open(directory, FLAGS | O_TMPFILE, mode);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL || errno == ENOENT)) {
        uint64_t random[2];
        machine_random(random, sizeof random);
        snprintf(temporary, room, "%s/.new-%016llx%016llx", directory, (unsigned long long)random[0],
                 (unsigned long long)random[1]);
        fd = open(temporary, FLAGS | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    }
    if (fd >= 0 && fchmod(fd, mode) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Both locks, before anybody can look. What cannot be had, a reader does without. */
static void
lock(struct region *region)
{
    struct flock writer = {.l_type = F_WRLCK, .l_start = MMSTATS_LOCK_WRITER, .l_len = 1};
    struct flock witness = {.l_type = F_WRLCK, .l_start = MMSTATS_LOCK_WITNESS, .l_len = 1};
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", region->fd);
    fcntl(region->fd, F_OFD_SETLK, &writer);
    region->witness = open(self, FLAGS);
    if (region->witness >= 0) {
        fcntl(region->witness, F_OFD_SETLK, &witness);
    }
}

static bool
link_as(const struct region *region, const char *temporary, const char *path)
{
    char self[64];
    if (*temporary != '\0') {
        return link(temporary, path) == 0;
    }
    snprintf(self, sizeof self, "/proc/self/fd/%d", region->fd);
    return linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}

static void
hexadecimal(const uint8_t *bytes, size_t count, char *out)
{
    for (size_t i = 0; i < count; i++) {
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    }
}

/* The name, of which the middle is cut where it is too long for a file system; beside a name that is taken.
 */
static bool
name_of(const struct region *region, bool beside, char *name, char *why, size_t why_room)
{
    char id[9], whole[PATH_ROOM];
    hexadecimal(header_of(region)->uuid, 4, id);
    if (!places_expand(region->settings->filename, id, whole, sizeof whole - 128, why, why_room)) {
        return false;
    }
    for (char *c = whole; *c != '\0'; c++) {
        *c = (unsigned char)*c < 0x20 || *c == 0x7F || *c == '/' ? '_' : *c;
    }
    if (beside) {
        char *dot = strrchr(whole, '.'), suffix[64] = "", end[128];
        if (dot != NULL && dot != whole && strlen(dot) < sizeof suffix) {
            memcpy(suffix, dot, strlen(dot) + 1);
            *dot = '\0';
        }
        snprintf(end, sizeof end, "-%d-%s%s", (int)getpid(), id, suffix);
        memcpy(whole + strlen(whole), end, strlen(end) + 1);
    }
    size_t length = strlen(whole);
    if (length < NAME_ROOM) {
        memcpy(name, whole, length + 1);
    }
    else {
        snprintf(name, NAME_ROOM, "%.175s~%s", whole, whole + length - 79);
    }
    return true;
}

static bool
give_name(struct region *region, const char *directory, const char *temporary, char *why, size_t why_room)
{
    bool has_id = strstr(region->settings->filename, "{ID}") != NULL;
    for (int i = 0; i < TRIES; i++) {
        char name[NAME_ROOM];
        if (!name_of(region, i > 0 && !has_id, name, why, why_room)) {
            return false;
        }
        if (snprintf(region->file, sizeof region->file, "%s/%s", directory, name)
            >= (int)sizeof region->file) {
            errno = ENAMETOOLONG;
            break;
        }
        if (link_as(region, temporary, region->file)) {
            if (*temporary != '\0') {
                unlink(temporary);
            }
            return true;
        }
        if (errno != EEXIST) {
            break;
        }
        machine_random(header_of(region)->uuid, sizeof header_of(region)->uuid);
    }
    snprintf(why, why_room, "%.3800s: %s", region->file, strerror(errno));
    region->file[0] = '\0';
    return false;
}

static void
describe(struct region *region)
{
    static const uint8_t magic[8] = MMSTATS_MAGIC;
    struct mmstats_header *header = header_of(region);
    memset(header, 0, sizeof *header);
    memcpy(header->magic, magic, sizeof magic);
    header->major = MMSTATS_MAJOR;
    header->minor = MMSTATS_MINOR;
    header->header_size = sizeof *header;
    header->state = MMSTATS_STATE_LIVE;
    header->writer_flags =
        MMSTATS_WRITER_FLAG_FENCES | MMSTATS_WRITER_FLAG_ATOMIC | MMSTATS_WRITER_FLAG_LANES;
    header->ino = region->is_private ? 0 : region->ino;
    machine_random(header->uuid, sizeof header->uuid);
    machine_describe(header);
    memcpy(header->group, region->settings->group,
           machine_cut(region->settings->group, sizeof header->group));
    region->end = sizeof *header;
}

static void
let_go(struct region *region)
{
    int fds[] = {region->fd, region->witness};
    for (size_t i = 0; i < 2; i++) {
        if (is_ours(region, fds[i])) {
            close(fds[i]);
        }
    }
    region->fd = region->witness = -1;
}

/* Makes a whole file that readers see. False: there is none, `why` says it. */
static bool
publish(struct region *region, char *why, size_t why_room)
{
    const struct settings *settings = region->settings;
    char directory[PATH_ROOM], expanded[PATH_ROOM], temporary[PATH_ROOM + 64];
    const char *path = settings->path;
    if (path != NULL) {
        if (!places_expand(path, "00000000", expanded, sizeof expanded, why, why_room)) {
            return false;
        }
        path = expanded;
    }
    if (!places_directory(path, settings->mode, directory, sizeof directory, why, why_room)) {
        return false;
    }
    region->fd = make_file(directory, settings->mode, temporary, sizeof temporary);
    struct stat found;
    if (region->fd >= 0 && fstat(region->fd, &found) == 0) {
        region->dev = found.st_dev;
        region->ino = found.st_ino;
    }
    if (region->fd >= 0 && grow(region, 0, MMSTATS_FIRST_STEP)) {
        describe(region);
        lock(region);
        if (give_name(region, directory, temporary, why, why_room)) {
            return true;
        }
    }
    else {
        snprintf(why, why_room, "%.3800s: %s", directory, strerror(errno));
    }
    if (*temporary != '\0') {
        unlink(temporary);
    }
    unmap(region);
    let_go(region);
    return false;
}

struct region *
region_open(const struct settings *settings)
{
    char why[WHY_ROOM] = "";
    struct region *region = calloc(1, sizeof *region);
    if (region == NULL) {
        return NULL;
    }
    region->settings = settings;
    region->fd = region->witness = -1;
    if (!settings->disabled && publish(region, why, sizeof why)) {
        return region;
    }
    region->is_private = true;
    if (!grow(region, 0, MMSTATS_FIRST_STEP)) {
        free(region);
        return NULL;
    }
    describe(region);
    if (*why != '\0') {
        char sentence[WHY_ROOM + 128];
        snprintf(sentence, sizeof sentence, "cannot publish, the stats are in private memory: %s", why);
        region_drop(region, MMSTATS_DROP_REASON_PRIVATE, sentence);
    }
    return region;
}

void
region_leave(struct region *region)
{
    unmap(region);
    let_go(region);
    free(region);
}

void
region_close(struct region *region)
{
    uint64_t *state = (uint64_t *)(void *)&header_of(region)->state; /* with the flags, one word */
    store_release(state, MMSTATS_STATE_CLOSED | (load_relaxed(state) & ~UINT64_C(0xFFFFFFFF)));
    region_leave(region);
}
