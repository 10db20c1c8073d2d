// SPDX-License-Identifier: LGPL-2.1
/*
 * System calls in the name of another process. The driver moves the memory of its
 * caller only, so who wants to move another's has to have that one call; the kernel
 * checks by ptrace(2) whether one may.
 *
 * Nothing of the process's own is written to: the instruction that enters the
 * kernel is one of the vDSO, arguments lie in a page that is mapped for it, and
 * the registers and the signal mask are put back in the same kind of stop as they
 * were read in, in which the kernel then restarts a call that was interrupted.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#include "private.h"

#define NOT_FOR_THIS "cxlmem can make requests in the name of 64-bit x86 processes only"

#ifdef __x86_64__

#define SYSCALL_STOP	(SIGTRAP | 0x80)
#define CODE_64		0x33		/* segment of 64-bit code; 32-bit has another */
#define RSEQ_TRIES	100

struct remote {
	struct cxlmem_ctx *ctx;
	pid_t pid;
	int mem;			/* /proc/PID/mem */
	struct user_regs_struct saved;
	uint64_t mask;			/* signals that it has blocked */
	uint64_t entry;			/* address of a SYSCALL instruction */
	uint64_t page;
	bool gone;
};

static long trace(const struct remote *r, int request, uint64_t addr, uint64_t data)
{
	return ptrace(request, r->pid, (void *)addr, (void *)data) ? -errno : 0;
}

/* The state of one that has ended is left for its parent, if that is us. */
static void note_end(struct remote *r)
{
	uint64_t parent;

	r->gone = true;
	if (process_number(r->ctx, r->pid, "PPid", &parent) || parent != (uint64_t)getpid())
		waitpid(r->pid, NULL, __WALL | WNOHANG);
}

/* Waits for its next stop, and says which: a wait status without the lowest byte, or -ESRCH. */
static int wait_for_stop(struct remote *r)
{
	siginfo_t info = { 0 };
	int status;

	while (waitid(P_PID, r->pid, &info, WEXITED | WSTOPPED | WNOWAIT | __WALL))
		if (errno != EINTR)
			return -ESRCH;
	if (info.si_code == CLD_EXITED || info.si_code == CLD_KILLED ||
	    info.si_code == CLD_DUMPED) {
		note_end(r);
		return -ESRCH;
	}
	if (waitpid(r->pid, &status, __WALL) != r->pid || !WIFSTOPPED(status))
		return -ESRCH;
	return status >> 8;
}

/* Lets it run until it stops in this way; signals that come meanwhile are its own. */
static int run_until(struct remote *r, int request, int wanted)
{
	long rc = request ? trace(r, request, 0, 0) : 0;
	int stop, signal;

	for (;;) {
		if (rc)
			return rc;
		stop = wait_for_stop(r);
		if (stop < 0)
			return stop;
		/* A stop by PTRACE_INTERRUPT, or by SIGSTOP and the like, is an event. */
		if (wanted == PTRACE_EVENT_STOP ? stop >> 8 == wanted : stop == wanted)
			return 0;
		signal = stop >> 8 || stop == SYSCALL_STOP ? 0 : stop;
		rc = trace(r, request ? request : PTRACE_CONT, 0, signal);
	}
}

static int interrupt(struct remote *r, int request)
{
	long rc = trace(r, PTRACE_INTERRUPT, 0, 0);

	return rc ? (int)rc : run_until(r, request, PTRACE_EVENT_STOP);
}

int remote_put(struct remote *r, uint64_t to, const void *from, size_t size)
{
	return pwrite(r->mem, from, size, to) == (ssize_t)size ? 0 : -EFAULT;
}

int remote_get(struct remote *r, void *to, uint64_t from, size_t size)
{
	return pread(r->mem, to, size, from) == (ssize_t)size ? 0 : -EFAULT;
}

uint64_t remote_page(const struct remote *r)
{
	return r->page;
}

int64_t remote_call(struct remote *r, long number, const uint64_t args[6])
{
	struct user_regs_struct regs = r->saved;
	int rc;

	if (r->gone)
		return -ESRCH;
	regs.rip = r->entry;
	regs.rax = number;
	/* It is in no system call that would have to be restarted. */
	regs.orig_rax = -1;
	regs.rdi = args[0];
	regs.rsi = args[1];
	regs.rdx = args[2];
	regs.r10 = args[3];
	regs.r8 = args[4];
	regs.r9 = args[5];
	rc = trace(r, PTRACE_SETREGS, 0, (uintptr_t)&regs);
	if (!rc)
		rc = run_until(r, PTRACE_SYSCALL, SYSCALL_STOP);
	if (!rc)
		rc = run_until(r, PTRACE_SYSCALL, SYSCALL_STOP);
	if (!rc)
		rc = trace(r, PTRACE_GETREGS, 0, (uintptr_t)&regs);
	return rc ? -ESRCH : (int64_t)regs.rax;
}

static int find_entry(uint64_t start, uint64_t end, const char *name, void *data)
{
	struct remote *r = data;
	unsigned char code[4 * 4096];
	size_t size = end - start < sizeof(code) ? end - start : sizeof(code), i;

	if (strcmp(name, "[vdso]") || remote_get(r, code, start, size))
		return 0;
	for (i = 0; i + 1 < size && !r->entry; i++)
		if (code[i] == 0x0f && code[i + 1] == 0x05)
			r->entry = start + i;
	return 1;
}

/*
 * In a restartable sequence the kernel would no longer know, once the thread has
 * been elsewhere, that it has to be restarted.
 */
static bool in_restartable_sequence(struct remote *r)
{
	struct ptrace_rseq_configuration config = { 0 };
	struct {
		uint32_t version, flags;
		uint64_t start, length, abort;
	} section;
	uint64_t at;

	if (ptrace(PTRACE_GET_RSEQ_CONFIGURATION, r->pid, sizeof(config), &config) <= 0 ||
	    !config.rseq_abi_pointer ||
	    remote_get(r, &at, config.rseq_abi_pointer + 8, sizeof(at)) || !at ||
	    remote_get(r, &section, at, sizeof(section)))
		return false;
	return r->saved.rip - section.start < section.length;
}

/* Stops it where it can be made to do something else. */
static int stop_at_good_place(struct remote *r)
{
	unsigned int tries;
	int rc;

	for (tries = 0; tries < RSEQ_TRIES; tries++) {
		rc = interrupt(r, 0);
		if (!rc)
			rc = trace(r, PTRACE_GETREGS, 0, (uintptr_t)&r->saved);
		if (rc || !in_restartable_sequence(r))
			return rc;
		rc = trace(r, PTRACE_CONT, 0, 0);
		if (rc)
			return rc;
		usleep(1000);
	}
	return -EAGAIN;
}

static int refuse(struct remote *r, int rc)
{
	if (rc == -EPERM && process_has_ended(r->ctx, r->pid))
		rc = -ESRCH;
	switch (rc) {
	case -EPERM:
		return fail(r->ctx, EPERM,
			    "process %d may not be traced: it is another user's, protected (ptrace(2), kernel.yama.ptrace_scope), or being traced already",
			    r->pid);
	case -ESRCH:
		return fail(r->ctx, ESRCH, "there is no process %d, or it has just ended", r->pid);
	default:
		return fail(r->ctx, -rc, "process %d cannot be stopped: %s", r->pid, strerror(-rc));
	}
}

/* With the process stopped: what is needed to make it do something. */
static int prepare(struct remote *r)
{
	const uint64_t all = ~0ull;
	const uint64_t map[6] = { 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1 };
	int64_t page;

	if (r->saved.cs != CODE_64)
		return fail(r->ctx, ENOTSUP, "process %d is of 32 bits: " NOT_FOR_THIS, r->pid);
	process_each_mapping(r->ctx, r->pid, find_entry, r);
	if (!r->entry)
		return fail(r->ctx, ENOTSUP, "process %d has no vDSO to call the kernel by", r->pid);
	if (trace(r, PTRACE_GETSIGMASK, sizeof(r->mask), (uintptr_t)&r->mask))
		return refuse(r, -ESRCH);
	if (trace(r, PTRACE_SETSIGMASK, sizeof(all), (uintptr_t)&all))
		return refuse(r, -ESRCH);
	page = remote_call(r, SYS_mmap, map);
	if (page < 0 && page > -4096)
		return fail(r->ctx, -page, "process %d can map no memory: %s", r->pid,
			    strerror(-page));
	r->page = page;
	return 0;
}

int remote_begin(struct cxlmem_ctx *ctx, pid_t pid, struct remote **result)
{
	struct remote *r = calloc(1, sizeof(*r));
	uint64_t filters = 0;
	char path[64];
	int rc;

	if (!r)
		return fail(ctx, ENOMEM, "not enough memory");
	*r = (struct remote){ .ctx = ctx, .pid = pid, .mem = -1 };
	/* A filter may kill for a call that it does not know. */
	if (!process_number(ctx, pid, "Seccomp", &filters) && filters) {
		free(r);
		return fail(ctx, ENOTSUP,
			    "process %d is under seccomp, which may kill it for requests that are not its own",
			    pid);
	}
	rc = trace(r, PTRACE_SEIZE, 0, PTRACE_O_TRACESYSGOOD);
	if (rc) {
		rc = refuse(r, rc);
		free(r);
		return rc;
	}
	snprintf(path, sizeof(path), "proc/%d/mem", pid);
	r->mem = openat(ctx->root, path, O_RDWR | O_CLOEXEC);
	rc = r->mem < 0 ? -errno : 0;
	if (!rc)
		rc = stop_at_good_place(r);
	else if (!interrupt(r, 0))
		trace(r, PTRACE_GETREGS, 0, (uintptr_t)&r->saved);
	rc = rc ? refuse(r, rc) : prepare(r);
	if (rc) {
		remote_end(r);
		return rc;
	}
	*result = r;
	return 0;
}

void remote_end(struct remote *r)
{
	const uint64_t unmap[6] = { r->page, 4096 };

	if (r->page)
		remote_call(r, SYS_munmap, unmap);
	/* Out of the stop of a system call into one as at the beginning. */
	if (r->entry && !r->gone && !interrupt(r, PTRACE_CONT)) {
		trace(r, PTRACE_SETREGS, 0, (uintptr_t)&r->saved);
		trace(r, PTRACE_SETSIGMASK, sizeof(r->mask), (uintptr_t)&r->mask);
	}
	if (!r->gone)
		trace(r, PTRACE_DETACH, 0, 0);
	if (r->mem >= 0)
		close(r->mem);
	free(r);
}

#else

int remote_begin(struct cxlmem_ctx *ctx, pid_t pid, struct remote **result)
{
	(void)pid;
	(void)result;
	return fail(ctx, ENOTSUP, NOT_FOR_THIS);
}

uint64_t remote_page(const struct remote *r)
{
	(void)r;
	return 0;
}

int64_t remote_call(struct remote *r, long number, const uint64_t args[6])
{
	(void)r;
	(void)number;
	(void)args;
	return -ENOTSUP;
}

int remote_put(struct remote *r, uint64_t to, const void *from, size_t size)
{
	(void)r;
	(void)to;
	(void)from;
	(void)size;
	return -ENOTSUP;
}

int remote_get(struct remote *r, void *to, uint64_t from, size_t size)
{
	(void)r;
	(void)to;
	(void)from;
	(void)size;
	return -ENOTSUP;
}

void remote_end(struct remote *r)
{
	(void)r;
}

#endif
