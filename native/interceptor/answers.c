#include "interceptor/answers.h"

#include "interceptor/path.h"
#include "lib/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int compare(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void cleanup_directory(DIR **directory)
{
	if (*directory != NULL)
		closedir(*directory);
}

static int load(struct answers *answers, const char *path, struct failure *failure);

static int load_entry(struct answers *answers, const char *path, struct failure *failure)
{
	char target[TARGET_SIZE];
	struct stat kept, real;
	int error = answers_target(answers, path, target);

	if (error != 0)
		return fail_input(failure, "The name %s%s is too long: at most %d bytes",
		                  answers->root, path, TARGET_SIZE - 1);
	if (lstat(target, &kept) != 0)
		return fail(failure, errno, "look at %s", target);
	if (!S_ISDIR(kept.st_mode) || stat(path, &real) != 0 || !S_ISDIR(real.st_mode)) {
		error = strings_add(&answers->paths, path);
		if (error != 0)
			return fail(failure, -error, "remember %s", path);
	}
	return S_ISDIR(kept.st_mode) ? load(answers, path, failure) : 0;
}

/* Loads what is in the directory that stands for `path`, which is "" for the root. */
static int load(struct answers *answers, const char *path, struct failure *failure)
{
	char target[TARGET_SIZE];
	__attribute__((cleanup(cleanup_directory))) DIR *directory = NULL;
	const struct dirent *entry;

	if (answers_target(answers, path, target) == 0)
		directory = opendir(target);
	if (directory == NULL)
		return fail(failure, errno, "open %s%s", answers->root, path);
	while ((entry = readdir(directory)) != NULL) {
		cleanup_free char *below = NULL;
		int error;

		if (entry->d_name[0] == '.' && (path[0] == '\0' || entry->d_name[1] == '\0' ||
		                                strcmp(entry->d_name, "..") == 0))
			continue;
		if (asprintf(&below, "%s/%s", path, entry->d_name) < 0)
			return fail(failure, ENOMEM, "name %s", entry->d_name);
		error = load_entry(answers, below, failure);
		if (error != 0)
			return error;
	}
	return 0;
}

int answers_load(struct answers *answers, struct failure *failure)
{
	int error = load(answers, "", failure);

	if (answers->paths.count > 0)
		qsort(answers->paths.items, answers->paths.count, sizeof *answers->paths.items,
		      compare);
	return error;
}

void answers_free(struct answers *answers)
{
	strings_free(&answers->paths);
}

bool answers_have(const struct answers *answers, const char *path)
{
	return answers->paths.count > 0 &&
	       bsearch(&path, answers->paths.items, answers->paths.count,
	               sizeof *answers->paths.items, compare) != NULL;
}

bool answers_have_name(const struct answers *answers, const char *name, size_t length)
{
	for (size_t i = 0; i < answers->paths.count; i++) {
		size_t known;
		const char *last = path_last(answers->paths.items[i], &known);

		if (known == length && memcmp(last, name, length) == 0)
			return true;
	}
	return false;
}

int answers_target(const struct answers *answers, const char *path, char *target)
{
	int length = snprintf(target, TARGET_SIZE, "%s%s", answers->root, path);

	return length < TARGET_SIZE ? 0 : -ENAMETOOLONG;
}

/* Makes the directories above root/path. 0755: tracees may run as any user. */
static int make_parents(int root, const char *path)
{
	cleanup_free char *copy = strdup(path);

	if (copy == NULL)
		return -ENOMEM;
	for (char *slash = strchr(copy, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(root, copy, 0755) != 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

static int write_file(int directory, const char *path, const char *content)
{
	cleanup_fd int fd =
	    openat(directory, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	size_t length = strlen(content);

	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	errno = EIO;
	return write(fd, content, length) == (ssize_t)length ? 0 : -errno;
}

static int write_link(int directory, const char *path, const char *content)
{
	return symlinkat(content, directory, path) == 0 || errno == EEXIST ? 0 : -errno;
}

static int add(int (*write)(int, const char *, const char *), const char *root, const char *path,
               const char *content, struct failure *failure)
{
	cleanup_fd int directory = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int error = directory < 0 ? -errno : make_parents(directory, path + 1);

	if (error == 0)
		error = write(directory, path + 1, content);
	return error == 0 ? 0 : fail(failure, -error, "make %s%s", root, path);
}

int answers_add_file(const char *root, const char *path, const char *content,
                     struct failure *failure)
{
	return add(write_file, root, path, content, failure);
}

int answers_add_link(const char *root, const char *path, const char *content,
                     struct failure *failure)
{
	return add(write_link, root, path, content, failure);
}
