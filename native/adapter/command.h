/* runc's command line, as containerd's shim writes it. Pure. */
#ifndef ADAPTER_COMMAND_H
#define ADAPTER_COMMAND_H

enum command_kind {
	COMMAND_OTHER,  /**< nothing to do before runc */
	COMMAND_CREATE, /**< with a bundle and an id */
	COMMAND_DELETE,
};

/** What points into the arguments; NULL where there is none. */
struct command {
	enum command_kind kind;
	const char *log;    /**< the file in which runc is to say what went wrong */
	const char *bundle; /**< of create, where runc looks for it */
	const char *id;     /**< the container's */
};

/**
 * Reads the arguments after the program's name, up to a NULL. What is not understood is
 * COMMAND_OTHER: runc says what is wrong with it.
 */
struct command command_read(const char *const *arguments);

#endif
