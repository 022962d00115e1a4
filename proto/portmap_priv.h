/* SPDX-License-Identifier: MIT */
#ifndef PROTO_PORTMAP_PRIV_H
#define PROTO_PORTMAP_PRIV_H

/* What the parts of port mapping share: asking (portmap.c), and what a router
 * says (portmap_answer.c). */

#include "proto/portmap.h"

#define PORTMAP_AGAIN_US (1800 * MONO_S)
#define PORTMAP_AGAIN_MAX_S 86400U

/* Is there a mapping by this method? */
bool portmap_has(const struct portmap *m, enum portmap_method method);
mono_us portmap_spread(const struct portmap *m, mono_us low, mono_us high);
/* Each returns what changed, a set of enum portmap_change. */
unsigned portmap_refused(struct portmap *m, enum portmap_method method,
			 const char *why, mono_us again, mono_us now);
unsigned portmap_held(struct portmap *m, enum portmap_method method,
		      const struct net_addr *external, uint32_t lifetime_s,
		      mono_us now);
unsigned portmap_released(struct portmap *m);

#endif
