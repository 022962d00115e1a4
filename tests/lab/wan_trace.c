/* SPDX-License-Identifier: MIT */
#include "tests/lab/wan_trace.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#define PCAP_MAGIC_US 0xa1b2c3d4U
#define PCAP_LINK_RAW 101U

static const char *addr_text(const struct wan_addr *addr,
			     char text[INET6_ADDRSTRLEN])
{
	const int family = addr->family == 4 ? AF_INET : AF_INET6;

	text[0] = '\0';
	(void)inet_ntop(family, addr->octet, text, INET6_ADDRSTRLEN);
	return text;
}

static bool addrs_equal(const struct wan_addr *a, const struct wan_addr *b)
{
	return a->family == b->family &&
	       memcmp(a->octet, b->octet, sizeof(a->octet)) == 0;
}

/* FNV-1a over both addresses. */
static unsigned pair_hash(const struct wan_packet *pkt)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < sizeof(pkt->src.octet); i++) {
		hash = (hash ^ pkt->src.octet[i]) * 16777619U;
		hash = (hash ^ pkt->dst.octet[i]) * 16777619U;
	}
	return hash;
}

struct wan_pair *wan_trace_pair(struct wan_trace *trace,
				const struct wan_packet *pkt)
{
	const unsigned start = pair_hash(pkt);

	for (unsigned i = 0; i < WAN_PAIRS_MAX; i++) {
		struct wan_pair *pair =
			&trace->pair[(start + i) % WAN_PAIRS_MAX];

		if (addrs_equal(&pair->src, &pkt->src) &&
		    addrs_equal(&pair->dst, &pkt->dst))
			return pair;
		if (pair->src.family != 0)
			continue;
		/* A quarter stays free: a flood of forged sources must not
		 * turn every look-up into a walk through the table. */
		if (trace->pair_count >= WAN_PAIRS_MAX / 4 * 3)
			return NULL;
		trace->pair_count++;
		pair->src = pkt->src;
		pair->dst = pkt->dst;
		return pair;
	}
	return NULL;
}

static int reopen(FILE **file, const char *path)
{
	if (*file)
		(void)fclose(*file);
	*file = NULL;
	if (strcmp(path, "off") == 0)
		return 0;
	*file = fopen(path, "we");
	return *file ? 0 : -errno;
}

int wan_trace_log(struct wan_trace *trace, const char *path)
{
	return reopen(&trace->log, path);
}

int wan_trace_pcap(struct wan_trace *trace, const char *path)
{
	const struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t zone, accuracy, snap_len, link;
	} header = { PCAP_MAGIC_US, 2, 4, 0, 0, 65535, PCAP_LINK_RAW };
	const int err = reopen(&trace->pcap, path);

	if (trace->pcap)
		(void)fwrite(&header, sizeof(header), 1, trace->pcap);
	return err;
}

void wan_trace_capture(struct wan_trace *trace, const uint8_t *octets,
		       size_t len)
{
	struct timespec now;

	if (!trace->pcap)
		return;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	const uint32_t record[] = { (uint32_t)now.tv_sec,
				    (uint32_t)(now.tv_nsec / 1000),
				    (uint32_t)len, (uint32_t)len };
	(void)fwrite(record, sizeof(record), 1, trace->pcap);
	(void)fwrite(octets, 1, len, trace->pcap);
}

static void log_packet(FILE *log, const struct wan_packet *pkt, uint64_t now_us,
		       const char *dropped)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];

	(void)fprintf(log,
		      "{\"t\":%" PRIu64 ",\"src\":\"%s\",\"dst\":\"%s\","
		      "\"proto\":%u,\"len\":%zu",
		      now_us, addr_text(&pkt->src, src),
		      addr_text(&pkt->dst, dst), (unsigned)pkt->proto,
		      pkt->len);
	if (pkt->udp)
		(void)fprintf(log, ",\"sport\":%u,\"dport\":%u",
			      (unsigned)pkt->sport, (unsigned)pkt->dport);
	if (pkt->full)
		(void)fprintf(log, ",\"type\":%u,\"sub\":%u",
			      (unsigned)pkt->iax_type,
			      (unsigned)pkt->iax_subclass);
	if (dropped)
		(void)fprintf(log, ",\"dropped\":\"%s\"}\n", dropped);
	else
		(void)fputs(",\"dropped\":null}\n", log);
}

void wan_trace_count(struct wan_trace *trace, const struct wan_packet *pkt,
		     uint64_t now_us, const char *dropped)
{
	struct wan_pair *pair = wan_trace_pair(trace, pkt);

	trace->packets++;
	trace->octets += pkt->len;
	trace->dropped += dropped != NULL;
	if (pair) {
		pair->packets++;
		pair->octets += pkt->len;
		pair->dropped += dropped != NULL;
	}
	if (trace->log)
		log_packet(trace->log, pkt, now_us, dropped);
}

void wan_trace_flush(struct wan_trace *trace)
{
	if (trace->log)
		(void)fflush(trace->log);
	if (trace->pcap)
		(void)fflush(trace->pcap);
}

void wan_trace_stats(const struct wan_trace *trace, FILE *out)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	const char *comma = "";

	(void)fprintf(out,
		      "\"packets\":%" PRIu64 ",\"octets\":%" PRIu64
		      ",\"dropped\":%" PRIu64 ",\"pairs\":[",
		      trace->packets, trace->octets, trace->dropped);
	for (unsigned i = 0; i < WAN_PAIRS_MAX; i++) {
		const struct wan_pair *pair = &trace->pair[i];

		if (pair->src.family == 0)
			continue;
		(void)fprintf(out,
			      "%s{\"src\":\"%s\",\"dst\":\"%s\","
			      "\"packets\":%" PRIu64 ",\"octets\":%" PRIu64
			      ",\"dropped\":%" PRIu64 "}",
			      comma, addr_text(&pair->src, src),
			      addr_text(&pair->dst, dst), pair->packets,
			      pair->octets, pair->dropped);
		comma = ",";
	}
	(void)fputs("]", out);
}

void wan_trace_reset(struct wan_trace *trace)
{
	trace->packets = trace->octets = trace->dropped = 0;
	memset(trace->pair, 0, sizeof(trace->pair));
	trace->pair_count = 0;
}
