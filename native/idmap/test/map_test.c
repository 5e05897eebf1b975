#include "idmap/map.h"

#include "lib/test/tap.h"

/* The id inside that the map gives to one outside; -1 for none. */
static long inside_of(const struct id_maps *maps, unsigned long outside)
{
	for (size_t i = 0; i < maps->count; i++)
		if (outside >= maps->maps[i].outside &&
		    outside - maps->maps[i].outside < maps->maps[i].count)
			return (long)(maps->maps[i].inside + outside - maps->maps[i].outside);
	return -1;
}

static unsigned long size_of(const struct id_maps *maps)
{
	unsigned long size = 0;

	for (size_t i = 0; i < maps->count; i++)
		size += maps->maps[i].count;
	return size;
}

int main(void)
{
	static const unsigned long ids[] = {0, 1, 2, 999, 1001, 65535, 65536, 4294967292, 4294967293};

	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		unsigned long id = ids[i];
		struct id_maps maps = map_of(id);

		check(inside_of(&maps, id) == 0, "%lu is root inside", id);
		check(inside_of(&maps, 0) == (long)id, "root is %lu inside", id);
		check(size_of(&maps) == 4294967294, "every id but the last is there: %lu", id);
		check(inside_of(&maps, 4294967294) == -1, "the last is not: %lu", id);
		/* gVisor takes at most five lines. */
		check(maps.count <= 4, "%lu takes %zu lines", id, maps.count);
		for (unsigned long other = 3; other < 4294967294; other = other * 3 + 1)
			if (other != id)
				check(inside_of(&maps, other) == (long)other, "%lu is itself", other);
	}
	return tap_done();
}
