/* SPDX-License-Identifier: MIT */

/* Whether registrars are found, reached, and take this node. */

#include <stdio.h>

#include "daemon/doctor/network.h"

static void find(struct doctor *d, const char *id, enum doctor_state state,
		 const char *seen, const char *cause, const char *mend)
{
	doctor_find(d,
		    &(struct doctor_finding){ id, state, seen, cause, mend });
}

/* --- names -------------------------------------------------------------- */

void doctor_dns(struct doctor *d, const struct doctor_registrar *r, size_t n)
{
	size_t bad = 0;

	for (size_t i = 0; i < n; i++) {
		if (!r[i].no_address)
			continue;
		find(d, "dns", DOCTOR_BAD, r[i].no_address,
		     "The name is wrong, or the name server does not answer.",
		     "getent hosts NAME tries it; mend the name in registrars, "
		     "or "
		     "the name servers in /etc/resolv.conf.");
		bad++;
	}
	if (n > 0 && bad == 0)
		find(d, "dns", DOCTOR_OK, "all registrars have addresses", NULL,
		     NULL);
}

/* --- registration ------------------------------------------------------- */

void doctor_no_registrar(struct doctor *d)
{
	find(d, "registrar", DOCTOR_BAD, "no registrar is configured",
	     "Nobody behind a carrier's network can reach this node.",
	     "Add one to registrars in the configuration.");
}

static void tell_refused(struct doctor *d, const struct doctor_registrar *r,
			 const struct doctor_self *self, const char *seen)
{
	char mend[DOCTOR_TEXT_MAX];

	if (r->plain) {
		find(d, "registrar", DOCTOR_BAD, seen,
		     "The password is wrong, or the user name.",
		     "Put the registrar's password into secret_file, set "
		     "username if it is not the number; then restart "
		     "keyholed.");
		return;
	}
	(void)snprintf(mend, sizeof(mend),
		       "Have its operator enter: keyhole-registrar node add "
		       "%s %s",
		       self->number, self->key);
	find(d, "registrar", DOCTOR_BAD, seen,
	     "It does not know this number, or knows it with another key.",
	     mend);
}

static void tell_down(struct doctor *d, const struct doctor_registrar *r,
		      const struct doctor_self *self, const char *seen)
{
	switch (r->fault) {
	case OO_REGISTRAR_FAULT_REFUSED:
		tell_refused(d, r, self, seen);
		break;
	case OO_REGISTRAR_FAULT_FORGED:
		find(d, "registrar", DOCTOR_BAD, seen,
		     "The key of this registrar in the configuration is wrong, "
		     "or somebody else answers for it.",
		     "Ask its operator for the key (keyhole pubkey there), set "
		     "it in registrars, restart keyholed.");
		break;
	case OO_REGISTRAR_FAULT_METHOD:
		find(d, "registrar", DOCTOR_BAD, seen,
		     "It wants a proof that keyholed does not have.",
		     "Ask its operator for MD5, or for registration by key.");
		break;
	case OO_REGISTRAR_FAULT_SILENT:
		find(d, "registrar", DOCTOR_BAD, seen,
		     r->why[0] ? r->why : "It does not answer.",
		     "See the line on udp; check host and port in "
		     "registrars.");
		break;
	case OO_REGISTRAR_FAULT_NONE:
		find(d, "registrar", DOCTOR_BAD, seen,
		     r->why[0] ? r->why : "It has not answered yet.",
		     "Ask again in a minute; then check host and port in "
		     "registrars.");
		break;
	}
}

void doctor_registrar(struct doctor *d, const struct doctor_registrar *r,
		      const struct doctor_self *self)
{
	char seen[DOCTOR_TEXT_MAX];

	if (r->up && r->rtt_us > 0)
		(void)snprintf(seen, sizeof(seen),
			       "registrar %.200s: registered, %u ms away",
			       r->host, (unsigned)(r->rtt_us / 1000));
	else
		(void)snprintf(seen, sizeof(seen), "registrar %.200s: %s%s%s",
			       r->host, r->state,
			       !r->up && r->why[0] ? "; " : "",
			       r->up ? "" : r->why);
	if (r->up)
		find(d, "registrar", DOCTOR_OK, seen, NULL, NULL);
	else if (r->no_address)
		find(d, "registrar", DOCTOR_BAD, seen,
		     "Its address is not known.", "See the line on dns.");
	else if (r->https && r->fault != OO_REGISTRAR_FAULT_REFUSED)
		find(d, "registrar", DOCTOR_BAD, seen,
		     r->why[0] ? r->why : "It has not answered yet.",
		     "Check secret_file and url of this registrar, the clock "
		     "and https.ca_file; then restart keyholed.");
	else
		tell_down(d, r, self, seen);
	if (r->warning)
		find(d, "registrar", DOCTOR_WARN, r->warning,
		     "Web traffic leaves this network by another address than "
		     "calls do, or through a proxy.",
		     "Set https of this registrar to \"auto\" or \"no\", so "
		     "that the node registers from where its calls come from.");
}

/* --- UDP ---------------------------------------------------------------- */

static bool is_silent(const struct doctor_registrar *r)
{
	return !r->up && !r->no_address && !r->https &&
	       r->fault == OO_REGISTRAR_FAULT_SILENT;
}

static void tell_blocked(struct doctor *d, const struct doctor_registrar *r,
			 const struct doctor_self *self)
{
	char seen[DOCTOR_TEXT_MAX], mend[DOCTOR_TEXT_MAX];

	(void)snprintf(seen, sizeof(seen),
		       "%.200s answers by TCP, but not by UDP", r->host);
	(void)snprintf(mend, sizeof(mend),
		       "Let UDP out from port %u and its answers in: nft list "
		       "ruleset here, then the router's firewall.",
		       (unsigned)self->port);
	find(d, "udp", DOCTOR_BAD, seen,
	     "A firewall here, in the router or at the provider blocks UDP.",
	     mend);
}

static void tell_unreachable(struct doctor *d, const struct doctor_registrar *r)
{
	char seen[DOCTOR_TEXT_MAX];

	(void)snprintf(seen, sizeof(seen), "%.200s answers neither by UDP%s",
		       r->host,
		       r->tcp == DOCTOR_TCP_SILENT ? " nor by TCP" : "");
	if (r->tcp == DOCTOR_TCP_UNKNOWN)
		(void)snprintf(seen, sizeof(seen),
			       "%.200s does not answer by UDP", r->host);
	find(d, "udp", DOCTOR_BAD, seen,
	     "The registrar is down, or the way to it is.",
	     "Try ping HOST.  When others reach it, look at this machine's "
	     "network; else wait for its operator.");
}

void doctor_udp(struct doctor *d, const struct doctor_registrar *r, size_t n,
		const struct doctor_self *self)
{
	char seen[64];
	bool up = false, silent = false;

	if (!self->has_address) {
		find(d, "udp", DOCTOR_BAD, "this machine has no address",
		     "Its network is down: cable, Wi-Fi, modem or DHCP.",
		     "ip address; ip route; then see to the network.");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		up = up || (r[i].up && !r[i].https);
		if (!is_silent(&r[i]))
			continue;
		silent = true;
		if (r[i].tcp == DOCTOR_TCP_ANSWERS)
			tell_blocked(d, &r[i], self);
		else
			tell_unreachable(d, &r[i]);
	}
	(void)snprintf(seen, sizeof(seen), "UDP port %u gets through",
		       (unsigned)self->port);
	if (up && !silent)
		find(d, "udp", DOCTOR_OK, seen, NULL, NULL);
}
