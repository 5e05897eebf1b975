/*
 * The direct path: DNAT rules in a client's own nat OUTPUT that lead its connections to a Service
 * straight to an endpoint, over the bridge, with nobody in between. Which rules those are; pods.h
 * and redirection.h write them.
 *
 * gVisor takes about 145 such rules for one network namespace, so not everybody has them all: those
 * of DNS and of the newest Services come first, because a Service that has just come is one somebody
 * waits for, and a wait must be told "refused" from its first try on; those of the others are written
 * for who has once used them by the relay.
 */
#ifndef GATEWAY_DIRECT_H
#define GATEWAY_DIRECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/table.h"
#include "lib/iptables.h"

struct gateway;

/** Of the rules that everybody has. */
#define DIRECT_COMMON_RULES 96

/** More rules than gVisor would take. */
#define DIRECT_RULES_MAX (IPTABLES_SIZE_MAX / 200)

/** A frontend with more endpoints stays with the relay. */
#define DIRECT_ENDPOINTS_MAX 32

/** Frontends that one client is remembered to have used. */
#define DIRECT_USED_MAX 32

/**
 * Seconds of session affinity from which on a client is kept on its endpoint for good. The relay sees
 * when a client was last there, rules do not: shorter ones are the relay's.
 */
#define DIRECT_AFFINITY_MIN 3600

/** The frontends whose rules everybody has. Valid until the table changes. */
struct direct_common {
	const struct frontend *frontends[DIRECT_COMMON_RULES];
	size_t count;
};

/** What one client has used by the relay, the last first. */
struct direct_uses {
	struct frontend_key keys[DIRECT_USED_MAX];
	size_t count;
};

/** None where the direct path is not to be had. */
void direct_choose(const struct gateway *gateway, struct direct_common *common);

/** Whether clients could have rules for the frontend. */
bool direct_can(const struct gateway *gateway, const struct frontend *frontend);

/** Notes a use. Returns false where the frontend was the last used already. */
bool direct_note(struct direct_uses *uses, struct frontend_key key);

/**
 * Lays out a client's rules (its address in host byte order), for what it used first and then for
 * what is common, in at most `room` bytes of a table. Only endpoints that policies let it reach have
 * rules, and frontends without any have none. Returns how many rules.
 */
size_t direct_rules(const struct gateway *gateway, uint32_t client,
                    const struct direct_common *common, const struct direct_uses *uses, size_t room,
                    struct iptables_rule rules[DIRECT_RULES_MAX]);

#endif
