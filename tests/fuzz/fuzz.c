// SPDX-License-Identifier: GPL-2.0
/*
 * What the fuzz targets share: the tree, cxlmemctl as a function, and what the
 * linker puts in the place of functions that would reach out of this process.
 */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#include "fuzz.h"

#undef fail			/* cmocka's */

int tool_main(int argc, char **argv);		/* of cmd/main.c */

/* Two messages at once must not mix with what the tool prints. */
void broken(const char *condition, const char *fmt, ...)
{
	va_list args;

	dprintf(STDERR_FILENO, "\ndoes not hold: %s\n", condition);
	va_start(args, fmt);
	vdprintf(STDERR_FILENO, fmt, args);
	va_end(args);
	dprintf(STDERR_FILENO, "\n");
	abort();
}

static void delete_tree(void)
{
	tree_teardown(NULL);
}

static void make_tree(void)
{
	if (*tree_path())
		return;
	must(!tree_setup(NULL));
	atexit(delete_tree);
	must(!chdir(tree_path()));
}

struct cxlmem_ctx *fuzz_context(void)
{
	static struct cxlmem_ctx *ctx;

	make_tree();
	if (!ctx)
		ctx = tree_context();
	return ctx;
}

void put_bytes(const char *path, const void *data, size_t size)
{
	char name[PATH_MAX];
	int fd;

	snprintf(name, sizeof(name), "%s/%s", tree_path(), path);
	fd = open(name, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0) {
		/* The first time its directories are missing, too. */
		put(path, "%s", "");
		fd = open(name, O_WRONLY | O_TRUNC | O_CLOEXEC);
	}
	must(write(fd, data, size) == (ssize_t)size);
	close(fd);
}

char *to_string(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	must(text);
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* ---- in the place of functions that reach out ---- */

static bool in_tool;

/* Whatever --sysroot says. */
int __real_cxlmem_set_sysroot(struct cxlmem_ctx *ctx, const char *path);
int __wrap_cxlmem_set_sysroot(struct cxlmem_ctx *ctx, const char *path);

int __wrap_cxlmem_set_sysroot(struct cxlmem_ctx *ctx, const char *path)
{
	(void)path;
	return __real_cxlmem_set_sysroot(ctx, tree_path());
}

/* The other libraries would act on the real machine. */
int __real_lazy_load(struct cxlmem_ctx *ctx, const char *soname, const char *const *names,
		     size_t nr, void *api, size_t api_size);
int __wrap_lazy_load(struct cxlmem_ctx *ctx, const char *soname, const char *const *names,
		     size_t nr, void *api, size_t api_size);

int __wrap_lazy_load(struct cxlmem_ctx *ctx, const char *soname, const char *const *names,
		     size_t nr, void *api, size_t api_size)
{
	if (!strncmp(soname, "libiniparser", 12))
		return __real_lazy_load(ctx, soname, names, nr, api, api_size);
	return fail(ctx, ENOENT, "%s is not used here", soname);
}

/* Without the child process, which is slow to make with the sanitizers in it. */
int __wrap_supervised_write(struct transition *t, const char *path, const char *value,
			    const char *doing,
			    bool (*progress)(struct transition *t, uint64_t *done, uint64_t *total));

int __wrap_supervised_write(struct transition *t, const char *path, const char *value,
			    const char *doing,
			    bool (*progress)(struct transition *t, uint64_t *done, uint64_t *total))
{
	uint64_t done = t->done, total = t->total;

	if (progress && !progress(t, &done, &total))
		done = total = 0;
	event_progress(t, doing, done, total);
	t->touched = true;
	return attr_write(t->ctx->root, path, value);
}

int __wrap_execvp(const char *file, char *const argv[]);

int __wrap_execvp(const char *file, char *const argv[])
{
	broken("nothing is run", "%s %s", file, argv[0]);
}

/* Signals are libFuzzer's: it wants to hear of Ctrl-C. */
int __real_sigaction(int signal, const struct sigaction *action, struct sigaction *old);
int __wrap_sigaction(int signal, const struct sigaction *action, struct sigaction *old);

int __wrap_sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
	return in_tool ? __real_sigaction(signal, NULL, old) :
			 __real_sigaction(signal, action, old);
}

/* ---- the tool ---- */

int run_tool(int argc, char **argv, struct printed *printed)
{
	static struct printed last;
	FILE *out = stdout, *err = stderr;
	size_t size;
	int code;

	free(last.out);
	free(last.err);
	last = (struct printed){ NULL, NULL };
	stdout = open_memstream(&last.out, &size);
	stderr = open_memstream(&last.err, &size);
	must(stdout && stderr);
	in_tool = true;
	code = tool_main(argc, argv);
	in_tool = false;
	fclose(stdout);
	fclose(stderr);
	stdout = out;
	stderr = err;
	*printed = last;
	must(code == 0 || code == 1 || code == 2 || code == 64, "exit code %d: %s", code,
	     last.err);
	return code;
}

/* ---- JSON ---- */

/* Letters for the types that a member may have: string, integer, boolean, array, object, null. */
struct member {
	const char *name;
	const char *types;
};

static const struct member device_members[] = {
	{ "name", "s" }, { "kind", "s" }, { "parent", "sn" }, { "driver", "sn" }, { "mode", "s" },
	{ "modes", "a" }, { "state", "sn" }, { "start", "i" }, { "size", "i" },
	{ "usable_start", "i" }, { "usable_size", "i" }, { "trimmed", "i" }, { "node", "in" },
	{ "zone", "sn" }, { "memmap", "sn" }, { "online", "i" }, { "offline", "i" },
	{ "used", "in" }, { "free", "in" }, { "capacity", "i" }, { "policy", "sn" },
	{ "quota", "in" }, { "lend", "bn" }, { "claimed", "i" }, { "distance", "in" },
	{ "read_latency_ns", "in" }, { "read_bandwidth_mbps", "in" }, { "tier", "in" },
	{ "source", "sn" }, { "serial", "sn" }, { NULL, NULL },
};

static const struct member block_members[] = {
	{ "block", "i" }, { "start", "i" }, { "size", "i" }, { "reason", "s" }, { "pages", "sn" },
	{ "remedy", "sn" }, { NULL, NULL },
};

static const struct member finding_members[] = {
	{ "severity", "s" }, { "check", "s" }, { "text", "s" }, { "fix", "sn" }, { NULL, NULL },
};

static const struct member list_members[] = {
	{ "schema", "i" }, { "devices", "a" }, { NULL, NULL },
};

static const struct member mode_members[] = {
	{ "schema", "i" }, { "device", "o" }, { NULL, NULL },
};

static const struct member doctor_members[] = {
	{ "schema", "i" }, { "problems", "i" }, { "findings", "a" }, { NULL, NULL },
};

static const struct member result_members[] = {
	{ "schema", "i" }, { "command", "s" }, { "dry_run", "b" }, { "result", "s" },
	{ "error", "sn" }, { "failed_blocks", "a" }, { "device", "on" }, { NULL, NULL },
};

/* Of a claim that is refused: in here nothing is in mode "cma". */
static const struct member claim_members[] = {
	{ "schema", "i" }, { "command", "s" }, { "result", "s" }, { "error", "s" },
	{ "device", "on" }, { NULL, NULL },
};

static const struct member release_members[] = {
	{ "schema", "i" }, { "command", "s" }, { "result", "s" }, { "released", "a" },
	{ "device", "on" }, { NULL, NULL },
};

static const struct member claims_members[] = {
	{ "schema", "i" }, { "claims", "a" }, { "device", "o" }, { NULL, NULL },
};

static char type_letter(struct json_object *o)
{
	switch (json_object_get_type(o)) {
	case json_type_string:
		return 's';
	case json_type_int:
		return 'i';
	case json_type_boolean:
		return 'b';
	case json_type_array:
		return 'a';
	case json_type_object:
		return 'o';
	case json_type_null:
		return 'n';
	default:
		return '?';
	}
}

/* Just these members, each of a type it may have. */
static void check_members(struct json_object *o, const struct member *member)
{
	struct json_object *value;
	int nr = 0;

	must(o);
	for (; member->name; member++, nr++) {
		must(json_object_object_get_ex(o, member->name, &value), "%s", member->name);
		must(strchr(member->types, type_letter(value)), "%s: %s", member->name,
		     json_object_to_json_string(o));
	}
	must(json_object_object_length(o) == nr, "%s", json_object_to_json_string(o));
}

static void check_array(struct json_object *o, const char *name, const struct member *members)
{
	struct json_object *array;
	size_t i;

	must(json_object_object_get_ex(o, name, &array));
	for (i = 0; i < json_object_array_length(array); i++)
		check_members(json_object_array_get_idx(array, i), members);
}

/* By the C library: json-c's own strict mode refuses good UTF-8, too. */
static bool is_utf8(const char *text)
{
	static locale_t utf8;
	locale_t before;
	size_t len;

	if (!utf8)
		utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
	must(utf8);
	before = uselocale(utf8);
	len = mbstowcs(NULL, text, 0);
	uselocale(before);
	return len != (size_t)-1;
}

static struct json_object *parse_json(const char *text, size_t len)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *o;

	o = json_tokener_parse_ex(tokener, text, len);
	must(o, "%s: %s", json_tokener_error_desc(json_tokener_get_error(tokener)), text);
	json_tokener_free(tokener);
	must(is_utf8(text), "%s", text);
	return o;
}

static void check_output(const char *text)
{
	struct json_object *o = parse_json(text, strlen(text)), *value;

	must(json_object_object_get_ex(o, "schema", &value) && json_object_get_int(value) == 1);
	if (json_object_object_get_ex(o, "devices", NULL)) {
		check_members(o, list_members);
		check_array(o, "devices", device_members);
	} else if (json_object_object_get_ex(o, "findings", NULL)) {
		check_members(o, doctor_members);
		check_array(o, "findings", finding_members);
	} else if (json_object_object_get_ex(o, "claims", NULL)) {
		check_members(o, claims_members);
	} else if (json_object_object_get_ex(o, "released", NULL)) {
		check_members(o, release_members);
	} else if (json_object_object_get_ex(o, "command", &value) &&
		   !strcmp(json_object_get_string(value), "claim")) {
		check_members(o, claim_members);
	} else if (json_object_object_get_ex(o, "command", NULL)) {
		check_members(o, result_members);
		check_array(o, "failed_blocks", block_members);
		if (json_object_object_get_ex(o, "device", &value) && value)
			check_members(value, device_members);
	} else {
		check_members(o, mode_members);
		json_object_object_get_ex(o, "device", &value);
		check_members(value, device_members);
	}
	json_object_put(o);
}

void check_json(const struct printed *printed)
{
	const char *line, *end;

	if (*printed->out)
		check_output(printed->out);
	/* Events, one a line; errors stand between them as they are. */
	for (line = printed->err; *line; line = *end ? end + 1 : end) {
		end = line + strcspn(line, "\n");
		if (*line == '{')
			json_object_put(parse_json(line, end - line));
	}
}
