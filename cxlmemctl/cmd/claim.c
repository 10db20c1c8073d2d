// SPDX-License-Identifier: GPL-2.0
/*
 * cxlmemctl claim and release: contiguous pieces of a device in mode cma, for a
 * program that is started, or held by a process of ours, which release ends.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libsmartcols/libsmartcols.h>

#include "tool.h"

/* What a process calls itself that has a claim and nothing else to do. */
#define HOLDER		"cxlmem-holder"

#define PATIENCE_MS	1000ul
#define TICK_NS		500000000l
/* The kernel gives the memory back a moment after the process has ended. */
#define RELEASE_MS	10000
#define POLL_NS		20000000l

/* ---- the list of claims */

static int add_line(struct listing *listing, const struct cxlmem_claim *claim)
{
	char id[32], size[32], offset[32], user[256], pid[16] = "";
	const char *const words[] = { id, size, offset, user, pid, claim->command };

	snprintf(id, sizeof(id), "%" PRIu64, claim->id);
	listing_amount(listing, claim->size, size, sizeof(size));
	snprintf(offset, sizeof(offset), "%#" PRIx64, claim->offset);
	listing_user(claim->uid, user, sizeof(user));
	if (claim->pid)
		snprintf(pid, sizeof(pid), "%d", (int)claim->pid);
	return listing_line(listing, words, ARRAY_SIZE(words));
}

static struct json_object *claim_to_json(const struct cxlmem_claim *claim)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "id", json_object_new_uint64(claim->id));
	json_object_object_add(o, "size", json_object_new_uint64(claim->size));
	json_object_object_add(o, "offset", json_object_new_uint64(claim->offset));
	json_object_object_add(o, "uid", json_object_new_int64(claim->uid));
	json_object_object_add(o, "maker", json_object_new_int64(claim->maker));
	json_object_object_add(o, "maker_command", json_text(claim->maker_command));
	json_object_object_add(o, "pid", claim->pid ? json_object_new_int64(claim->pid) : NULL);
	json_object_object_add(o, "command", json_text(claim->command));
	return o;
}

static int on_claim(const struct cxlmem_claim *claim, void *data)
{
	struct listing *listing = data;

	if (listing->table)
		return add_line(listing, claim);
	json_object_array_add(listing->array, claim_to_json(claim));
	return 0;
}

static int list_claims(struct tool *t, struct cxlmem_device *dev)
{
	static const struct listing_column columns[] = {
		{ "ID", true }, { "SIZE", true }, { "OFFSET", true }, { "USER", false },
		{ "PID", true }, { "COMMAND", false },
	};
	struct listing listing = {};
	struct json_object *o;
	int rc = listing_start(&listing, t, columns, ARRAY_SIZE(columns));

	if (!rc)
		rc = cxlmem_device_claims(dev, on_claim, &listing);
	if (!rc && t->json) {
		o = json_object_new_object();
		json_object_object_add(o, "schema", json_object_new_int(JSON_SCHEMA));
		json_object_object_add(o, "claims", json_object_get(listing.array));
		json_object_object_add(o, "device", json_device(dev));
		print_json(o);
	} else if (!rc) {
		scols_print_table(listing.table);
	}
	listing_end(&listing);
	if (rc == -ENOMEM)
		return failed(t, "%s", strerror(ENOMEM));
	return rc ? library_failed(t) : EXIT_DONE;
}

/* ---- making one */

struct request {
	struct tool *tool;
	struct cxlmem_device *dev;
	struct cxlmem_buffer buffer;
	uint64_t wanted;
	uint64_t id;
	double seconds;
	int fd;
};

/* With a context of its own, since the other one is busy. */
static void *show_progress(void *data)
{
	const struct timespec tick = { .tv_nsec = TICK_NS };
	const struct request *request = data;
	uint64_t began = now_ms(), left;
	bool terminal = isatty(STDERR_FILENO);
	char text[2][16];
	struct cxlmem_device *dev;
	struct cxlmem_ctx *ctx;
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	if (cxlmem_new(&ctx))
		return NULL;
	if (cxlmem_device_find(ctx, cxlmem_device_get_name(request->dev), &dev))
		dev = NULL;
	while (dev) {
		pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
		pthread_cleanup_push((void (*)(void *))cxlmem_unref, ctx);
		nanosleep(&tick, NULL);
		pthread_cleanup_pop(0);
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
		if (now_ms() - began < PATIENCE_MS || cxlmem_device_refresh(dev))
			continue;
		left = cxlmem_device_get_taking(dev);
		fprintf(stderr, "%sclaiming %s for %" PRIu64 " s, %s to be taken from the system%s",
			terminal ? "\r\033[K" : "",
			cxlmem_format_size(request->wanted, text[0], sizeof(text[0])),
			(now_ms() - began) / 1000,
			cxlmem_format_size(left, text[1], sizeof(text[1])), terminal ? "" : "\n");
	}
	cxlmem_unref(ctx);
	return NULL;
}

/* 0 or an error number. The thread has all signals blocked: they are for the claim. */
static int make_claim(struct request *request)
{
	uint64_t began = now_ms();
	sigset_t all, mask;
	pthread_t watcher;
	struct stat st;
	bool watched;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &mask);
	watched = !request->tool->json &&
		  !pthread_create(&watcher, NULL, show_progress, request);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	request->fd = cxlmem_device_claim(request->dev, &request->buffer);
	if (watched) {
		pthread_cancel(watcher);
		pthread_join(watcher, NULL);
		if (isatty(STDERR_FILENO) && now_ms() - began >= PATIENCE_MS)
			fputs("\r\033[K", stderr);
	}
	request->seconds = (now_ms() - began) / 1000.0;
	if (request->fd < 0)
		return request->fd;
	request->id = fstat(request->fd, &st) ? 0 : st.st_ino;
	return 0;
}

static void print_claim(const struct request *request, pid_t holder)
{
	const struct cxlmem_buffer *buffer = &request->buffer;
	char text[2][16];

	printf("claim %" PRIu64 ": %s of %s at %#llx, %s moved away, in %.2f s; held by process %d\n",
	       request->id, cxlmem_format_size(buffer->length, text[0], sizeof(text[0])),
	       cxlmem_device_get_name(request->dev), buffer->offset,
	       cxlmem_format_size(buffer->moved, text[1], sizeof(text[1])), request->seconds,
	       (int)holder);
	fflush(stdout);
}

static void print_result(const struct request *request, pid_t holder, const char *error)
{
	const struct cxlmem_buffer *buffer = &request->buffer;
	struct json_object *o;

	if (!request->tool->json) {
		if (error)
			failed(request->tool, "%s", error);
		else
			print_claim(request, holder);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "schema", json_object_new_int(JSON_SCHEMA));
	json_object_object_add(o, "command", json_text("claim"));
	json_object_object_add(o, "result", json_text(error ? "failed" : "done"));
	json_object_object_add(o, "error", error ? json_text(error) : NULL);
	if (!error) {
		json_object_object_add(o, "id", json_object_new_uint64(request->id));
		json_object_object_add(o, "size", json_object_new_uint64(buffer->length));
		json_object_object_add(o, "offset", json_object_new_uint64(buffer->offset));
		json_object_object_add(o, "moved", json_object_new_uint64(buffer->moved));
		json_object_object_add(o, "pid", json_object_new_int64(holder));
	}
	cxlmem_device_refresh(request->dev);
	json_object_object_add(o, "device", json_device(request->dev));
	print_json(o);
	fflush(stdout);
}

/* Until somebody asks for its end: what wants to end us is blocked, and so waited for. */
static void wait_for_end(const sigset_t *ends)
{
	int signal;

	while (sigwait(ends, &signal))
		;
}

/* The process that stays; it has nothing of the terminal's. */
static void detach(void)
{
	setsid();
	if (!freopen("/dev/null", "r", stdin) || !freopen("/dev/null", "w", stdout) ||
	    !freopen("/dev/null", "w", stderr) || chdir("/"))
		_exit(EXIT_FAILED);
}

static int hold(struct request *request)
{
	bool stay = !request->tool->value[OPT_DETACH];
	sigset_t ends;
	pid_t pid = getpid();

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	if (!stay) {
		fflush(NULL);
		pid = fork();
		if (pid < 0)
			return failed(request->tool, "cannot start a process: %s", strerror(errno));
		if (!pid)
			detach();
	}
	/* Both know its name before anybody is told of it. */
	if (stay || !pid)
		prctl(PR_SET_NAME, HOLDER);
	if (pid)
		print_result(request, pid, NULL);
	if (stay || !pid)
		wait_for_end(&ends);
	return EXIT_DONE;
}

/* Becomes the program, which has the claim open by a number that it is told. */
static int run_program(const struct request *request, char **argv)
{
	char fd[16], size[32], offset[32];
	int err;

	snprintf(fd, sizeof(fd), "%d", request->fd);
	snprintf(size, sizeof(size), "%llu", request->buffer.length);
	snprintf(offset, sizeof(offset), "%#llx", request->buffer.offset);
	if (fcntl(request->fd, F_SETFD, 0) || setenv("CXLMEM_FD", fd, 1) ||
	    setenv("CXLMEM_SIZE", size, 1) || setenv("CXLMEM_OFFSET", offset, 1))
		return failed(request->tool, "cannot pass the claim on: %s", strerror(errno));
	if (request->tool->verbose)
		fprintf(stderr, "claim %" PRIu64 " is descriptor %s of %s\n", request->id, fd,
			argv[0]);
	fflush(NULL);
	signal(SIGPIPE, SIG_DFL);
	execvp(argv[0], argv);
	err = errno;
	failed(request->tool, "cannot run %s: %s", argv[0], strerror(err));
	return err == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUN;
}

static int read_request(struct request *request, const char *size)
{
	struct tool *t = request->tool;
	const char *align = t->value[OPT_ALIGN];
	uint64_t bytes = 0;

	request->buffer = (struct cxlmem_buffer){ .size = sizeof(request->buffer) };
	if (cxlmem_parse_size(size, &request->wanted) || !request->wanted)
		return wrong_usage(t, "'%s' is not a size", size);
	if (align && (cxlmem_parse_size(align, &bytes) || !bytes || bytes & (bytes - 1)))
		return wrong_usage(t, "'%s' is not a power of two", align);
	if (t->value[OPT_TRY] && t->value[OPT_WAIT])
		return wrong_usage(t, "--try or --wait, but not both");
	request->buffer.length = request->wanted;
	request->buffer.align = bytes;
	request->buffer.flags = t->value[OPT_TRY] ? CXLMEM_CLAIM_TRY :
				t->value[OPT_WAIT] ? CXLMEM_CLAIM_WAIT : 0;
	return 0;
}

static int claim(struct request *request, char **program)
{
	struct tool *t = request->tool;
	struct operation op;
	int rc;

	if (program[0] && !strcmp(program[0], "--"))
		program++;
	else if (program[0] && program[0][0] == '-')
		return wrong_usage(t, "options are given before the device: '%s'", program[0]);
	if (program[0] && t->value[OPT_DETACH])
		return wrong_usage(t, "a program, or --detach, but not both");
	if (program[0] && t->json)
		return wrong_usage(t, "with a program, what is printed is the program's");
	/* That Ctrl-C ends it early, and in an orderly way. */
	rc = operation_begin_unprivileged(&op, t);
	if (rc)
		return rc;
	operation_drop(&op);
	rc = make_claim(request);
	if (rc < 0) {
		print_result(request, 0, cxlmem_error(t->ctx));
		return EXIT_FAILED;
	}
	return program[0] ? run_program(request, program) : hold(request);
}

int cmd_claim(struct tool *t, int argc, char **argv)
{
	struct request request = { .tool = t };
	int rc;

	if (argc > 1) {
		rc = read_request(&request, argv[1]);
		if (rc)
			return rc;
	}
	if (cxlmem_device_find(t->ctx, argv[0], &request.dev))
		return library_failed(t);
	return argc > 1 ? claim(&request, argv + 2) : list_claims(t, request.dev);
}

/* ---- letting go */

#define MAX_HOLDERS	1024

/* A claim and a process that has it, or none. */
struct holding {
	uint64_t id;
	uint64_t size;
	pid_t pid;
	char command[64];
	char maker[80];
};

struct holdings {
	size_t nr;
	struct holding v[MAX_HOLDERS];
};

static int remember(const struct cxlmem_claim *claim, void *data)
{
	struct holdings *all = data;
	struct holding *holding = &all->v[all->nr];

	if (all->nr == MAX_HOLDERS)
		return 0;
	*holding = (struct holding){ .id = claim->id, .size = claim->size, .pid = claim->pid };
	snprintf(holding->command, sizeof(holding->command), "%s", claim->command);
	snprintf(holding->maker, sizeof(holding->maker), "process %d (%s)", (int)claim->maker,
		 claim->maker_command);
	all->nr++;
	return 0;
}

static bool has_id(const struct holdings *all, uint64_t id)
{
	size_t i;

	for (i = 0; i < all->nr; i++)
		if (all->v[i].id == id)
			return true;
	return false;
}

/* NULL if only processes of ours have it. */
static const struct holding *foreign_holder(const struct holdings *all, uint64_t id)
{
	size_t i;

	for (i = 0; i < all->nr; i++)
		if (all->v[i].id == id && strcmp(all->v[i].command, HOLDER))
			return &all->v[i];
	return NULL;
}

static int refuse_release(struct tool *t, const struct holding *holding)
{
	char size[16];

	cxlmem_format_size(holding->size, size, sizeof(size));
	if (holding->pid)
		return failed(t, "claim %" PRIu64 " (%s) is in use by process %d (%s), which \"cxlmemctl claim\" does not hold it for; end that process, or have it let go",
			      holding->id, size, (int)holding->pid, holding->command);
	return failed(t, "claim %" PRIu64 " (%s), made by %s, is open in no process that you can see: a device has it, or another user's process",
		      holding->id, size, holding->maker);
}

static bool is_gone(struct cxlmem_device *dev, uint64_t id)
{
	struct holdings *all = calloc(1, sizeof(*all));
	bool gone;

	gone = all && !cxlmem_device_claims(dev, remember, all) && !has_id(all, id);
	free(all);
	return gone;
}

/* 0 or an exit code. */
static int release(struct tool *t, struct cxlmem_device *dev, const struct holdings *all,
		   uint64_t id)
{
	const struct timespec tick = { .tv_nsec = POLL_NS };
	const struct holding *foreign = foreign_holder(all, id);
	uint64_t end = now_ms() + RELEASE_MS;
	size_t i;

	if (foreign)
		return refuse_release(t, foreign);
	for (i = 0; i < all->nr; i++)
		if (all->v[i].id == id && kill(all->v[i].pid, SIGTERM) && errno != ESRCH)
			return failed(t, "claim %" PRIu64 ": cannot end process %d: %s", id,
				      (int)all->v[i].pid, strerror(errno));
	while (!is_gone(dev, id)) {
		if (now_ms() >= end)
			return failed(t, "claim %" PRIu64 " is still there, though its holder was told to end",
				      id);
		nanosleep(&tick, NULL);
	}
	if (!t->json)
		printf("claim %" PRIu64 " is released\n", id);
	return 0;
}

/* All that are named, or all that there are; each once. */
static int release_those(struct tool *t, struct cxlmem_device *dev, const struct holdings *all,
			 const uint64_t *ids, size_t nr, struct json_object *released)
{
	size_t i, done = 0, bad = 0;

	for (i = 0; i < nr; i++) {
		if (release(t, dev, all, ids[i])) {
			bad++;
			continue;
		}
		done++;
		json_object_array_add(released, json_object_new_uint64(ids[i]));
	}
	return !bad ? EXIT_DONE : done ? EXIT_PARTLY : EXIT_FAILED;
}

static int release_ids(struct tool *t, struct cxlmem_device *dev, const struct holdings *all,
		       const uint64_t *ids, size_t nr)
{
	struct json_object *o, *released = json_object_new_array();
	int rc = release_those(t, dev, all, ids, nr, released);

	if (!t->json) {
		json_object_put(released);
		if (!nr)
			printf("%s has no claims\n", cxlmem_device_get_name(dev));
		return rc;
	}
	o = json_object_new_object();
	json_object_object_add(o, "schema", json_object_new_int(JSON_SCHEMA));
	json_object_object_add(o, "command", json_text("release"));
	json_object_object_add(o, "result",
			       json_text(!rc ? "done" : rc == EXIT_PARTLY ? "partly" : "failed"));
	json_object_object_add(o, "released", released);
	cxlmem_device_refresh(dev);
	json_object_object_add(o, "device", json_device(dev));
	print_json(o);
	return rc;
}

/* Of several processes that have the same claim. */
static bool is_first(const struct holdings *all, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (all->v[i].id == all->v[nr].id)
			return false;
	return true;
}

static bool read_id(const char *text, uint64_t *id)
{
	char *end;

	errno = 0;
	*id = strtoull(text, &end, 10);
	return !errno && *text >= '0' && *text <= '9' && !*end;
}

int cmd_release(struct tool *t, int argc, char **argv)
{
	struct cxlmem_device *dev;
	struct holdings *all;
	uint64_t ids[MAX_HOLDERS];
	size_t i, nr = 0;
	int rc;

	if (argc > 1 && t->value[OPT_ALL])
		return wrong_usage(t, "the number of a claim, or --all, but not both");
	if (argc < 2 && !t->value[OPT_ALL])
		return wrong_usage(t, "which claim, or --all?");
	for (; nr + 1 < (size_t)argc && nr < MAX_HOLDERS; nr++)
		if (!read_id(argv[nr + 1], &ids[nr]))
			return wrong_usage(t, "'%s' is not the number of a claim", argv[nr + 1]);
	if (cxlmem_device_find(t->ctx, argv[0], &dev))
		return library_failed(t);
	all = calloc(1, sizeof(*all));
	if (!all)
		return failed(t, "%s", strerror(ENOMEM));
	rc = cxlmem_device_claims(dev, remember, all) ? library_failed(t) : 0;
	for (i = 0; i < nr && !rc; i++)
		if (!has_id(all, ids[i]))
			rc = failed(t, "%s has no claim %" PRIu64 "; \"cxlmemctl claim %s\" lists those it has",
				    cxlmem_device_get_name(dev), ids[i], cxlmem_device_get_name(dev));
	if (!rc && t->value[OPT_ALL])
		for (i = 0; i < all->nr; i++)
			if (is_first(all, i))
				ids[nr++] = all->v[i].id;
	if (!rc)
		rc = release_ids(t, dev, all, ids, nr);
	free(all);
	return rc;
}
