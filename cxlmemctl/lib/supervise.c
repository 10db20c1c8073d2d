// SPDX-License-Identifier: LGPL-2.1
/*
 * Writes that may take long: the kernel offlines memory inside a write() and
 * can be stopped only by a signal to the thread that writes. A child process
 * does it, so that this one can watch, tell the caller how far it is, and stop
 * it; and the signals of the program that uses the library stay its own.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "private.h"

#define TICK_MS 100

/* In the child. Only async-signal-safe functions here: the program may have threads. */
static void write_and_exit(struct transition *t, const char *path, const char *value, int result,
			   pid_t parent)
{
	sigset_t none;
	int rc;

	/* Should the parent be killed, stop and let the kernel undo what it is at. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	/* Ctrl-C is for the parent, which then decides. */
	setpgid(0, 0);
	signal(SIGTERM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);

	rc = attr_write(t->ctx->root, path, value);
	if (write(result, &rc, sizeof(rc)) != sizeof(rc))
		_exit(1);
	_exit(0);
}

static uint64_t now_ms(void)
{
	return now_ns() / 1000000;
}

/* Long enough for what is in the way to be worth a word. */
#define PATIENCE_MS 5000

/* Says what keeps a memory block from coming free, while that is still being tried. */
static void tell_obstacle(struct transition *t)
{
	struct obstacle obstacle;

	if (device_has_blocks(t->dev) && obstacle_find(t, &t->dev->usable, &obstacle))
		event_text(t, CXLMEM_EVENT_WARNING,
			   "for %u s no memory block has come free: %s%s%s", PATIENCE_MS / 1000,
			   obstacle.reason, obstacle.remedy[0] ? "; " : "", obstacle.remedy);
}

/* Waits for the child's result. Returns why it was told to stop, 0 if it was not. */
static int watch(struct transition *t, pid_t child, int result, const char *doing,
		 bool (*progress)(struct transition *t, uint64_t *done, uint64_t *total))
{
	uint64_t since = now_ms(), done = t->done, total = t->total, last = done;
	struct pollfd pfd = { .fd = result, .events = POLLIN };
	bool told = false;
	int why = 0;

	while (poll(&pfd, 1, TICK_MS) <= 0) {
		bool stop;

		if (progress && !progress(t, &done, &total))
			done = total = 0;
		if (done != last)
			since = now_ms();
		last = done;

		stop = event_progress(t, doing, done, total);
		if (!told && now_ms() - since >= PATIENCE_MS) {
			told = true;
			tell_obstacle(t);
		}
		if (why)
			continue;
		if (stop)
			why = -EINTR;
		else if (t->opt.timeout && now_ms() - since >= t->opt.timeout * 1000ull)
			why = -ETIMEDOUT;
		if (why)
			kill(child, SIGTERM);
	}
	return why;
}

static bool is_set(struct transition *t, const char *path, const char *value)
{
	char now[ATTR_LEN];

	return sysfs_read(t->ctx, now, sizeof(now), "%s", path) > 0 && !strcmp(now, value);
}

int supervised_write(struct transition *t, const char *path, const char *value, const char *doing,
		     bool (*progress)(struct transition *t, uint64_t *done, uint64_t *total))
{
	pid_t parent = getpid(), child;
	int result[2], rc, why;

	if (pipe2(result, O_CLOEXEC))
		return -errno;
	t->touched = true;
	child = fork();
	if (child < 0) {
		rc = -errno;
		close(result[0]);
		close(result[1]);
		return rc;
	}
	if (!child)
		write_and_exit(t, path, value, result[1], parent);

	close(result[1]);
	why = watch(t, child, result[0], doing, progress);
	/* Of a child that was killed the kernel has undone the work, or it was just done. */
	if (read(result[0], &rc, sizeof(rc)) != sizeof(rc))
		rc = is_set(t, path, value) ? 0 : -EINTR;
	close(result[0]);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return rc == -EINTR && why ? why : rc;
}
