// SPDX-License-Identifier: GPL-2.0
/* Memory on a device in mode "driver", and other processes; the kernel's answers are made up. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kernel-page-flags.h>

#include "tree.h"

#define PAGE 4096ull
#define HUGE (2 * MIB)

/* What the kernel does with the next requests for ranges; 0 pages each: all at once. */
static struct {
	unsigned int calls;
	uint64_t pages;			/* it does so many a call, and then a signal comes */
	unsigned int interrupted;	/* so many calls come to nothing, by EINTR */
	uint64_t room;			/* pages that there is room for */
	int full;			/* the error when there is none */
	uint64_t host;			/* pages that have contents, to CXLMEM_IOC_CREATE */
	uint64_t lie;			/* bytes that are said to be done on top */
	int error;			/* of all calls */
	uint32_t pid;			/* whose memory it was */
	bool offline;
} k;

static void fresh_kernel(void)
{
	memset(&k, 0, sizeof(k));
	k.room = UINT64_MAX;
}

static int refuse(int err)
{
	errno = err;
	return -1;
}

static int answer_info(struct cxlmem_info *info)
{
	*info = (struct cxlmem_info) {
		.size = sizeof(*info),
		.flags = k.offline ? 0 : CXLMEM_INFO_DRIVER_MODE,
		.capacity = 512 * MIB,
		.page_size = PAGE,
		.huge_size = HUGE,
	};
	return 0;
}

static int answer_move(unsigned long request, struct cxlmem_move *move)
{
	uint64_t pages = move->length / PAGE, n = k.pages && k.pages < pages ? k.pages : pages;
	uint64_t there = n < k.room ? n : k.room, host = 0;

	if (move->size != sizeof(*move) || move->start % PAGE || move->length % PAGE)
		return refuse(EINVAL);
	k.pid = move->pid;
	if (request == CXLMEM_IOC_CREATE) {
		host = k.host < there ? k.host : there;
		k.host -= host;
		move->counts.created = there - host;
	} else {
		move->counts.moved = there;
	}
	move->counts.host = host;
	move->counts.no_room = n - there;
	k.room -= there - host;
	move->done = n * PAGE + k.lie;
	return n > there ? refuse(k.full) : 0;
}

static int answer_residency(struct cxlmem_residency *r)
{
	uint64_t pages = r->length / PAGE;

	pages = k.pages && k.pages < pages ? k.pages : pages;
	r->done = pages * PAGE + k.lie;
	r->device = pages;
	if (r->vector)
		memset((void *)(uintptr_t)r->vector, CXLMEM_PAGE_DEVICE, pages);
	return 0;
}

static int answer(int fd, unsigned long request, void *arg)
{
	(void)fd;
	k.calls++;
	if (k.error)
		return refuse(k.error);
	if (request == CXLMEM_IOC_INFO)
		return answer_info(arg);
	if (k.interrupted) {
		k.interrupted--;
		return refuse(EINTR);
	}
	if (request == CXLMEM_IOC_RESIDENCY)
		return answer_residency(arg);
	return answer_move(request, arg);
}

static int begin(void **state)
{
	fresh_kernel();
	fake_ioctl = answer;
	return tree_setup(state);
}

static int end(void **state)
{
	fake_ioctl = NULL;
	return tree_teardown(state);
}

static void opening(void **state)
{
	struct cxlmem_ctx *ctx;
	int fd;

	(void)state;
	put_machine();
	put_device(0);
	put("sys/bus/dax/devices/dax1.0/size", "%llu\n", BLOCK);
	ctx = tree_context();
	assert_int_equal(cxlmem_device_open(find(ctx, "cxlmem0")), -ENOENT);
	assert_contains(cxlmem_error(ctx), "there is no /dev/cxlmem0");
	assert_int_equal(cxlmem_device_open(find(ctx, "dax1.0")), -EOPNOTSUPP);
	put("dev/cxlmem0", "%s", "");
	fd = cxlmem_device_open(find(ctx, "cxlmem0"));
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	cxlmem_unref(ctx);
}

static void info_sizes(void **state)
{
	struct {
		struct cxlmem_info info;
		uint64_t more;
	} newer = { .info.size = sizeof(newer), .more = 1 };
	struct cxlmem_info info = { .size = 16, .capacity = 1, .used = 2 };

	(void)state;
	assert_int_equal(cxlmem_get_info(-1, &newer.info), 0);
	assert_int_equal(newer.info.capacity, 512 * MIB);
	assert_int_equal(newer.info.size, sizeof(newer));
	assert_int_equal(newer.more, 0);
	/* One of which the last members are missing. */
	assert_int_equal(cxlmem_get_info(-1, &info), 0);
	assert_int_equal(info.capacity, 512 * MIB);
	assert_int_equal(info.used, 2);
	info.size = 0;
	assert_int_equal(cxlmem_get_info(-1, &info), -EINVAL);
}

static void goes_on(void **state)
{
	struct cxlmem_move move = { .size = sizeof(move) };

	(void)state;
	k.pages = 3;
	k.interrupted = 2;
	assert_int_equal(cxlmem_move_in(-1, (void *)(16 * PAGE), 10 * PAGE, &move), 0);
	assert_int_equal(move.done, 10 * PAGE);
	assert_int_equal(move.counts.moved, 10);
	assert_int_equal(k.calls, 2 + 4);
	assert_int_equal(cxlmem_move_out(-1, (void *)(16 * PAGE), 10 * PAGE, NULL), 0);
	k.pages = 0;
	k.calls = 0;
	assert_int_equal(cxlmem_create(-1, (void *)(16 * PAGE), 10 * PAGE, &move), 0);
	assert_int_equal(move.counts.created, 10);
	assert_int_equal(move.counts.moved, 0);
	assert_int_equal(k.calls, 1);
}

static void errors(void **state)
{
	static const int all[] = { EBUSY, ENOSPC, EDQUOT, ENOMEM, EFAULT, EINVAL, E2BIG, ENOTTY, ENODEV };
	struct cxlmem_residency residency = { .size = sizeof(residency) };
	struct cxlmem_move move = { .size = sizeof(move) };
	void *memory = &move;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		k.error = all[i];
		assert_int_equal(cxlmem_move_in(-1, NULL, PAGE, &move), -all[i]);
		assert_int_equal(move.done, 0);
		assert_int_equal(cxlmem_get_residency(-1, NULL, PAGE, NULL, &residency), -all[i]);
		assert_int_equal(cxlmem_alloc(-1, PAGE, 0, &memory), -all[i]);
		assert_ptr_equal(memory, &move);
	}
	fresh_kernel();
	assert_int_equal(cxlmem_move_in(-1, NULL, 0, &move), -EINVAL);
	move.size = 3;
	assert_int_equal(cxlmem_move_in(-1, NULL, PAGE, &move), -EINVAL);
	assert_int_equal(k.calls, 0);
	/* A driver that says it has done more than there was. */
	move.size = sizeof(move);
	k.lie = PAGE;
	assert_int_equal(cxlmem_move_in(-1, NULL, PAGE, &move), -EPROTO);
	assert_int_equal(cxlmem_get_residency(-1, NULL, PAGE, NULL, &residency), -EPROTO);
}

static void full(void **state)
{
	struct cxlmem_move move = { .size = sizeof(move) };

	(void)state;
	k.pages = 4;
	k.room = 6;
	k.full = EDQUOT;
	assert_int_equal(cxlmem_move_in(-1, NULL, 10 * PAGE, &move), -EDQUOT);
	assert_int_equal(move.done, 8 * PAGE);
	assert_int_equal(move.counts.moved, 6);
	assert_int_equal(move.counts.no_room, 2);
}

static void residency(void **state)
{
	struct cxlmem_residency r = { .size = sizeof(r) };
	unsigned char vector[11] = { 0 };

	(void)state;
	k.pages = 4;
	k.interrupted = 1;
	assert_int_equal(cxlmem_get_residency(-1, NULL, 10 * PAGE, vector, &r), 0);
	assert_int_equal(r.done, 10 * PAGE);
	assert_int_equal(r.device, 10);
	assert_int_equal(vector[9], CXLMEM_PAGE_DEVICE);
	assert_int_equal(vector[10], 0);
}

static bool is_mapped(void *memory, size_t size)
{
	return !msync(memory, size, MS_ASYNC);
}

static void alloc(void **state)
{
	void *memory = NULL, *small = NULL;

	(void)state;
	assert_int_equal(cxlmem_alloc(-1, HUGE + 1, 0, &memory), 0);
	assert_int_equal((uintptr_t)memory % HUGE, 0);
	memset(memory, 1, HUGE + 1);
	assert_int_equal(cxlmem_alloc(-1, 1, 0, &small), 0);
	memset(small, 1, PAGE);
	assert_int_equal(cxlmem_free(memory, HUGE + 1), 0);
	assert_false(is_mapped(memory, PAGE));
	assert_false(is_mapped((char *)memory + HUGE, PAGE));
	assert_int_equal(cxlmem_free(small, 1), 0);
	assert_int_equal(cxlmem_free(NULL, 1), 0);
	assert_int_equal(cxlmem_alloc(-1, 0, 0, &memory), -EINVAL);
	assert_int_equal(cxlmem_alloc(-1, SIZE_MAX, 0, &memory), -EINVAL);
	assert_int_equal(cxlmem_alloc(-1, PAGE, 1u << 31, &memory), -EINVAL);
}

static void alloc_fails(void **state)
{
	void *memory = NULL;

	(void)state;
	k.room = 100;
	k.full = ENOSPC;
	assert_int_equal(cxlmem_alloc(-1, HUGE, 0, &memory), -ENOSPC);
	assert_null(memory);
	k.room = 100;
	assert_int_equal(cxlmem_alloc(-1, HUGE, CXLMEM_ALLOC_HOST_TOO, &memory), 0);
	memset(memory, 1, HUGE);
	cxlmem_free(memory, HUGE);
	k.offline = true;
	memory = NULL;
	assert_int_equal(cxlmem_alloc(-1, PAGE, 0, &memory), -EBUSY);
	assert_null(memory);
}

/* As by mlockall(MCL_FUTURE): what is there is moved. */
static void alloc_of_locked(void **state)
{
	void *memory;

	(void)state;
	k.host = 512;
	assert_int_equal(cxlmem_alloc(-1, HUGE, 0, &memory), 0);
	assert_int_equal(k.calls, 3);
	cxlmem_free(memory, HUGE);
}

/* --- who has memory there */

/* A process with 16 pages from 0x400000, of which so many are on cxlmem0. */
static void put_process(int pid, const char *name, unsigned int uid, unsigned int pages)
{
	uint64_t entries[0x400 + 16] = { 0 };
	char path[64], full[PATH_MAX];
	unsigned int i;
	FILE *file;

	for (i = 0; i < 16; i++)
		entries[0x400 + i] = 1ull << 63 | (i < pages ? START / PAGE + i : 0x1234);
	snprintf(path, sizeof(path), "proc/%d/comm", pid);
	put(path, "%s\n", name);
	snprintf(path, sizeof(path), "proc/%d/status", pid);
	put(path, "Name:\t%s\nUid:\t%u\t%u\t%u\t%u\nRssAnon:\t      64 kB\n", name, uid, uid, uid,
	    uid);
	snprintf(path, sizeof(path), "proc/%d/maps", pid);
	put(path, "00400000-00410000 rw-p 00000000 00:00 0 \n"
		  "nonsense\n"
		  "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0   [vsyscall]\n");
	snprintf(full, sizeof(full), "%s/proc/%d/pagemap", tree_path(), pid);
	file = fopen(full, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(entries, sizeof(entries), 1, file), 1);
	fclose(file);
}

struct found {
	unsigned int nr;
	uint64_t bytes;
	char names[256];
	unsigned int uids;
	uint64_t held;
	char note[256];
	char cgroup[64];
};

static int on_owner(const struct cxlmem_owner *owner, void *data)
{
	struct found *found = data;

	found->nr++;
	found->bytes += owner->bytes;
	found->uids += owner->uid;
	strcat(found->names, owner->command);
	found->held = owner->held;
	snprintf(found->note, sizeof(found->note), "%s", owner->note);
	snprintf(found->cgroup, sizeof(found->cgroup), "%s", owner->cgroup);
	return 0;
}

static int enough(const struct cxlmem_owner *owner, void *data)
{
	(void)owner;
	++*(int *)data;
	return -EINTR;
}

static void who(void **state)
{
	struct found found = { 0 };
	struct cxlmem_ctx *ctx;
	int calls = 0;

	(void)state;
	fake_ioctl = NULL;
	put_machine();
	put_device(0);
	put_process(10, "ten", 1000, 3);
	put_process(20, "twenty", 1001, 0);
	put_process(30, "thirty", 1002, 5);
	ctx = tree_context();
	assert_int_equal(cxlmem_device_who(find(ctx, "cxlmem0"), on_owner, &found), 8 * PAGE);
	assert_int_equal(found.nr, 2);
	assert_int_equal(found.bytes, 8 * PAGE);
	assert_int_equal(found.uids, 2002);
	assert_contains(found.names, "ten");
	assert_contains(found.names, "thirty");
	assert_int_equal(cxlmem_device_who(find(ctx, "cxlmem0"), enough, &calls), -EINTR);
	assert_int_equal(calls, 1);
	cxlmem_unref(ctx);
}

static void put_words(const char *path, const uint64_t *words, size_t nr, uint64_t first)
{
	char full[PATH_MAX];
	FILE *file;

	put(path, "%s", "");
	snprintf(full, sizeof(full), "%s/%s", tree_path(), path);
	file = fopen(full, "w");
	if (!file)
		fail_msg("%s: %s", full, strerror(errno));
	fseek(file, first * sizeof(*words), SEEK_SET);
	assert_int_equal(fwrite(words, sizeof(*words), nr, file), nr);
	fclose(file);
}

static void notes_of_a_process(void **state)
{
	struct found found = { 0 };
	struct cxlmem_ctx *ctx;

	(void)state;
	fake_ioctl = NULL;
	put_machine();
	put_device(0);
	put("sys/class/cxlmem/cxlmem0/contents/held", "%#llx 8192 held\nnonsense\n%#llx 4096 fixed ramfs\n",
	    START + PAGE, START);
	put_process(10, "ten", 1000, 3);
	put("proc/10/cgroup", "0::/work\n");
	put("proc/10/status", "Name:\tten\nUid:\t1\nMems_allowed_list:\t1\n");
	put_link("proc/10/fd/0", "/dev/null");
	put_link("proc/10/fd/1", "pipe:[123]");
	ctx = tree_context();
	assert_int_equal(cxlmem_device_who(find(ctx, "cxlmem0"), on_owner, &found), 3 * PAGE);
	assert_int_equal(found.held, 2 * PAGE);
	assert_string_equal(found.note, "8K held by way of pipes; may use this node only");
	assert_string_equal(found.cgroup, "/work");

	/* What is rarer says more. */
	put_link("proc/10/fd/2", "anon_inode:[io_uring]");
	put_link("proc/10/fd/3", "/dev/infiniband/uverbs0");
	put("proc/10/status", "Name:\tten\nUid:\t1\nMems_allowed_list:\t0-1\n");
	put("proc/10/numa_maps", "00400000 bind:1 anon=3\n");
	assert_int_equal(cxlmem_device_who(find(ctx, "cxlmem0"), on_owner, &found), 3 * PAGE);
	assert_string_equal(found.note, "8K held by way of io_uring, RDMA; may use this node only");
	cxlmem_unref(ctx);
}

static int on_content(const struct cxlmem_content *content, void *data)
{
	char *text = data;

	sprintf(text + strlen(text), "%s[%s] %ju %d, ", content->kind, content->name,
		(uintmax_t)(content->bytes / PAGE), content->movable);
	return 0;
}

static void contents(void **state)
{
	static const uint64_t flags[] = {
		1 << KPF_SLAB, 1 << KPF_PGTABLE, 1 << KPF_BUDDY, 1 << KPF_LRU, 1 << KPF_LRU,
		1 << KPF_LRU | 1 << KPF_THP, 1 << KPF_ANON | 1 << KPF_THP, 1 << KPF_ANON,
		1 << KPF_HUGE, 1 << KPF_ANON | 1 << KPF_KSM, 0,
	};
	struct cxlmem_ctx *ctx;
	char text[512] = "";

	(void)state;
	fake_ioctl = NULL;
	put_machine();
	put_device(0);
	ctx = tree_context();
	assert_int_equal(cxlmem_device_contents(find(ctx, "cxlmem0"), on_content, text), 0);
	assert_string_equal(text, "");
	assert_int_equal(cxlmem_device_set_mode(find(ctx, "cxlmem0"), "system", NULL), 0);
	put_words("proc/kpageflags", flags, ARRAY_SIZE(flags), START / PAGE);
	put("sys/class/cxlmem/cxlmem0/contents/files", "4096 ext4 fixed\n4096 ramfs ramfs fixed\n9999999 tmpfs tmpfs\n\n4096\n");
	assert_int_equal(cxlmem_device_contents(find(ctx, "cxlmem0"), on_content, text), 9 * PAGE);
	assert_string_equal(text,
			    "slab[] 1 0, page tables[] 1 0, hugetlb[] 1 1, huge anonymous[] 1 1, "
			    "merged by KSM[] 1 1, anonymous[] 1 1, file[ext4 fixed] 1 1, file[ramfs ramfs] 1 0, file[tmpfs tmpfs] 1 1, ");
	cxlmem_unref(ctx);
}

/* --- moving its memory */

static int stop_after(const struct cxlmem_event *event, void *data)
{
	unsigned int *left = data;

	assert_int_equal(event->type, CXLMEM_EVENT_PROGRESS);
	assert_int_equal(event->total, 16 * PAGE);
	return !--*left;
}

static void move_process(void **state)
{
	struct cxlmem_options options = CXLMEM_OPTIONS_INIT;
	struct cxlmem_move move = { .size = sizeof(move) };
	struct cxlmem_device *dev;
	struct cxlmem_ctx *ctx;
	unsigned int left;

	(void)state;
	put_machine();
	put_device(0);
	put_driver_mode(0);
	put("sys/class/cxlmem/cxlmem0/mode", "driver\n");
	put("dev/cxlmem0", "%s", "");
	put_process(10, "ten", 1000, 3);
	put("proc/20/status", "Name:\tkernel thread\n");
	put("proc/20/maps", "%s", "");
	ctx = tree_context();
	dev = find(ctx, "cxlmem0");
	assert_int_equal(cxlmem_device_move_process(dev, 10, false, NULL, &move), 0);
	assert_int_equal(move.counts.moved, 16);
	assert_int_equal(k.pid, 10);
	assert_int_equal(k.calls, 1);
	assert_int_equal(cxlmem_device_move_process(dev, 10, true, NULL, NULL), 0);

	/* More than a piece: it can be stopped in between. */
	put("proc/10/maps", "400000-10400000 rw-p 00000000 00:00 0\n");
	options.event = stop_after;
	options.data = &left;
	left = 2;
	assert_int_equal(cxlmem_device_move_process(dev, 10, false, &options, &move), -EINTR);
	assert_int_equal(move.counts.moved, 128 * MIB / PAGE);
	left = 100;
	assert_int_equal(cxlmem_device_move_process(dev, 10, false, &options, &move), 0);
	assert_int_equal(move.counts.moved, 256 * MIB / PAGE);
	assert_int_equal(left, 96);

	k.error = EPERM;
	assert_int_equal(cxlmem_device_move_process(dev, 10, false, NULL, &move), -EPERM);
	assert_contains(cxlmem_error(ctx), "it is not yours");
	k.error = ESRCH;
	assert_int_equal(cxlmem_device_move_process(dev, 10, false, NULL, &move), -ESRCH);
	fresh_kernel();
	k.room = 5;
	k.full = ENOSPC;
	assert_int_equal(cxlmem_device_move_process(dev, 10, false, NULL, &move), -ENOSPC);
	assert_int_equal(move.counts.moved, 5);
	assert_contains(cxlmem_error(ctx), "no room");

	k.calls = 0;
	assert_int_equal(cxlmem_device_move_process(dev, 20, false, NULL, &move), -ESRCH);
	assert_int_equal(cxlmem_device_move_process(dev, 30, false, NULL, &move), -ESRCH);
	assert_contains(cxlmem_error(ctx), "no such process");
	assert_int_equal(cxlmem_device_move_process(dev, -1, false, NULL, &move), -EINVAL);
	assert_int_equal(k.calls, 0);
	cxlmem_unref(ctx);
}

#define MEMORY_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MEMORY_TEST(opening),
		MEMORY_TEST(info_sizes),
		MEMORY_TEST(goes_on),
		MEMORY_TEST(errors),
		MEMORY_TEST(full),
		MEMORY_TEST(residency),
		MEMORY_TEST(alloc),
		MEMORY_TEST(alloc_fails),
		MEMORY_TEST(alloc_of_locked),
		MEMORY_TEST(who),
		MEMORY_TEST(notes_of_a_process),
		MEMORY_TEST(contents),
		MEMORY_TEST(move_process),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
