#include "interceptor/tracer.h"

#include "interceptor/event.h"
#include "lib/die.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The directory that the call's relative path begins at. */
static int base_directory(pid_t tracee, const struct call *call, const struct registers *registers,
                          char *base, size_t size)
{
	int fd = AT_FDCWD;
	char link[64];
	ssize_t length;

	if (call->directory != NO_ARGUMENT)
		fd = (int)registers_argument(registers, call->directory);
	if (fd == AT_FDCWD)
		snprintf(link, sizeof link, "/proc/%d/cwd", tracee);
	else
		snprintf(link, sizeof link, "/proc/%d/fd/%d", tracee, fd);
	length = readlink(link, base, size - 1);
	if (length < 0)
		return -errno;
	base[length] = '\0';
	return 0;
}

/*
 * Resolves the call's path. Fails where the kernel would, where nothing can be said of it, and
 * where its last component tells that it is for nobody. That saves looking up the directory, but
 * from a directory of the tree any relative path may have to be led back out.
 */
static int resolve(const struct tracer *tracer, pid_t tracee, const struct call *call,
                   const struct registers *registers, struct resolved *resolved)
{
	char path[PATH_MAX];
	char base[PATH_MAX] = "/";
	ssize_t length = rewrite_read_path(tracee, call, registers, path, sizeof path);
	int error = 0;

	if (length < 0)
		return (int)length;
	if (length == 0)
		return -ENOENT;
	if ((path[0] == '/' || !tracer->gave_directory) &&
	    !selection_may_match(tracer->selection, path))
		return -ENOENT;
	if (path[0] != '/')
		error = base_directory(tracee, call, registers, base, sizeof base);
	return error == 0 ? path_resolve(base, path, resolved) : error;
}

/* Asks the handler; 1 with request->target, 0, or -errno. */
static int ask(const struct selection *selection, int handler, struct request *request)
{
	if (handler >= 0)
		return selection->handlers[handler]->answer(&selection->answers, request);
	/* Reached through a directory of the tree, but not in the tree: the real one is meant. */
	if (strlen(request->path) >= TARGET_SIZE)
		return 0;
	strcpy(request->target, request->path);
	return 1;
}

static bool is_directory(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static int answer(struct tracer *tracer, pid_t tracee, const struct call *call,
                  struct registers *registers, struct rewrite *rewrite)
{
	const struct selection *selection = tracer->selection;
	struct request request = {.tracee = tracee, .call = call};
	char text[PATH_MAX];
	struct resolved resolved = {.text = text, .size = sizeof text};
	const char *in_tree;
	int handler, result;

	if (resolve(tracer, tracee, call, registers, &resolved) != 0)
		return 0;
	in_tree = path_below(text, selection->answers.root);
	request.path = in_tree == NULL ? text : in_tree;
	handler = selection_find(selection, call->kind, request.path);
	if (handler < 0 && in_tree == NULL)
		return 0;
	if (rewrite_read_flags(tracee, call, registers, &request.flags) != 0)
		return 0;
	result = ask(selection, handler, &request);
	if (result <= 0)
		return result;
	rewrite->in_tree = handler >= 0;
	if (request.has_file)
		strcpy(rewrite->file, request.target);
	/* "/proc/sys/kernel/panic/" must fail as the real one does. */
	if (resolved.is_directory && strlen(request.target) + 1 < TARGET_SIZE)
		strcat(request.target, "/");
	result = rewrite_begin(tracee, call, registers, request.target, request.flags, rewrite);
	if (result != 0)
		return result;
	if (handler >= 0)
		tracer->counts.answered[handler]++;
	if ((call->kind & (CALL_OPEN | CALL_CHDIR)) != 0 && is_directory(request.target))
		tracer->gave_directory = true;
	return 1;
}

/* Looks at the call; true if it was answered. */
static bool handle_call(struct tracer *tracer, struct tracee *tracee, struct registers *registers)
{
	const struct call *call = call_find(registers_call(registers));
	int result;

	if (registers_are_foreign(registers) || call == NULL ||
	    (call->kind & tracer->selection->kinds) == 0)
		return false;
	tracer->counts.calls++;
	result = answer(tracer, tracee->id, call, registers, &tracee->rewrite);
	if (result > 0)
		return true;
	rewrite_abandon(&tracee->rewrite);
	/* ESRCH: it was killed meanwhile. */
	if (result < 0 && result != -ESRCH) {
		tracer->counts.failed++;
		fprintf(stderr, "Failed to answer a call %s of process %d: %s\n", call->name,
		        tracee->id, strerror(-result));
	}
	return false;
}

static struct step work(struct tracer *tracer, struct tracee *tracee, struct step step)
{
	struct registers registers;

	switch (step.work) {
	case WORK_NONE:
		break;
	case WORK_CALL:
		if (registers_read(tracee->id, &registers) != 0)
			break;
		if (tracer->mode == MODE_SYSCALL && !registers_may_be_entry(&registers))
			return step_left(tracer->mode);
		if (handle_call(tracer, tracee, &registers))
			return step_answered(tracer->mode);
		break;
	case WORK_END:
		if (tracee->rewrite.call != NULL && rewrite_end(tracee->id, &tracee->rewrite) > 0) {
			tracer->counts.repeated++;
			return step_repeated(tracer->mode);
		}
		break;
	}
	return step;
}

static void forget(struct tracer *tracer, pid_t id)
{
	struct tracee *tracee = tracees_find(&tracer->tracees, id);

	if (tracee == NULL)
		return;
	rewrite_abandon(&tracee->rewrite);
	tracees_drop(&tracer->tracees, id);
}

/* execve ends all other threads, and the one that called it takes the leader's id. */
static void forget_threads_of(struct tracer *tracer, pid_t leader)
{
	unsigned long former;

	if (ptrace(PTRACE_GETEVENTMSG, leader, 0, &former) == 0)
		forget(tracer, (pid_t)former);
	forget(tracer, leader);
}

/* Every request may find its tracee killed (ESRCH); waitpid says so next. */
static void resume(pid_t id, enum resume how, int signal)
{
	switch (how) {
	case RESUME_NOT:
		break;
	case RESUME_CONTINUE:
		ptrace(PTRACE_CONT, id, 0, signal);
		break;
	case RESUME_TO_SYSCALL:
		ptrace(PTRACE_SYSCALL, id, 0, signal);
		break;
	case RESUME_LISTEN:
		ptrace(PTRACE_LISTEN, id, 0, 0);
		break;
	}
}

static void follow(struct tracer *tracer, pid_t id, struct event event)
{
	struct tracee *tracee;
	struct step step;

	if (event.kind == EVENT_EXEC)
		forget_threads_of(tracer, id);
	tracee = tracees_add(&tracer->tracees, id);
	if (tracee == NULL)
		die_errno("follow process %d", id);
	step = step_next(tracer->mode, tracee->phase, event.kind);
	step = work(tracer, tracee, step);
	tracee->phase = step.phase;
	if (step.phase == PHASE_OUTSIDE)
		tracees_drop(&tracer->tracees, id);
	resume(id, step.resume, event.signal);
}

int tracer_run(struct tracer *tracer, pid_t program)
{
	for (;;) {
		int status;
		pid_t id = waitpid(-1, &status, __WALL);
		struct event event;

		if (id < 0 && errno == EINTR)
			continue;
		if (id < 0)
			die_errno("wait for process %d", program);
		tracer->counts.stops++;
		event = event_decode(status);
		if (event.kind == EVENT_ENDED) {
			forget(tracer, id);
			if (id == program)
				return status;
		} else {
			follow(tracer, id, event);
		}
	}
}
