#include "gateway/control.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/command.h"
#include "gateway/line_reader.h"
#include "gateway/log.h"
#include "gateway/pods.h"
#include "gateway/redirection.h"
#include "gateway/service.h"
#include "gateway/tcp_relay.h"
#include "gateway/udp_outside.h"
#include "gateway/udp_relay.h"
#include "lib/errno_name.h"

#define BACKLOG 16

/* Room for one answer; its message is a failure's or a line of statistics. */
#define ANSWER_MAX 1024

/* Bytes of answers that nobody reads before no more commands are read. */
#define OUTPUT_LIMIT (64 * 1024)

struct client {
	struct garbage garbage;
	struct source source;
	struct control *control;
	struct list node;
	bool watches;
	size_t output_begin;
	size_t output_end;
	char output[OUTPUT_LIMIT + ANSWER_MAX];
	struct line_reader reader;
};

struct control {
	struct gateway *gateway;
	struct source source;
	struct list clients;
	struct client *transaction; /* whose `begin` waits for its `end` */
	struct sockaddr_un address;
};

static void client_end(struct client *client)
{
	struct control *control = client->control;

	if (control->transaction == client) {
		control->transaction = NULL;
		log_line("The controller left between begin and end: nothing is deleted");
	}
	list_remove(&client->node);
	loop_close(&control->gateway->loop, &client->source);
	loop_free(&control->gateway->loop, &client->garbage);
}

__attribute__((format(printf, 2, 3))) static void answer(struct client *client, const char *format,
                                                         ...)
{
	char *out = client->output + client->output_end;
	va_list arguments;

	va_start(arguments, format);
	int size = vsnprintf(out, ANSWER_MAX - 1, format, arguments);
	va_end(arguments);
	if (size > ANSWER_MAX - 2)
		size = ANSWER_MAX - 2;
	out[size] = '\n';
	client->output_end += (size_t)size + 1;
}

static void tell(void *data, const char *pod, enum trouble trouble)
{
	static const char *const words[] = {[TROUBLE_NONE] = "none",
	                                    [TROUBLE_FOREIGN] = "foreign",
	                                    [TROUBLE_ISOLATED] = "isolated",
	                                    [TROUBLE_FAILED] = "failed"};
	struct client *client = data;

	if (client->output_end < OUTPUT_LIMIT)
		answer(client, "trouble %s %s", words[trouble], pod);
	else /* It does not read, and would miss something: it is to ask again from the start. */
		shutdown(client->source.fd, SHUT_RDWR);
}

void control_tell(struct control *control, const char *pod, enum trouble trouble)
{
	if (control == NULL)
		return;
	for (struct list *node = control->clients.next; node != &control->clients;
	     node = node->next) {
		struct client *client = list_object(node, struct client, node);
		if (!client->watches)
			continue;
		tell(client, pod, trouble);
		loop_change(&control->gateway->loop, &client->source, EPOLLIN | EPOLLOUT);
	}
}

static int set_frontend(struct gateway *gateway, const struct command *command,
                        struct failure *failure)
{
	gateway->pods.changed = true;
	redirection_changed(gateway->redirection);
	struct frontend *frontend =
	    table_set(&gateway->table, command->frontend, command->affinity_seconds,
	              command->endpoints, command->endpoint_count);

	if (frontend == NULL)
		return fail(failure, ENOMEM, "set the frontend");
	return service_sync(gateway, frontend, failure);
}

static void delete_frontend(struct gateway *gateway, struct frontend *frontend)
{
	gateway->pods.changed = true;
	redirection_changed(gateway->redirection);
	service_close(gateway, frontend);
	table_remove(&gateway->table, frontend);
}

static int begin(struct client *client, struct failure *failure)
{
	struct control *control = client->control;

	if (control->transaction != NULL && control->transaction != client)
		return fail(failure, EBUSY, "begin: another controller has begun");
	control->transaction = client;
	table_begin(&control->gateway->table);
	pods_begin(&control->gateway->pods);
	return 0;
}

static int end(struct client *client, struct failure *failure)
{
	struct control *control = client->control;
	struct frontend *stale;

	if (control->transaction != client)
		return fail_input(failure, "Bad end: there was no begin");
	control->transaction = NULL;
	while ((stale = table_stale(&control->gateway->table)) != NULL)
		delete_frontend(control->gateway, stale);
	pods_commit(&control->gateway->pods);
	return 0;
}

static void answer_statistics(struct client *client)
{
	const struct gateway *gateway = client->control->gateway;
	const struct statistics *s = &gateway->statistics;
	const struct pods_state pods = pods_state(&gateway->pods);

	answer(client,
	       "frontends=%zu pods=%zu pods_direct=%zu pods_isolated=%zu pods_foreign=%zu "
	       "pods_failed=%zu tcp_active=%" PRIu64 " tcp_accepted=%" PRIu64 " tcp_retried=%" PRIu64
	       " tcp_refused=%" PRIu64 " tcp_over_share=%" PRIu64 " tcp_proxied=%" PRIu64 " tcp_bytes=%" PRIu64 " udp_active=%" PRIu64
	       " udp_outside_active=%" PRIu64 " udp_flows=%" PRIu64 " udp_datagrams=%" PRIu64 " udp_lost=%" PRIu64
	       " echo_requests=%" PRIu64 " echo_answers=%" PRIu64 " dns_queries=%" PRIu64 " dns_active=%" PRIu64 " dns_failed=%" PRIu64,
	       gateway->table.by_key.count, gateway->pods.by_address.count, pods.direct, pods.isolated,
	       pods.foreign, pods.failed, s->tcp_active,
	       s->tcp_accepted, s->tcp_retried, s->tcp_refused, s->tcp_over_share, s->tcp_proxied, s->tcp_bytes, s->udp_active,
	       s->udp_outside_active, s->udp_flows, s->udp_datagrams,
	       s->udp_lost, s->echo_requests, s->echo_answers, s->dns_queries, s->dns_active, s->dns_failed);
}

/* Its policies hold before the answer: then its first process may start. */
static int attach(struct gateway *gateway, const struct pod *pod, struct failure *failure)
{
	int status = pods_attach(&gateway->pods, pod, failure);

	return status < 0
	           ? status
	           : pods_sync(gateway, pods_find(&gateway->pods, pod->address), failure);
}

static int detach(struct gateway *gateway, const char *container, struct failure *failure)
{
	uint32_t address = pods_address(&gateway->pods, container);

	if (address != 0) {
		tcp_relay_forget(gateway, address);
		udp_relay_forget(gateway, address);
		udp_outside_forget(gateway->outside, address);
	}
	return pods_detach(&gateway->pods, container, failure);
}

static int run(struct client *client, struct command *command, struct failure *failure)
{
	struct gateway *gateway = client->control->gateway;
	struct frontend *frontend;

	switch (command->verb) {
	case COMMAND_SET:
		return set_frontend(gateway, command, failure);
	case COMMAND_DEL:
		frontend = table_find(&gateway->table, command->frontend);
		if (frontend == NULL)
			return fail(failure, ENOENT, "delete the frontend");
		delete_frontend(gateway, frontend);
		return 0;
	case COMMAND_BEGIN:
		return begin(client, failure);
	case COMMAND_END:
		return end(client, failure);
	case COMMAND_STATS:
		return 0;
	case COMMAND_WATCH:
		client->watches = true;
		return 0;
	case COMMAND_ATTACH:
		return attach(gateway, &command->pod, failure);
	case COMMAND_DETACH:
		return detach(gateway, command->pod.container, failure);
	case COMMAND_ISOLATE:
		pods_set_policy(&gateway->pods, command->policy);
		command->policy = NULL;
		return 0;
	case COMMAND_OWN:
		if (pods_set_owner(&gateway->pods, command->name) < 0)
			return fail(failure, ENOMEM, "note that a pod has rules of its own");
		return 0;
	case COMMAND_DISOWN:
		if (!pods_delete_owner(&gateway->pods, command->name))
			return fail(failure, ENOENT, "forget that a pod has rules of its own");
		return 0;
	case COMMAND_RELEASE:
		if (!pods_delete_policy(&gateway->pods, command->direction, command->name))
			return fail(failure, ENOENT, "delete the policy");
		return 0;
	}
	return 0;
}

static void answer_line(struct client *client, char *line, size_t length)
{
	struct failure failure;
	struct command command;
	int status = command_parse(line, length, &command, &failure);

	if (status == 0)
		status = run(client, &command, &failure);
	if (status < 0)
		answer(client, "error %s %s", errno_name(-status), failure.message);
	else if (command.verb == COMMAND_STATS)
		answer_statistics(client);
	else
		answer(client, "ok");
	if (status < 0)
		log_line("%s", failure.message);
	else if (command.verb == COMMAND_WATCH)
		pods_each_trouble(&client->control->gateway->pods, client, tell);
	command_free(&command);
}

/* Sends what is waiting. Returns 0, or -errno when the client is gone. */
static int send_answers(struct client *client)
{
	while (client->output_begin < client->output_end) {
		ssize_t sent = send(client->source.fd, client->output + client->output_begin,
		                    client->output_end - client->output_begin, MSG_NOSIGNAL);
		if (sent < 0 && errno == EAGAIN)
			return 0;
		if (sent < 0)
			return -errno;
		client->output_begin += (size_t)sent;
	}
	client->output_begin = client->output_end = 0;
	return 0;
}

static bool may_answer(const struct client *client)
{
	return client->output_end < OUTPUT_LIMIT;
}

/* Answers lines until there are no more, or no room for answers; returns whether there was room. */
static bool answer_lines(struct client *client)
{
	char *line;
	size_t length;

	while (may_answer(client)) {
		switch (line_reader_next(&client->reader, &line, &length)) {
		case LINE_NONE:
			return true;
		case LINE_TOO_LONG:
			answer(client, "error E2BIG Bad line: longer than %d bytes", LINE_LIMIT);
			break;
		case LINE_READY:
			answer_line(client, line, length);
			break;
		}
	}
	return false;
}

/* Returns whether the client is still there. */
static bool read_commands(struct client *client)
{
	size_t space;
	char *bytes = line_reader_space(&client->reader, &space);
	ssize_t count = recv(client->source.fd, bytes, space, 0);

	if (count < 0)
		return errno == EAGAIN || errno == EINTR;
	line_reader_add(&client->reader, (size_t)count);
	return count > 0;
}

/* What was told together comes into force together, and before it is answered. */
static void sync_pods(const struct control *control)
{
	struct failure failure;

	pods_settle(&control->gateway->pods);
	if (control->transaction == NULL)
		pods_sync(control->gateway, NULL, &failure);
}

/* Returns whether the client is still there. */
static bool serve(struct client *client, uint32_t events)
{
	bool all_answered;

	/* What it sent before it left still counts. */
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && may_answer(client) &&
	    !read_commands(client))
		return false;
	do {
		all_answered = answer_lines(client);
		redirection_apply(client->control->gateway->redirection);
		sync_pods(client->control);
		udp_outside_sync(client->control->gateway->outside);
		if (send_answers(client) < 0)
			return false;
	} while (!all_answered && may_answer(client));
	return true;
}

static void client_ready(struct source *source, uint32_t events)
{
	struct client *client = list_object(source, struct client, source);

	if (!serve(client, events)) {
		client_end(client);
		return;
	}
	loop_change(&client->control->gateway->loop, source,
	            (may_answer(client) ? EPOLLIN : 0U) |
	                (client->output_end > 0 ? EPOLLOUT : 0U));
}

static void accept_ready(struct source *source, uint32_t events)
{
	struct control *control = list_object(source, struct control, source);
	int fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd < 0)
		return;
	struct client *client = calloc(1, sizeof(*client));
	if (client == NULL) {
		close(fd);
		return;
	}
	client->control = control;
	source_init(&client->source, client_ready);
	list_append(&control->clients, &client->node);
	if (loop_watch(&control->gateway->loop, &client->source, fd, EPOLLIN) < 0)
		client_end(client);
}

static int listen_on(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	unlink(address->sun_path);
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
	    listen(fd, BACKLOG) < 0) {
		int status = -errno;
		close(fd);
		return status;
	}
	return fd;
}

struct control *control_open(struct gateway *gateway, const char *path, struct failure *failure)
{
	struct control *control = calloc(1, sizeof(*control));
	int status = -ENOMEM;

	if (control != NULL) {
		control->gateway = gateway;
		control->address.sun_family = AF_UNIX;
		list_init(&control->clients);
		source_init(&control->source, accept_ready);
		status = -ENAMETOOLONG;
	}
	if (control != NULL && strlen(path) < sizeof(control->address.sun_path)) {
		strcpy(control->address.sun_path, path);
		status = listen_on(&control->address);
		if (status >= 0)
			status = loop_watch(&gateway->loop, &control->source, status, EPOLLIN);
	}
	if (status == 0)
		return control;
	fail(failure, -status, "listen on %s", path);
	free(control);
	return NULL;
}

void control_close(struct control *control)
{
	while (!list_empty(&control->clients))
		client_end(list_object(control->clients.next, struct client, node));
	loop_close(&control->gateway->loop, &control->source);
	unlink(control->address.sun_path);
	free(control);
}
