// SPDX-License-Identifier: LGPL-2.1
/*
 * /etc/cxlmem/cxlmem.conf: which device is to be in which mode. iniparser reads
 * it; everything in it is checked before anything is done with it.
 */
#include <ctype.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <iniparser.h>

#include "private.h"

#define DEFAULT_PATH	"/etc/cxlmem/cxlmem.conf"
#define MAX_SIZE	(1 << 20)
#define SECTION		"auto-online "

#define INI_FUNCTIONS(X)			\
	X(iniparser_set_error_callback)		\
	X(iniparser_load_file)			\
	X(iniparser_getnsec)			\
	X(iniparser_getsecname)			\
	X(iniparser_getstring)			\
	X(iniparser_freedict)

LAZY_LIBRARY(ini, INI_FUNCTIONS, "libiniparser.so.4")

/* What a section matches by, and what it asks for. */
struct section {
	char name[NAME_LEN];
	bool by_pci, by_id, by_serial, by_start;
	char pci[NAME_LEN];
	uint64_t vendor, device;
	uint64_t serial;
	uint64_t start;
	char mode[NAME_LEN];
	const char *zone;		/* NULL, "movable" or "kernel" */
	int node;
	int memmap;
	const char *policy;		/* NULL, "deny" or "evict" */
	int64_t quota;
	int lend;
};

struct cxlmem_config {
	size_t nr;
	struct section *sections;
};

/* Each takes one value; false if it makes no sense. */

static bool set_pci(struct section *s, const char *value)
{
	s->by_pci = true;
	return !parse_pci(value, s->pci, sizeof(s->pci));
}

static bool set_id(struct section *s, const char *value)
{
	char vendor[8];

	s->by_id = true;
	if (strlen(value) != 9 || value[4] != ':')
		return false;
	snprintf(vendor, sizeof(vendor), "%.4s", value);
	return !parse_u64(vendor, 16, &s->vendor) && !parse_u64(value + 5, 16, &s->device);
}

static bool set_serial(struct section *s, const char *value)
{
	s->by_serial = true;
	return !parse_number(value, &s->serial);
}

static bool set_start(struct section *s, const char *value)
{
	s->by_start = true;
	return !cxlmem_parse_size(value, &s->start);
}

static bool set_mode(struct section *s, const char *value)
{
	snprintf(s->mode, sizeof(s->mode), "%s", value);
	return mode_is_known(value);
}

static bool set_zone(struct section *s, const char *value)
{
	s->zone = strcmp(value, "kernel") ? "movable" : "kernel";
	return !strcmp(value, s->zone);
}

static bool set_node(struct section *s, const char *value)
{
	uint64_t node;

	if (parse_u64(value, 10, &node) || node >= MAX_NODES)
		return false;
	s->node = node;
	return true;
}

static bool set_memmap(struct section *s, const char *value)
{
	s->memmap = !strcmp(value, "on");
	return s->memmap || !strcmp(value, "off");
}

static bool set_policy(struct section *s, const char *value)
{
	s->policy = strcmp(value, "evict") ? "deny" : "evict";
	return !strcmp(value, s->policy);
}

static bool set_quota(struct section *s, const char *value)
{
	uint64_t bytes;

	if (cxlmem_parse_size(value, &bytes) || bytes > INT64_MAX)
		return false;
	s->quota = bytes;
	return true;
}

static bool set_lend(struct section *s, const char *value)
{
	s->lend = !strcmp(value, "on");
	return s->lend || !strcmp(value, "off");
}

static const struct key {
	const char *name;
	bool (*set)(struct section *s, const char *value);
	const char *values;
} keys[] = {
	{ "match.pci",		set_pci,	"a PCI address such as 0000:0d:00.0" },
	{ "match.id",		set_id,		"vendor:device such as 8086:0d93" },
	{ "match.serial",	set_serial,	"a number such as 0x1234" },
	{ "match.start",	set_start,	"an address such as 0x100000000" },
	{ "mode",		set_mode,	"offline, system, driver or cma" },
	{ "zone",		set_zone,	"movable or kernel" },
	{ "node",		set_node,	"the number of a NUMA node" },
	{ "memmap",		set_memmap,	"on or off" },
	{ "policy",		set_policy,	"deny or evict" },
	{ "quota",		set_quota,	"an amount such as 16G, or 0 for no limit" },
	{ "lend",		set_lend,	"on or off" },
};

static const struct key *find_key(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

#define BLANKS " \t\r\v\f"

/* Compares what is between two places of a line, without blanks around it, to a lower-case word. */
static bool is_word(const char *from, const char *to, const char *word)
{
	while (from < to && isspace((unsigned char)*from))
		from++;
	while (to > from && isspace((unsigned char)to[-1]))
		to--;
	return (size_t)(to - from) == strlen(word) && !strncasecmp(from, word, to - from);
}

/*
 * Line of a section (@key is NULL) or of a key in it; iniparser does not keep
 * them. Of several the last, since that is the one that counts. What begins as
 * a section and does not end as one is a key to iniparser.
 */
static unsigned int line_of(const char *text, const char *section, const char *key)
{
	unsigned int line = 0, found = 0;
	bool inside = !*section;

	while (*text) {
		const char *next = text + strcspn(text, "\n"), *end = next;
		const char *at = text + strspn(text, BLANKS);

		line++;
		while (end > at && strchr(BLANKS, end[-1]))
			end--;
		if (*at == '[' && end[-1] == ']') {
			inside = is_word(at + 1, end - 1, section);
			if (inside && !key)
				found = line;
		} else if (inside && key && is_word(at, at + strcspn(at, "=\n"), key)) {
			found = line;
		}
		text = *next ? next + 1 : next;
	}
	return found;
}

/*
 * Line of what iniparser would make something else of than the writer meant,
 * or 0: a zero byte would end the file; a line that ends with a backslash would
 * take in the next one, also if it is a comment.
 */
static unsigned int line_of_trap(const char *text, size_t len)
{
	const char *end = text + len;
	unsigned int line;

	for (line = 1; text < end; line++) {
		const char *next = memchr(text, '\n', end - text);
		const char *last = next ? next : end;

		if (memchr(text, '\0', last - text))
			return line;
		while (last > text && strchr(BLANKS, last[-1]))
			last--;
		if (last > text && last[-1] == '\\')
			return line;
		text = next ? next + 1 : end;
	}
	return 0;
}

/* What is being read, for error messages. */
struct source {
	struct cxlmem_ctx *ctx;
	const char *path;
	const char *text;
	size_t len;
};

static int read_entry(const struct source *src, struct section *s, const char *section,
		      const char *name, const char *value)
{
	const struct key *key = find_key(name);
	unsigned int line = line_of(src->text, section, name);

	if (!key)
		return fail(src->ctx, EINVAL, "%s:%u: there is no key '%s'", src->path, line, name);
	if (!value || !key->set(s, value))
		return fail(src->ctx, EINVAL, "%s:%u: '%s' is not a value for %s; it must be %s",
			    src->path, line, value ? value : "", name, key->values);
	return 0;
}

static int read_section(const struct source *src, const struct ini *api, const dictionary *ini,
			const char *name, struct section *s)
{
	unsigned int line = line_of(src->text, name, NULL);
	size_t len = strlen(name);
	size_t i;
	int rc;

	if (strncmp(name, SECTION, strlen(SECTION)) || len - strlen(SECTION) >= sizeof(s->name))
		return fail(src->ctx, EINVAL,
			    "%s:%u: there is no kind of section '%s'; write [%sNAME]", src->path,
			    line, name, SECTION);
	*s = (struct section){ .node = CXLMEM_KEEP, .memmap = CXLMEM_KEEP,
				.quota = CXLMEM_KEEP, .lend = CXLMEM_KEEP };
	strcpy(s->name, name + strlen(SECTION));
	for (i = 0; i < (size_t)ini->size; i++) {
		const char *key = ini->key[i];

		if (!key || strncmp(key, name, len) || key[len] != ':')
			continue;
		rc = read_entry(src, s, name, key + len + 1,
				api->iniparser_getstring(ini, key, NULL));
		if (rc)
			return rc;
	}
	if (!s->by_pci && !s->by_id && !s->by_serial && !s->by_start)
		return fail(src->ctx, EINVAL,
			    "%s:%u: section '%s' matches no device; add match.pci, match.id, match.serial or match.start",
			    src->path, line, s->name);
	if (!s->mode[0])
		return fail(src->ctx, EINVAL, "%s:%u: section '%s' has no mode", src->path, line,
			    s->name);
	return 0;
}

static int read_sections(const struct source *src, const struct ini *api, const dictionary *ini,
			 struct cxlmem_config *config)
{
	int i, rc, nr = api->iniparser_getnsec(ini);
	size_t k;

	/* iniparser takes these sections for keys, and so does not list them. */
	for (k = 0; k < (size_t)ini->size; k++)
		if (ini->key[k] && !ini->val[k] && strchr(ini->key[k], ':'))
			return fail(src->ctx, EINVAL,
				    "%s:%u: the name of section '%s' has a colon in it, which cannot be",
				    src->path, line_of(src->text, ini->key[k], NULL), ini->key[k]);
	for (k = 0; k < (size_t)ini->size; k++)
		if (ini->key[k] && ini->key[k][0] == ':')
			return fail(src->ctx, EINVAL,
				    "%s:%u: '%s' stands before the first section; write [%sNAME] above it",
				    src->path, line_of(src->text, "", ini->key[k] + 1),
				    ini->key[k] + 1, SECTION);
	config->sections = calloc(nr > 0 ? nr : 1, sizeof(*config->sections));
	if (!config->sections)
		return fail(src->ctx, ENOMEM, "not enough memory to read %s", src->path);
	for (i = 0; i < nr; i++) {
		rc = read_section(src, api, ini, api->iniparser_getsecname(ini, i),
				  &config->sections[i]);
		if (rc)
			return rc;
		config->nr++;
	}
	return 0;
}

/* iniparser tells of syntax errors by a function without any data. */
static _Thread_local unsigned int bad_line;

#define NAME	"file"
#define IN_FILE	" in " NAME " ("

static int note_bad_line(const char *format, ...)
{
	char text[2 * PATH_MAX];
	const char *at;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* "iniparser: syntax error in NAME (LINE):", and then the line with whatever is in it */
	at = strstr(text, IN_FILE);
	if (!bad_line && at)
		bad_line = strtoul(at + strlen(IN_FILE), NULL, 10);
	return 0;
}

static int bad_syntax(const struct source *src)
{
	return fail(src->ctx, EINVAL,
		    "%s:%u: this line is neither [%sNAME], nor KEY = VALUE, nor a # comment",
		    src->path, bad_line, SECTION);
}

static int parse(const struct source *src, struct cxlmem_config *config)
{
	dictionary *ini = NULL;
	struct ini api;
	FILE *file;
	int rc;

	if (!src->len)
		return 0;
	bad_line = line_of_trap(src->text, src->len);
	if (bad_line)
		return bad_syntax(src);
	rc = load_ini(src->ctx, &api);
	if (rc)
		return rc;
	file = fmemopen((char *)src->text, src->len, "r");
	if (!file)
		return fail(src->ctx, errno, "cannot read %s: %s", src->path, strerror(errno));
	api.iniparser_set_error_callback(note_bad_line);
	ini = api.iniparser_load_file(file, NAME);
	api.iniparser_set_error_callback(NULL);
	fclose(file);
	if (ini && !bad_line)
		rc = read_sections(src, &api, ini, config);
	else
		rc = bad_syntax(src);
	if (ini)
		api.iniparser_freedict(ini);
	return rc;
}

/*
 * What it says is done with root's rights, so nobody else may have written it.
 * A file descriptor, -ENOENT without an error text, or another error.
 */
static int open_file(struct cxlmem_ctx *ctx, const char *path)
{
	const char *below = path + strspn(path, "/");
	struct stat st;
	int fd;

	fd = openat(below > path ? ctx->root : AT_FDCWD, below,
		    O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? -ENOENT :
			fail(ctx, errno, "cannot read %s: %s", path, strerror(errno));
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size <= MAX_SIZE &&
	    !(st.st_mode & S_IWOTH) && (!st.st_uid || st.st_uid == geteuid()))
		return fd;
	close(fd);
	return fail(ctx, EPERM,
		    "%s is not trusted: it must be a file of root's that only root can write, at most 1 MiB",
		    path);
}

/* NULL with errno set on failure; half a configuration is none. */
static char *read_text(int fd, size_t *len)
{
	char *text = malloc(MAX_SIZE + 1);
	ssize_t part = 0;

	*len = 0;
	while (text && (part = read(fd, text + *len, MAX_SIZE - *len)) > 0)
		*len += part;
	if (part < 0) {
		free(text);
		return NULL;
	}
	if (text)
		text[*len] = '\0';
	return text;
}

EXPORT int cxlmem_config_load(struct cxlmem_ctx *ctx, const char *path,
			      struct cxlmem_config **result)
{
	struct cxlmem_config *config = calloc(1, sizeof(*config));
	struct source src = { .ctx = ctx, .path = path ? path : DEFAULT_PATH };
	char *text;
	int fd, rc;

	if (!config)
		return fail(ctx, ENOMEM, "not enough memory to read %s", src.path);
	fd = open_file(ctx, src.path);
	if (fd >= 0) {
		text = read_text(fd, &src.len);
		src.text = text;
		rc = text ? parse(&src, config) :
			fail(ctx, errno, "cannot read %s: %s", src.path, strerror(errno));
		close(fd);
		free(text);
	} else {
		/* Without the file, no device is configured; but one that was named must exist. */
		rc = fd == -ENOENT && !path ? 0 : fd;
		if (fd == -ENOENT && path)
			fail(ctx, ENOENT, "there is no file %s", path);
	}
	if (rc) {
		cxlmem_config_free(config);
		return rc;
	}
	*result = config;
	return 0;
}

EXPORT void cxlmem_config_free(struct cxlmem_config *config)
{
	if (!config)
		return;
	free(config->sections);
	free(config);
}

static bool has_id(struct cxlmem_device *dev, const struct section *s)
{
	uint64_t vendor, device;

	return !sysfs_read_number(dev->ctx, &vendor, "%s/device/vendor", dev->dir) &&
	       !sysfs_read_number(dev->ctx, &device, "%s/device/device", dev->dir) &&
	       vendor == s->vendor && device == s->device;
}

EXPORT const char *cxlmem_config_match(struct cxlmem_config *config, struct cxlmem_device *dev,
				       const char **mode, struct cxlmem_options *options)
{
	size_t i;

	for (i = 0; i < config->nr; i++) {
		const struct section *s = &config->sections[i];

		if ((s->by_pci && strcmp(s->pci, dev->parent)) ||
		    (s->by_serial && (!dev->serial || s->serial != dev->serial)) ||
		    (s->by_start && s->start != dev->range.start) ||
		    (s->by_id && !has_id(dev, s)))
			continue;
		*mode = s->mode;
		options->zone = s->zone;
		options->node = s->node;
		options->memmap = s->memmap;
		/* A program built with an older header has no room for these. */
		if (options->size >= sizeof(*options)) {
			options->policy = s->policy;
			options->quota = s->quota;
			options->lend = s->lend;
		}
		return s->name;
	}
	return NULL;
}
