/* SPDX-License-Identifier: MIT */

#include "proto/asl_keying.h"

const char *asl_keying_text(enum asl_keying_state s)
{
	static const char *const text[] = {
		[ASL_KEYING_OPEN] = "open",
		[ASL_KEYING_NEW] = "newkey1",
		[ASL_KEYING_REDUNDANT] = "newkey",
		[ASL_KEYING_LEGACY] = "legacy",
		[ASL_KEYING_PLAIN] = "plain",
	};

	return text[s];
}

void asl_keying_start(struct asl_keying *k, mono_us now)
{
	*k = (struct asl_keying){ .opened = now };
}

/* Only nodes say such a thing: whom we took for a telephone is an old one. */
static void it_is_a_node(struct asl_keying *k)
{
	k->node = true;
	if (k->state == ASL_KEYING_PLAIN)
		k->state = ASL_KEYING_LEGACY;
}

bool asl_keying_on_text(struct asl_keying *k, enum asl_kind kind, mono_us now)
{
	if (kind == ASL_NEWKEY1) {
		k->node = true;
		k->state = ASL_KEYING_NEW;
		return false;
	}
	it_is_a_node(k);
	/* Once: two that answer each other's answer would never end. */
	if (kind != ASL_NEWKEY || k->state == ASL_KEYING_NEW ||
	    k->state == ASL_KEYING_REDUNDANT)
		return false;
	k->state = ASL_KEYING_REDUNDANT;
	k->its_at = now;
	k->ours_at = now;
	return true;
}

void asl_keying_on_key(struct asl_keying *k, bool keyed, mono_us now)
{
	/* Others say UNKEY where a spurt ends, and it keys nobody. */
	if (keyed)
		it_is_a_node(k);
	k->its = keyed;
	k->its_at = now;
}

bool asl_keying_hears(const struct asl_keying *k)
{
	return k->its || (k->state != ASL_KEYING_REDUNDANT &&
			  k->state != ASL_KEYING_LEGACY);
}

bool asl_keying_speak(struct asl_keying *k, bool speaking, mono_us now)
{
	k->ours = speaking;
	k->ours_at = now;
	return speaking && (k->state == ASL_KEYING_REDUNDANT ||
			    k->state == ASL_KEYING_LEGACY);
}

static mono_us lost_at(const struct asl_keying *k)
{
	return k->its && k->state == ASL_KEYING_REDUNDANT
		       ? k->its_at + ASL_KEYING_LOST_US
		       : MONO_NEVER;
}

static mono_us tell_at(const struct asl_keying *k)
{
	return k->state == ASL_KEYING_REDUNDANT
		       ? k->ours_at + ASL_KEYING_REFRESH_US
		       : MONO_NEVER;
}

static mono_us give_up_at(const struct asl_keying *k)
{
	return k->state == ASL_KEYING_OPEN ? k->opened + ASL_KEYING_WAIT_US
					   : MONO_NEVER;
}

enum asl_keying_due asl_keying_tick(struct asl_keying *k, mono_us now)
{
	if (now >= give_up_at(k)) {
		k->state = k->node ? ASL_KEYING_LEGACY : ASL_KEYING_PLAIN;
		if (k->node)
			return ASL_KEYING_IS_OLD;
	}
	if (now >= lost_at(k)) {
		k->its = false;
		return ASL_KEYING_LOST;
	}
	if (now >= tell_at(k)) {
		k->ours_at = now;
		return ASL_KEYING_TELL;
	}
	return ASL_KEYING_NOTHING;
}

mono_us asl_keying_deadline(const struct asl_keying *k)
{
	return mono_min(give_up_at(k), mono_min(lost_at(k), tell_at(k)));
}
