// SPDX-License-Identifier: GPL-2.0
/*
 * The first process of a VM. It layers what the host exports over 9p into a
 * root that can be written to and that forgets it all, runs the VM's command
 * there, and powers off. With INIT=systemd on the kernel's command line it
 * hands over to systemd instead.
 *
 * In C because under emulation each process that a script starts costs a
 * tenth of a second, and every test boots a VM.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define GUEST "/cxlmem/tests/lab/guest/"
#define V9FS "trans=virtio,version=9p2000.L,msize=512000,"

struct mount {
	const char *source, *target, *type, *options;
	unsigned long flags;
};

/* In the initramfs, before the modules are loaded. */
static const struct mount early[] = {
	{ "dev", "/dev", "devtmpfs" },
	{ "proc", "/proc", "proc" },
	{ "sys", "/sys", "sysfs" },
	{ "run", "/run", "tmpfs", "mode=755" },
	{ "layers", "/layers", "tmpfs" },
};

/* The root, then what belongs into it. */
static const struct mount layers[] = {
	{ "root", "/layers/root", "9p", V9FS "cache=loose", MS_RDONLY },
	{ "guest", "/layers/guest", "9p", V9FS "cache=loose", MS_RDONLY },
	{ "root", "/new", "overlay", "lowerdir=/layers/guest:/layers/root,"
		"upperdir=/layers/up,workdir=/layers/work" },
	{ "/dev", "/new/dev", NULL, NULL, MS_MOVE },
	{ "/proc", "/new/proc", NULL, NULL, MS_MOVE },
	{ "/sys", "/new/sys", NULL, NULL, MS_MOVE },
	{ "/run", "/new/run", NULL, NULL, MS_MOVE },
	{ "cxlmem", "/new/cxlmem", "9p", V9FS "cache=mmap", MS_RDONLY },
	{ "vm", "/new/run/vm", "9p", V9FS "cache=none" },
	{ "devpts", "/new/dev/pts", "devpts" },
	{ "shm", "/new/dev/shm", "tmpfs" },
	{ "tmp", "/new/tmp", "tmpfs" },
	{ "debugfs", "/new/sys/kernel/debug", "debugfs" },
	{ "tracefs", "/new/sys/kernel/tracing", "tracefs" },
	{ "cgroup2", "/new/sys/fs/cgroup", "cgroup2" },
};

static void die(const char *what, const char *which)
{
	/* The end of process 1 is a panic, which the host sees and reports. */
	fprintf(stderr, "init: %s %s: %s\n", what, which, strerror(errno));
	exit(1);
}

static void mount_all(const struct mount *m, size_t n)
{
	for (; n--; m++) {
		mkdir(m->target, 0755);
		if (mount(m->source, m->target, m->type, m->flags, m->options))
			die("cannot mount", m->target);
	}
}

/* The initramfs lists its modules in the order of their dependencies. */
static void load_modules(void)
{
	FILE *order = fopen("/modules/order", "r");
	char path[256];

	if (!order)
		die("cannot open", "/modules/order");
	while (fscanf(order, "%255s", path) == 1) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
			die("cannot load", path);
		close(fd);
	}
	fclose(order);
}

static void enter_root(void)
{
	if (chdir("/new") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot("."))
		die("cannot enter", "/new");
}

static void bring_up_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
		die("cannot bring up", "lo");
	close(fd);
}

int main(void)
{
	const char *init = getenv("INIT");
	pid_t command, pid;
	int console;

	mount_all(early, sizeof(early) / sizeof(early[0]));
	console = open("/dev/console", O_RDWR);
	if (console < 0)
		die("cannot open", "/dev/console");
	for (int fd = 0; fd <= 2; fd++)
		dup2(console, fd);
	close(console);

	load_modules();
	mkdir("/layers/up", 0755);
	mkdir("/layers/work", 0755);
	mount_all(layers, sizeof(layers) / sizeof(layers[0]));
	enter_root();
	sethostname("cxlmem", strlen("cxlmem"));

	if (init && !strcmp(init, "systemd")) {
		execl(GUEST "init-systemd", "init", NULL);
		die("cannot run", GUEST "init-systemd");
	}
	unsetenv("INIT");
	bring_up_loopback();

	command = fork();
	if (!command) {
		setsid();
		execl(GUEST "run", "run", NULL);
		die("cannot run", GUEST "run");
	}
	do
		pid = wait(NULL);
	while (pid != command && (pid > 0 || errno == EINTR));
	sync();
	reboot(RB_POWER_OFF);
}
