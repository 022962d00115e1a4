/* SPDX-License-Identifier: MIT */
#include "tests/lab/wan_rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REORDER_DEFAULT_US 30000U

/* xorshift64* (Vigna): one stream a rule, so that a seed gives one pattern. */
static double next_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return (double)((x * 0x2545f4914f6cdd1dULL) >> 11) / 9007199254740992.0;
}

/* splitmix64's finisher: neighbouring seeds give unrelated, non-zero states. */
static uint64_t seed_state(uint64_t seed)
{
	uint64_t z = seed + 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (z ^ (z >> 31)) | 1;
}

static bool prefix_matches(const struct wan_prefix *prefix,
			   const struct wan_addr *addr)
{
	const unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;

	if (prefix->addr.family == 0)
		return true;
	if (prefix->addr.family != addr->family)
		return false;
	if (memcmp(prefix->addr.octet, addr->octet, whole) != 0)
		return false;
	if (rest == 0)
		return true;
	return (prefix->addr.octet[whole] ^ addr->octet[whole]) >> (8 - rest) ==
	       0;
}

static bool number_matches(int32_t want, bool present, unsigned got)
{
	return want < 0 || (present && (unsigned)want == got);
}

static bool filter_matches(const struct wan_filter *f,
			   const struct wan_packet *pkt)
{
	return prefix_matches(&f->src, &pkt->src) &&
	       prefix_matches(&f->dst, &pkt->dst) &&
	       number_matches(f->sport, pkt->udp, pkt->sport) &&
	       number_matches(f->dport, pkt->udp, pkt->dport) &&
	       (number_matches(f->port, pkt->udp, pkt->sport) ||
		number_matches(f->port, pkt->udp, pkt->dport)) &&
	       number_matches(f->type, pkt->full, pkt->iax_type) &&
	       number_matches(f->subclass, pkt->full, pkt->iax_subclass);
}

/* The four qualities that hold for one packet, NULL where none is set. */
struct qualities {
	struct wan_rule *of[WAN_REORDER + 1];
};

static bool rule_strikes(struct wan_rule *rule)
{
	if (!rule || next_random(&rule->rng) >= rule->p)
		return false;
	rule->hits++;
	return true;
}

static bool drop_rule_strikes(struct wan_rule *rule,
			      const struct wan_packet *pkt)
{
	if (rule->effect == WAN_DROP_NTH && !pkt->udp)
		return false;
	rule->seen++;
	if (rule->effect == WAN_DROP_NTH && rule->seen != rule->nth)
		return false;
	if (rule->effect == WAN_DROP && rule->nth > 0 && rule->seen > rule->nth)
		return false;
	rule->hits++;
	return true;
}

static uint64_t hold_of(struct wan_rule *delay)
{
	uint64_t spread, low;

	if (!delay)
		return 0;
	delay->hits++;
	spread = delay->spread_us < delay->us ? delay->spread_us : delay->us;
	low = delay->us - spread;
	if (delay->spread_us == 0)
		return delay->us;
	return low + (uint64_t)(next_random(&delay->rng) *
				(double)(spread + delay->spread_us));
}

struct wan_fate wan_rules_judge(struct wan_rules *rules,
				const struct wan_packet *pkt)
{
	struct qualities q = { 0 };
	struct wan_fate fate = { 0 };

	for (unsigned i = 0; i < rules->count; i++) {
		struct wan_rule *rule = &rules->rule[i];

		if (!filter_matches(&rule->filter, pkt))
			continue;
		if (rule->effect <= WAN_REORDER) {
			rule->seen++;
			q.of[rule->effect] = rule;
		} else if (drop_rule_strikes(rule, pkt)) {
			fate.dropped = "rule";
		}
	}
	if (rule_strikes(q.of[WAN_LOSS]) && !fate.dropped)
		fate.dropped = "loss";
	if (fate.dropped)
		return fate;
	fate.twice = rule_strikes(q.of[WAN_DUP]);
	fate.hold_us = hold_of(q.of[WAN_DELAY]);
	if (rule_strikes(q.of[WAN_REORDER])) {
		fate.out_of_order = true;
		fate.hold_us += q.of[WAN_REORDER]->us;
	}
	return fate;
}

static int parse_number(const char *text, double max, double *out)
{
	char *end;
	const double value = strtod(text, &end);

	if (end == text || *end != '\0' || !(value >= 0) || value > max)
		return -EINVAL;
	*out = value;
	return 0;
}

static int parse_field(const char *text, int32_t max, int32_t *out)
{
	char *end;
	const long value = strtol(text, &end, 0);

	if (end == text || *end != '\0' || value < 0 || value > max)
		return -EINVAL;
	*out = (int32_t)value;
	return 0;
}

/* ADDRESS or ADDRESS/BITS, either family. */
static int parse_prefix(const char *text, struct wan_prefix *out)
{
	char addr[INET6_ADDRSTRLEN];
	const size_t len = strcspn(text, "/");
	int32_t bits;

	memset(out, 0, sizeof(*out));
	if (len >= sizeof(addr))
		return -EINVAL;
	memcpy(addr, text, len);
	addr[len] = '\0';
	if (inet_pton(AF_INET, addr, out->addr.octet) == 1)
		out->addr.family = 4;
	else if (inet_pton(AF_INET6, addr, out->addr.octet) == 1)
		out->addr.family = 6;
	else
		return -EINVAL;
	bits = out->addr.family == 4 ? 32 : 128;
	if (text[len] == '/' && parse_field(text + len + 1, bits, &bits) < 0)
		return -EINVAL;
	out->bits = (unsigned)bits;
	return 0;
}

/* One KEY=VALUE word of a filter, or count= of a dropmatch. */
static int parse_option(const char *word, struct wan_rule *rule)
{
	const struct {
		const char *key;
		int32_t max;
		int32_t *out;
	} fields[] = {
		{ "port=", 65535, &rule->filter.port },
		{ "sport=", 65535, &rule->filter.sport },
		{ "dport=", 65535, &rule->filter.dport },
		{ "type=", 255, &rule->filter.type },
		{ "sub=", 255, &rule->filter.subclass },
	};
	int32_t count = 0;

	if (strncmp(word, "src=", 4) == 0)
		return parse_prefix(word + 4, &rule->filter.src);
	if (strncmp(word, "dst=", 4) == 0)
		return parse_prefix(word + 4, &rule->filter.dst);
	if (rule->effect == WAN_DROP && strncmp(word, "count=", 6) == 0) {
		const int err = parse_field(word + 6, INT32_MAX, &count);

		rule->nth = (uint64_t)count;
		return err;
	}
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const size_t len = strlen(fields[i].key);

		if (strncmp(word, fields[i].key, len) == 0)
			return parse_field(word + len, fields[i].max,
					   fields[i].out);
	}
	return -EINVAL;
}

/* Put the one or two plain numbers where the effect has them. */
static int apply_numbers(struct wan_rule *rule, const double *number, int count)
{
	const bool second = count == 2;

	switch (rule->effect) {
	case WAN_DELAY:
		rule->us = (uint64_t)(number[0] * 1000.0);
		rule->spread_us = second ? (uint64_t)(number[1] * 1000.0) : 0;
		return 0;
	case WAN_LOSS:
		rule->p = number[0];
		if (second)
			rule->rng = seed_state((uint64_t)number[1]);
		return number[0] <= 1 ? 0 : -EINVAL;
	case WAN_REORDER:
		rule->p = number[0];
		rule->us = second ? (uint64_t)(number[1] * 1000.0)
				  : REORDER_DEFAULT_US;
		return number[0] <= 1 ? 0 : -EINVAL;
	case WAN_DUP:
		rule->p = number[0];
		return number[0] <= 1 && !second ? 0 : -EINVAL;
	case WAN_DROP_NTH:
		rule->nth = (uint64_t)number[0];
		return number[0] >= 1 && !second ? 0 : -EINVAL;
	case WAN_DROP:
		break;
	}
	return -EINVAL;
}

static int parse_rule(struct wan_rule *rule, char *const *argv, int argc)
{
	double number[2] = { 0, 0 };
	int count = 0, i = 0, err = 0;

	while (i < argc && count < 2 && !strchr(argv[i], '=')) {
		err = parse_number(argv[i++], 4294967295.0, &number[count++]);
		if (err < 0)
			return err;
	}
	for (; i < argc && err == 0; i++)
		err = parse_option(argv[i], rule);
	if (err < 0)
		return err;
	if (rule->effect == WAN_DROP)
		return count == 0 ? 0 : -EINVAL;
	return count > 0 ? apply_numbers(rule, number, count) : -EINVAL;
}

static bool prefixes_equal(const struct wan_prefix *a,
			   const struct wan_prefix *b)
{
	return a->bits == b->bits && a->addr.family == b->addr.family &&
	       memcmp(a->addr.octet, b->addr.octet, sizeof(a->addr.octet)) == 0;
}

static bool filters_equal(const struct wan_filter *a,
			  const struct wan_filter *b)
{
	return prefixes_equal(&a->src, &b->src) &&
	       prefixes_equal(&a->dst, &b->dst) && a->port == b->port &&
	       a->sport == b->sport && a->dport == b->dport &&
	       a->type == b->type && a->subclass == b->subclass;
}

/* Where @rule is to be stored: over its like, else at the end, else NULL. */
static struct wan_rule *place_for(struct wan_rules *rules,
				  const struct wan_rule *rule)
{
	for (unsigned i = 0; i < rules->count; i++) {
		struct wan_rule *old = &rules->rule[i];

		if (rule->effect <= WAN_REORDER &&
		    old->effect == rule->effect &&
		    filters_equal(&old->filter, &rule->filter))
			return old;
	}
	if (rules->count == WAN_RULES_MAX)
		return NULL;
	return &rules->rule[rules->count++];
}

static int add_rule(struct wan_rules *rules, enum wan_effect effect,
		    char *const *argv, int argc)
{
	struct wan_rule rule = {
		.id = rules->last_id + 1,
		.effect = effect,
		.filter = { .port = -1,
			    .sport = -1,
			    .dport = -1,
			    .type = -1,
			    .subclass = -1 },
		.rng = seed_state(effect),
	};
	struct wan_rule *place;
	const int err = parse_rule(&rule, argv, argc);

	if (err < 0)
		return err;
	place = place_for(rules, &rule);
	if (!place)
		return -ENOSPC;
	*place = rule;
	rules->last_id++;
	return (int)rule.id;
}

/* Without a number: every rule that drops.  With one: that rule. */
static int clear_rules(struct wan_rules *rules, char *const *argv, int argc)
{
	int32_t id = 0;
	unsigned kept = 0;
	const unsigned before = rules->count;

	if (argc > 1 || (argc == 1 && parse_field(argv[0], INT32_MAX, &id) < 0))
		return -EINVAL;
	for (unsigned i = 0; i < before; i++) {
		const struct wan_rule *rule = &rules->rule[i];
		const bool gone = argc == 1 ? rule->id == (unsigned)id
					    : rule->effect >= WAN_DROP_NTH;

		if (!gone)
			rules->rule[kept++] = *rule;
	}
	rules->count = kept;
	return argc == 1 && kept == before ? -ENOENT : 0;
}

int wan_rules_command(struct wan_rules *rules, char *const *argv, int argc)
{
	static const struct {
		const char *name;
		enum wan_effect effect;
	} effects[] = {
		{ "delay", WAN_DELAY },   { "loss", WAN_LOSS },
		{ "dup", WAN_DUP },       { "reorder", WAN_REORDER },
		{ "drop", WAN_DROP_NTH }, { "dropmatch", WAN_DROP },
	};

	if (argc < 1)
		return -EINVAL;
	if (strcmp(argv[0], "clear") == 0)
		return clear_rules(rules, argv + 1, argc - 1);
	for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++) {
		if (strcmp(argv[0], effects[i].name) == 0)
			return add_rule(rules, effects[i].effect, argv + 1,
					argc - 1);
	}
	return -ENOENT;
}
