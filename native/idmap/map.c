#include "idmap/map.h"

/* (uid_t)-1 means "no id", and a map of all ids would be taken for no user namespace at all. */
#define IDS 4294967294UL

static void add(struct id_maps *maps, unsigned long inside, unsigned long outside,
                unsigned long count)
{
	if (count > 0)
		maps->maps[maps->count++] = (struct id_map){inside, outside, count};
}

struct id_maps map_of(unsigned long id)
{
	struct id_maps maps = {0};

	if (id == 0 || id >= IDS) {
		add(&maps, 0, 0, IDS);
		return maps;
	}
	add(&maps, 0, id, 1);
	add(&maps, 1, 1, id - 1);
	add(&maps, id, 0, 1);
	add(&maps, id + 1, id + 1, IDS - id - 1);
	return maps;
}
