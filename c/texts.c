/* Texts that come from outside: lawful ones, and copies of them. */
#define _GNU_SOURCE
#include "writer.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the character that begins there; 0: no UTF-8. */
static size_t
character(const unsigned char *at)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
    for (size_t length = 1; length <= 4; length++) {
        if ((*at & forms[length - 1].mask) == forms[length - 1].lead) {
            uint32_t code = *at & (unsigned char)~forms[length - 1].mask;
            for (size_t i = 1; i < length; i++) {
                if ((at[i] & 0xC0) != 0x80) {
                    return 0;
                }
                code = code << 6 | (at[i] & 0x3F);
            }
            bool is_one =
                code >= forms[length - 1].least && code <= 0x10FFFF && (code & 0xFFFFF800) != 0xD800;
            return is_one ? length : 0;
        }
    }
    return 0;
}

bool
text_is_lawful(const char *what, const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; at != NULL && *at != '\0';
         at += character(at)) {
        if (character(at) == 0) {
            wrong("%s is no UTF-8", what);
            return false;
        }
    }
    for (const char *at = text; at != NULL && *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7F) {
            wrong("%s holds a control character: '%.40s'", what, text);
            return false;
        }
    }
    if (text != NULL && strlen(text) > MMSTATS_TEXT_LIMIT) {
        wrong("%s has %zu bytes, at most %d fit", what, strlen(text), MMSTATS_TEXT_LIMIT);
        return false;
    }
    return true;
}

bool
text_is_name(const char *name)
{
    if (name == NULL || !(isalpha((unsigned char)*name) || *name == '_')) {
        return false;
    }
    for (const char *at = name; *at != '\0'; at++) {
        if (!isalnum((unsigned char)*at) && *at != '_') {
            return false;
        }
    }
    return true;
}

char *
text_copy(const char *text)
{
    return strdup(text != NULL ? text : "");
}

void *
text_put(char *at, const char *text, size_t length)
{
    memcpy(at, text, length);
    return at + length;
}

bool
texts_join(const char *const *texts, size_t count, char **joined, size_t *length)
{
    *length = 0;
    for (size_t i = 0; i < count; i++) {
        *length += strlen(texts[i]) + 1;
    }
    *joined = malloc(*length + 1);
    if (*joined == NULL) {
        no_memory();
        return false;
    }
    char *at = *joined;
    for (size_t i = 0; i < count; i++) {
        at = text_put(at, texts[i], strlen(texts[i]) + 1);
    }
    return true;
}
