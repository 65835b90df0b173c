#define _GNU_SOURCE
#include "machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* The first bytes of a file, ended with a NUL; how many, 0 where it cannot be read. */
static size_t
read_file(const char *path, char *buffer, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd >= 0 ? read(fd, buffer, room - 1) : 0;
    if (fd >= 0) {
        close(fd);
    }
    buffer[count > 0 ? count : 0] = '\0';
    return count > 0 ? (size_t)count : 0;
}

static int
digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 32 hexadecimal digits, with or without dashes; anything else, as "uninitialized", is no id. */
static void
read_id(const char *path, uint8_t *id)
{
    char text[64];
    uint8_t found[16];
    size_t length = read_file(path, text, sizeof text), digits = 0;
    for (size_t i = 0; i < length && text[i] != '\n'; i++) {
        int value = digit(text[i]);
        if (text[i] == '-') {
            continue;
        }
        if (value < 0 || digits == 32) {
            return;
        }
        found[digits / 2] = (uint8_t)(digits % 2 ? found[digits / 2] << 4 | value : value);
        digits++;
    }
    if (digits == 32) {
        memcpy(id, found, sizeof found);
    }
}

static uint64_t
inode_of(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 ? found.st_ino : 0;
}

static uint64_t
clock_ns(clockid_t clock)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0) {
        return 0;
    }
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Field 22 of /proc/self/stat; the second, a name, may hold anything. 0: not to be had. */
static uint64_t
start_ticks(void)
{
    char text[1024];
    read_file("/proc/self/stat", text, sizeof text);
    char *at = strrchr(text, ')');
    for (int field = 2; at != NULL && field < 22; field++) {
        at = strchr(at + 1, ' ');
    }
    return at != NULL ? strtoull(at + 1, NULL, 10) : 0;
}

static void
put_text(uint8_t *field, size_t room, const char *text)
{
    memcpy(field, text, machine_cut(text, room));
}

void
machine_describe(struct mmstats_header *header)
{
    struct utsname name;
    char command[64 + 1];
    read_id("/proc/sys/kernel/random/boot_id", header->boot_id);
    read_id("/etc/machine-id", header->machine_id);
    header->pid = (uint32_t)getpid();
    header->uid = (uint32_t)geteuid();
    header->start_ticks = start_ticks();
    header->pid_ns = inode_of("/proc/self/ns/pid");
    header->time_ns = inode_of("/proc/self/ns/time");
    header->created = clock_ns(CLOCK_REALTIME);
    header->created_monotonic = clock_ns(CLOCK_MONOTONIC);
    header->created_boottime = clock_ns(CLOCK_BOOTTIME);
    long ticks_a_second = sysconf(_SC_CLK_TCK);
    if (header->start_ticks != 0 && ticks_a_second > 0) {
        uint64_t since_boot = header->start_ticks * (1000000000u / (uint64_t)ticks_a_second);
        header->started = header->created - header->created_boottime + since_boot;
    }
    if (uname(&name) == 0) {
        put_text(header->hostname, sizeof header->hostname, name.nodename);
    }
    machine_command(command, sizeof command);
    put_text(header->cmd, sizeof header->cmd, command);
}

void
machine_command(char *name, size_t room)
{
    char line[4096];
    size_t length = read_file("/proc/self/cmdline", line, sizeof line); /* ends at the first NUL */
    const char *slash = length > 0 ? strrchr(line, '/') : NULL;
    const char *base = slash != NULL ? slash + 1 : line;
    size_t cut = machine_cut(base, room - 1);
    memcpy(name, base, cut);
    name[cut] = '\0';
    if (cut == 0) {
        memcpy(name, "?", 2);
    }
}

void
machine_random(void *bytes, size_t count)
{
    if (getrandom(bytes, count, 0) == (ssize_t)count) {
        return;
    }
    uint64_t seed = clock_ns(CLOCK_REALTIME) ^ (uint64_t)getpid() << 32; /* a kernel without: unique enough */
    for (size_t i = 0; i < count; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        ((uint8_t *)bytes)[i] = (uint8_t)(seed >> 56);
    }
}

size_t
machine_cut(const char *text, size_t room)
{
    size_t length = strlen(text);
    if (length <= room) {
        return length;
    }
    while (room > 0 && ((unsigned char)text[room] & 0xC0) == 0x80) {
        room--;
    }
    return room;
}
