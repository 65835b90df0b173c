/* A publisher's beginning and end. */
#define _GNU_SOURCE
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP_ROOM = 64 };

static void
say_on_stderr(const char *sentence)
{
    fprintf(stderr, "%s\n", sentence);
}

static bool
mode_from(const char *text, mode_t *mode)
{
    char *end;
    *mode = 0600;
    if (text == NULL || *text == '\0') {
        return true;
    }
    unsigned long given = strtoul(text, &end, 8);
    if (*end != '\0' || given & ~0644ul || !(given & 0200)) {
        wrong("MMSTATS_MODE='%.40s': expected 0600, 0640, 0604 or 0644; nobody else writes", text);
        return false;
    }
    *mode = (mode_t)given | 0600;
    return true;
}

static char *
setting(const char *given, const char *variable, const char *otherwise)
{
    const char *told = given != NULL && *given != '\0' ? given : getenv(variable);
    told = told != NULL && *told != '\0' ? told : otherwise;
    return told != NULL ? strdup(told) : NULL;
}

static void
free_publisher(mmstats_publisher *publisher)
{
    free(publisher->settings.path);
    free(publisher->settings.filename);
    free(publisher->settings.group);
    free(publisher);
}

static bool
take_settings(struct settings *settings, const struct mmstats_options *options)
{
    char command[GROUP_ROOM + 1], expanded[PATH_ROOM];
    const char *disabled = getenv("MMSTATS_DISABLE");
    machine_command(command, sizeof command);
    settings->path = setting(options->path, "MMSTATS_PATH", NULL);
    settings->filename = setting(options->filename, "MMSTATS_FILES", "{CMD}-{PID}-{ID}.mmstats");
    settings->group = setting(options->group, "MMSTATS_GROUP", command);
    settings->disabled = disabled != NULL && *disabled != '\0' && strcmp(disabled, "0") != 0;
    settings->say = options->say != NULL ? options->say : say_on_stderr;
    if (settings->filename == NULL || settings->group == NULL) {
        no_memory();
        return false;
    }
    if (!text_is_lawful("group", settings->group) || !mode_from(getenv("MMSTATS_MODE"), &settings->mode)) {
        return false;
    }
    if (strlen(settings->group) > GROUP_ROOM) {
        wrong("group has %zu bytes, at most %d fit", strlen(settings->group), GROUP_ROOM);
        return false;
    }
    char why[SENTENCE];
    const char *const templates[] = {settings->filename, settings->path};
    for (size_t i = 0; i < 2; i++) {
        if (templates[i] != NULL
            && !places_expand(templates[i], "00000000", expanded, sizeof expanded, why, sizeof why)) {
            wrong("%s", why);
            return false;
        }
    }
    return true;
}

static bool
start(mmstats_publisher *publisher)
{
    if (!threads_start()) {
        return false;
    }
    pthread_mutex_lock(&page->slow);
    bool started = gid_take_locked(&publisher->state_gid) && publisher_has_region(publisher);
    pthread_mutex_unlock(&page->slow);
    return started;
}

mmstats_publisher *
mmstats_open(const struct mmstats_options *options)
{
    mmstats_publisher *publisher = calloc(1, sizeof *publisher);
    if (publisher == NULL) {
        return no_memory();
    }
    bool is_right =
        take_settings(&publisher->settings, options != NULL ? options : &(struct mmstats_options){0});
    if (is_right && start(publisher)) {
        return publisher;
    }
    if (is_right) {
        no_memory();
    }
    free_publisher(publisher);
    return NULL;
}

const char *
mmstats_file(mmstats_publisher *publisher)
{
    if (publisher == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&page->slow);
    const char *file =
        publisher_has_region(publisher) && !publisher->region->is_private ? publisher->region->file : NULL;
    pthread_mutex_unlock(&page->slow);
    return file;
}

static void
close_segments(mmstats_publisher *publisher)
{
    for (struct segment *segment = publisher->segments, *next; segment != NULL; segment = next) {
        next = segment->next;
        slots_forget(segment->gid);
        gid_give_locked(segment->gid);
        free(segment->octaves);
        free(segment);
    }
    slots_forget(publisher->state_gid);
    gid_give_locked(publisher->state_gid);
}

void
mmstats_close(mmstats_publisher *publisher)
{
    if (publisher == NULL) {
        return;
    }
    pthread_mutex_lock(&page->slow);
    close_segments(publisher);
    if (publisher->region != NULL && publisher->process == process_number()) {
        region_close(publisher->region);
    }
    else if (publisher->region != NULL) {
        region_leave(publisher->region); /* it is our parent's */
    }
    lanes_free(publisher);
    for (mmstats_stat *stat = publisher->stats, *next; stat != NULL; stat = next) {
        next = stat->next;
        stat_free(stat);
    }
    pthread_mutex_unlock(&page->slow);
    free_publisher(publisher);
}
