/* SPDX-License-Identifier: MIT */

/* keyhole top: the status as a screen, whatever the status and the size. */

#include "daemon/console/top.h"

#include "tests/unit/screen_terminal.h"

static json_t *link_up(const char *node)
{
	json_t *l = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:f, s:f, s:f, s:b, s:b, s:i}",
		"node", node, "state", "up", "mode", "transceive", "direction",
		"out", "path", "opened", "rtt_ms", 52.4, "jitter_ms", 3.2,
		"loss_pct", 0.25, "rx_keyed", 0, "tx_keyed", 0, "connected_s",
		190);

	T_TRUE(l != NULL);
	return l;
}

static json_t *registrar(const char *host, bool up)
{
	return json_pack("{s:s, s:s, s:s, s:f, s:s}", "host", host, "state",
			 up ? "registered" : "registering", "apparent",
			 "203.0.113.7:4569", "rtt_ms", 24.0, "why",
			 up ? "" : "no answer");
}

static json_t *usual(void)
{
	return json_pack("{s:s, s:s, s:i, s:s, s:[o], s:{s:s, s:s},"
			 " s:{s:s, s:b, s:b, s:s, s:f, s:f, s:f, s:f}, s:[]}",
			 "node", "2001", "callsign", "W1AW", "uptime_s", 11520,
			 "version", "0.1", "registrars",
			 registrar("reg.example.org", true), "reach", "rung",
			 "opened", "verdict",
			 "Behind an address translator; callers get through "
			 "by OPEN/OVER.",
			 "radio", "type", "sim", "cor", 1, "ptt", 0,
			 "ptt_state", "off", "rx_dbfs", -12.0, "rx_peak_dbfs",
			 -6.0, "tx_dbfs", -99.0, "tx_peak_dbfs", -99.0,
			 "links");
}

static struct screen *compose(const json_t *status, unsigned columns,
			      unsigned lines, size_t first, const char *note)
{
	struct screen *s = screen_new(columns, lines);
	const struct top_view v = { first, note };

	T_TRUE(s != NULL);
	top_compose(s, status, &v);
	return s;
}

static void add(json_t *status, json_t *link)
{
	T_EQ(0, json_array_append_new(json_object_get(status, "links"), link));
}

static void expect(const struct screen *s, const char *const *lines)
{
	unsigned y = 0;

	for (; lines[y]; y++)
		T_STR(lines[y], screen_line(s, y));
	for (; y + 1 < s->lines; y++)
		T_STR("", screen_line(s, y));
}

/* --- 80 by 24 ------------------------------------------------------------ */

static void a_screen_of_80_columns(void)
{
	static const char *const want[] = {
		"node       2001 W1AW, up 3h 12m, version 0.1",
		"registrar  reg.example.org: registered, 24 ms, seen as "
		"203.0.113.7:4569",
		"reach      opened: Behind an address translator; callers get "
		"through by OPEN/OVE",
		"radio      sim, COR up, PTT off",
		"receive     -12.0 dBFS [################################====  "
		"  ]",
		"transmit    -99.0 dBFS [                                      "
		"  ]",
		"",
		"NODE      NAME            MODE    KEYED PATH        RTT  JIT  "
		"LOSS  BEH       UP",
		"2002      W2XYZ Boston, M trx out RX    opened       52    3  "
		" "
		"0.2    2   3m 10s",
		"2003      > 2077 N0CALL   mon in     TX moving       52    3  "
		" "
		"0.2        3m 10s",
		"2004      waiting: no answer from the registrar",
		NULL,
	};
	json_t *status = usual();
	json_t *two = link_up("2002"), *three = link_up("2003");
	struct screen *s;

	json_object_update_new(two,
			       json_pack("{s:b, s:s, s:s, s:[{},{}]}",
					 "rx_keyed", 1, "callsign", "W2XYZ",
					 "location", "Boston, MA", "behind"));
	json_object_update_new(
		three, json_pack("{s:b, s:s, s:s, s:s, s:s, s:s}", "tx_keyed",
				 1, "mode", "monitor", "direction", "in",
				 "state", "moving", "talker", "2077",
				 "talker_callsign", "N0CALL"));
	add(status, two);
	add(status, three);
	add(status,
	    json_pack("{s:s, s:s, s:s}", "node", "2004", "state", "waiting",
		      "why", "no answer from the registrar"));
	s = compose(status, 80, 24, 0, NULL);
	expect(s, want);
	T_STR("q ends", screen_line(s, 23));
	screen_free(s);
	json_decref(status);
}

static void a_screen_of_40_columns(void)
{
	static const char *const want[] = {
		"node       2001 W1AW, up 3h 12m, version",
		"registrar  reg.example.org: registered,",
		"reach      opened: Behind an address tra",
		"radio      sim, COR up, PTT off",
		"receive     -12.0 dBFS [############=  ]",
		"transmit    -99.0 dBFS [               ]",
		"",
		"NODE      NAME          KEYED PATH",
		"2002      W2XYZ Boston,       opened",
		NULL,
	};
	json_t *status = usual();
	json_t *two = link_up("2002");
	struct screen *s;

	json_object_update_new(two, json_pack("{s:s, s:s}", "callsign", "W2XYZ",
					      "location", "Boston, MA"));
	add(status, two);
	s = compose(status, 40, 24, 0, NULL);
	expect(s, want);
	screen_free(s);
	json_decref(status);
}

static void many_links_are_scrolled(void)
{
	json_t *status = usual();
	char node[16];
	struct screen *s;

	for (int i = 0; i < 100; i++) {
		(void)snprintf(node, sizeof(node), "%d", 3000 + i);
		add(status, link_up(node));
	}
	s = compose(status, 80, 24, 0, NULL);
	T_EQ(15, top_page(s, status));
	T_TRUE(strncmp(screen_line(s, 8), "3000 ", 5) == 0);
	T_TRUE(strncmp(screen_line(s, 22), "3014 ", 5) == 0);
	T_STR("q ends, j and k scroll: links 1-15 of 100", screen_line(s, 23));
	screen_free(s);
	s = compose(status, 80, 24, 95, NULL);
	T_TRUE(strncmp(screen_line(s, 12), "3099 ", 5) == 0);
	T_STR("", screen_line(s, 13));
	T_STR("q ends, j and k scroll: links 96-100 of 100",
	      screen_line(s, 23));
	screen_free(s);
	json_decref(status);
}

static void many_registrars_take_three_lines(void)
{
	json_t *status = usual();
	json_t *all = json_object_get(status, "registrars");
	struct screen *s;

	for (int i = 0; i < 5; i++)
		(void)json_array_append_new(all, registrar("other", false));
	s = compose(status, 80, 24, 0, NULL);
	T_STR("registrar  other: registering: no answer", screen_line(s, 2));
	T_STR("           and 4 more", screen_line(s, 3));
	T_STR("no links", screen_line(s, 10));
	T_EQ(13, top_page(s, status));
	screen_free(s);
	json_decref(status);
}

static void a_daemon_that_is_silent_is_said(void)
{
	struct screen *s =
		compose(NULL, 80, 24, 0, "the daemon is not running");

	T_STR("", screen_line(s, 0));
	T_STR("the daemon is not running", screen_line(s, 23));
	screen_free(s);
}

/* --- anything ------------------------------------------------------------ */

static json_t *foul(void)
{
	char longest[2001];
	json_t *status = usual();
	json_t *l;

	memset(longest, 'W', sizeof(longest) - 1);
	longest[0] = '\033';
	longest[sizeof(longest) - 1] = '\0';
	l = json_pack("{s:s, s:s, s:s, s:s, s:s, s:f, s:f, s:f, s:f, s:b}",
		      "node", longest, "state", "up", "callsign", longest,
		      "location", longest, "path", longest, "rtt_ms", 1e300,
		      "jitter_ms", -1e300, "loss_pct", 1e300, "connected_s",
		      1e300, "loop", 1);
	add(status, l);
	l = json_deep_copy(l);
	json_object_set_new(l, "talker", json_string(longest));
	json_object_set_new(l, "talker_callsign", json_string(longest));
	add(status, l);
	add(status, json_pack("{s:s, s:s, s:s}", "node", longest, "state",
			      longest, "why", longest));
	add(status, json_integer(3));
	json_array_append_new(json_object_get(status, "registrars"),
			      json_pack("{s:s, s:s, s:s, s:s, s:f}", "host",
					longest, "state", "registered",
					"apparent", longest, "why", longest,
					"rtt_ms", 1e300));
	json_object_set_new(status, "node", json_string(longest));
	json_object_set_new(status, "uptime_s", json_real(-1e300));
	json_object_update_new(
		json_object_get(status, "radio"),
		json_pack("{s:s, s:s, s:f, s:f}", "fault", longest, "ptt_state",
			  longest, "rx_dbfs", 1e300, "rx_peak_dbfs", 1e300));
	return status;
}

static void no_size_and_no_status_is_too_much(void)
{
	json_t *status[] = { usual(), foul(), json_object(), json_integer(1) };

	for (size_t i = 0; i < sizeof(status) / sizeof(status[0]); i++) {
		for (unsigned columns = 1; columns < 130; columns += 3) {
			for (unsigned lines = 1; lines < 30; lines += 4) {
				struct screen *s = compose(status[i], columns,
							   lines, i, NULL);

				T_TRUE(top_page(s, status[i]) >= 1);
				T_TRUE(strncmp(screen_line(s, lines - 1),
					       "q ends",
					       columns < 6 ? columns : 6) == 0);
				for (size_t n = 0; n < columns * lines; n++)
					T_TRUE(s->cell[n].ch >= ' ');
				screen_free(s);
			}
		}
		json_decref(status[i]);
	}
}

int main(void)
{
	T_RUN(a_screen_of_80_columns);
	T_RUN(a_screen_of_40_columns);
	T_RUN(many_links_are_scrolled);
	T_RUN(many_registrars_take_three_lines);
	T_RUN(a_daemon_that_is_silent_is_said);
	T_RUN(no_size_and_no_status_is_too_much);
	return T_DONE();
}
