/* SPDX-License-Identifier: MIT */

/* keyholed's settings. */

#include <string.h>

#include "config/conf_rows.h"

#define NODE(member) AT(struct conf_node, member)
#define LIST(member, scope, most) LIST_OF(struct conf_node, member, scope, most)

static const char *const accept_words[] = { "registered", "listed", NULL };
static const char *const radio_words[] = { "none", "sim", "alsa", "cm108",
					   NULL };
static const char *const hwtype_words[] = { "fob", "dingotel", "n1kdo",
					    "custom", NULL };
static const char *const line_words[] = {
	"auto",  "volume_up", "volume_down", "mute_play", "mute_record",
	"hook",  "gpio1",     "gpio2",       "gpio3",     "gpio4",
	"gpio5", "gpio6",     "gpio7",       "gpio8",     NULL
};
static const char *const sense_words[] = { "no", "usb", "usbinvert", NULL };
static const char *const relay_words[] = { "never", "last", "always", NULL };
static const char *const cor_words[] = { "auto",      "cor",       "ctcss",
					 "vox",       "cor+ctcss", "vox+ctcss",
					 "cor/ctcss", "cor/vox",   NULL };
static const char *const others_words[] = { "off", "asked", "on", NULL };
static const char *const switch_words[] = { "auto", "on", "off", NULL };
static const char *const levels_words[] = { "config", "eeprom", NULL };
static const char *const dtmf_words[] = { "off", "decode", "mute", NULL };
static const char *const ctcss_end_words[] = { "silence", "reverse", NULL };
static const char *const log_words[] = { "error", "warning", "info", "debug",
					 NULL };

static bool is_identification(const char *text)
{
	return text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/ ")] ==
	       '\0';
}

static const struct conf_row node_rows[] = {
	{ "node.number", CONF_NODE, NODE(node.number), .min = 1,
	  .example = "1999", .flags = CONF_REQUIRED,
	  .help = "This node's number." },
	{ "node.key_file", CONF_PATH, NODE(node.key_file), .min = 1,
	  .text = "/var/lib/keyhole/node.key",
	  .help = "This node's identity, a file of mode 0600 as keyhole keygen "
		  "makes it." },
	{ "node.callsign", CONF_STRING, NODE(node.callsign),
	  .ok = conf_text_is_callsign,
	  .allowed = "at most 15 letters, digits, / and -",
	  .help = "The callsign told to other nodes; empty for none." },
	{ "iax2.port", CONF_U32, NODE(iax2.port), .min = 1, .max = 65535,
	  .dflt = 4569, .help = "The UDP port to listen on." },
	{ "iax2.bind4", CONF_STRING, NODE(iax2.bind4), .text = "0.0.0.0",
	  .ok = conf_text_is_ipv4, .allowed = "an IPv4 address",
	  .help = "The IPv4 address to listen on; empty for no IPv4." },
	{ "iax2.bind6", CONF_STRING, NODE(iax2.bind6),
	  .text = "::", .ok = conf_text_is_ipv6, .allowed = "an IPv6 address",
	  .help = "The IPv6 address to listen on; empty for no IPv6." },
	{ "iax2.interface", CONF_STRING, NODE(iax2.interface),
	  .ok = conf_text_is_interface,
	  .allowed = "an interface's name of at most 15 characters",
	  .help = "The network interface to use alone, such as a VPN's; empty "
		  "for any. It may come later than the daemon, or go and come "
		  "back." },
	{ "iax2.calls_max", CONF_U32, NODE(iax2.calls_max), .min = 1,
	  .max = 8192, .dflt = 64,
	  .help = "Calls at the same time, of some 30 kB of memory each; 64 of "
		  "them may talk at once. A quarter is kept for calls that "
		  "this "
		  "node places and those that a registrar vouches for." },
	{ "iax2.calltoken_optional", CONF_TEXTS,
	  LIST(iax2.calltoken_optional, conf_prefixes, CONF_PREFIXES_MAX),
	  .help = "Addresses of callers that know no call tokens, each "
		  "\"ADDRESS\" or \"ADDRESS/BITS\". All others must bring one: "
		  "it "
		  "proves their address." },
	{ "iax2.codecs", CONF_TEXTS,
	  LIST(iax2.codecs, conf_codecs, CONF_CODECS),
	  .help = "The codecs to speak, the preferred one first; empty for all "
		  "of them in the order named here." },
	{ "registrars", CONF_GROUPS,
	  LIST(registrars, conf_registrar_refs, CONF_REGISTRARS_MAX),
	  .help = "The registrars that this node registers with, so that "
		  "others can call it by its number from behind any NAT." },
	{ "keepalive.interval_s", CONF_U32, NODE(keepalive.interval_s),
	  .min = 5, .max = 120, .dflt = 15, .unit = "s",
	  .help = "How often a registrar is pinged to keep the way to it open "
		  "through NAT, until it was measured how long it stays "
		  "open." },
	{ "keepalive.max_s", CONF_U32, NODE(keepalive.max_s), .max = 120,
	  .dflt = 120, .unit = "s",
	  .help = "The longest time between two such pings when the way stays "
		  "open so long; 0 for interval_s always." },
	{ "accept.default", CONF_CHOICE, NODE(accept.by_default),
	  .words = accept_words, .dflt = CONF_ACCEPT_REGISTERED,
	  .flags = CONF_RELOAD,
	  .help = "Who may call: \"registered\" is any caller that a registrar "
		  "vouches for, \"listed\" is accept.allow only." },
	{ "accept.allow", CONF_TEXTS,
	  LIST(accept.allow, conf_callers, CONF_CALLERS_MAX),
	  .flags = CONF_RELOAD,
	  .help = "Callers that are welcome, each a node number or a public "
		  "key." },
	{ "accept.deny", CONF_TEXTS,
	  LIST(accept.deny, conf_callers, CONF_CALLERS_MAX),
	  .flags = CONF_RELOAD,
	  .help = "Callers that are refused, each a node number or a public "
		  "key." },
	{ "accept.by_address", CONF_BOOL, NODE(accept.by_address),
	  .flags = CONF_RELOAD,
	  .help = "Let a caller in who brings neither a registrar's word nor a "
		  "key or secret of peers, when it calls from the address "
		  "where its number is found (see lookup), as AllStarLink's "
		  "nodes do. The lists above hold for it too; a number under "
		  "2000 has to be in peers." },
	{ "accept.by_dns_key", CONF_BOOL, NODE(accept.by_dns_key),
	  .flags = CONF_RELOAD,
	  .help = "Let such a caller in when it proves the public key that DNS "
		  "has of its number: a TXT record \"key=KEY\" of "
		  "_keyhole.NUMBER.nodes in lookup.domain, as Keyhole's "
		  "registrars serve it. Whoever can forge that domain's "
		  "answers can forge numbers. Who has no key there is looked "
		  "at by accept.by_address." },
	{ "accept.users", CONF_GROUPS,
	  LIST(accept.users, conf_users, CONF_USERS_MAX), .flags = CONF_RELOAD,
	  .help = "Users who call with a program for people and prove "
		  "themselves with a secret (MD5)." },
	{ "accept.portal_key_file", CONF_PATH, NODE(accept.portal_key_file),
	  .flags = CONF_RELOAD,
	  .help = "The public key (RSA, PEM) of AllStarLink's telephone "
		  "portal, whose users are let in; empty: they are not." },
	{ "accept.web_url", CONF_STRING, NODE(accept.web_url),
	  .ok = conf_text_is_https, .allowed = "an address https://HOST/PATH",
	  .help = "Where to ask whose a token of AllStarLink's web transceiver "
		  "is, such as \"https://register.allstarlink.org/cgi-bin/"
		  "authwebphone.pl\": those that it knows are let in. Empty: "
		  "nobody is asked, and nobody let in." },
	{ "peers", CONF_GROUPS, LIST(peers, conf_peers, CONF_PEERS_MAX),
	  .flags = CONF_RELOAD, .help = "Nodes known without a registrar." },
	{ "links", CONF_GROUPS, LIST(links, conf_links, CONF_LINKS_MAX),
	  .flags = CONF_RELOAD,
	  .help = "Permanent links, placed at the start and on reload; one "
		  "that is lost is dialled again for ever. It is enough that "
		  "one "
		  "of two nodes has the other here." },
	{ "lookup.order", CONF_TEXTS,
	  LIST(lookup.order, conf_lookups, CONF_LOOKUPS), .flags = CONF_RELOAD,
	  .help = "Where the number of a node is looked up that is dialled, "
		  "until it is found: \"nodes\" is the peers above, \"dns\" "
		  "the name servers, \"extnodes\" the file, \"registrar\" the "
		  "OPEN/OVER registrars; empty for all, in this order." },
	{ "lookup.domain", CONF_STRING, NODE(lookup.domain),
	  .ok = conf_text_is_domain,
	  .allowed = "a DNS name of at most 200 octets", .flags = CONF_RELOAD,
	  .help = "The domain whose DNS knows nodes, by _iax._udp.NUMBER.nodes "
		  "in it; empty for none. AllStarLink's is "
		  "\"allstarlink.org\"." },
	{ "lookup.digits_min", CONF_U32, NODE(lookup.digits_min), .min = 1,
	  .max = 15, .dflt = 4, .flags = CONF_RELOAD,
	  .help = "Numbers of fewer digits are not asked for there." },
	{ "lookup.digits_max", CONF_U32, NODE(lookup.digits_max), .min = 1,
	  .max = 15, .dflt = 6, .flags = CONF_RELOAD,
	  .help = "Nor those of more; not less than lookup.digits_min." },
	{ "lookup.resolvers", CONF_TEXTS,
	  LIST(lookup.resolvers, conf_resolvers, CONF_RESOLVERS_MAX),
	  .flags = CONF_RELOAD,
	  .help = "The name servers to ask for it, such as \"192.0.2.53\" or "
		  "\"[2001:db8::53]:5353\", the next when one does not answer "
		  "within a second; empty for those of the system." },
	{ "lookup.extnodes", CONF_PATH, NODE(lookup.extnodes),
	  .flags = CONF_RELOAD,
	  .help = "A file of nodes as AllStarLink hands it out, "
		  "NUMBER=USER@IP:PORT/NUMBER,IP a line; read again when it "
		  "changes; empty for none." },
	{ "lookup.extnodes_url", CONF_STRING, NODE(lookup.extnodes_url),
	  .ok = conf_text_is_https, .allowed = "an address https://HOST/PATH",
	  .help = "Where to fetch that file, which the daemon then has to be "
		  "able to write (the packages' service writes below "
		  "/var/lib/keyhole only); empty: it is not fetched. "
		  "AllStarLink's is "
		  "\"https://snodes.allstarlink.org/gennodes.php\", that of a "
		  "registrar of Keyhole \"https://HOST/extnodes\"." },
	{ "lookup.extnodes_s", CONF_U32, NODE(lookup.extnodes_s), .min = 300,
	  .max = 604800, .dflt = 900, .unit = "s", .help = "How often." },
	{ "lookup.names", CONF_PATH, NODE(lookup.names), .flags = CONF_RELOAD,
	  .help = "A file that tells whose nodes are, as AllStarLink's "
		  "astdb.txt, NUMBER|CALLSIGN|DESCRIPTION|LOCATION a line, for "
		  "the console and for events; read again when it changes; "
		  "empty for none. This daemon does not fetch it." },
	{ "commands.radio", CONF_BOOL, NODE(commands.radio), .dflt = true,
	  .flags = CONF_RELOAD,
	  .help = "Whether the radio's DTMF digits are commands." },
	{ "commands.links", CONF_BOOL, NODE(commands.links), .dflt = true,
	  .flags = CONF_RELOAD,
	  .help = "Whether those of linked nodes are, for the functions that "
		  "links may use." },
	{ "commands.usual", CONF_BOOL, NODE(commands.usual), .dflt = true,
	  .flags = CONF_RELOAD,
	  .help = "Whether the usual codes are there: *1 to *4 and a number "
		  "disconnect, monitor, connect and command a node, *70 tells "
		  "the status, *71 ends all links, *72 tells who keyed last, "
		  "*73 is the full status, *74 restores the links, *75 "
		  "monitors locally, *80 identifies, *81 tells the time, *811 "
		  "to *813 and *818 are for permanent links, *980 tells the "
		  "version, *921 and *922 turn the parrot on and off." },
	{ "commands.number_min", CONF_U32, NODE(commands.number_min), .min = 1,
	  .max = 15, .dflt = 4, .flags = CONF_RELOAD,
	  .help = "A node's number that is dialled has so many digits at "
		  "least: then # or 3 s without a digit complete it." },
	{ "commands.number_max", CONF_U32, NODE(commands.number_max), .min = 1,
	  .max = 15, .dflt = 6, .flags = CONF_RELOAD,
	  .help = "It is complete at once with so many; not less than "
		  "commands.number_min." },
	{ "functions", CONF_GROUPS,
	  LIST(functions, conf_functions, CONF_FUNCTIONS_MAX),
	  .flags = CONF_RELOAD,
	  .help = "Codes of your own, or others for the usual ones." },
	{ "limits.calls_per_address", CONF_U32, NODE(limits.calls_per_address),
	  .min = 1, .max = 8192, .dflt = 8,
	  .help = "Calls that one address may have with this node at the "
		  "same time, those apart that a registrar vouches for or "
		  "that were proved with a key. An IPv6 /64 counts as one "
		  "address." },
	{ "limits.half_open", CONF_U32, NODE(limits.half_open), .max = 8192,
	  .help = "Calls of strangers that are not yet up, at the same time; 0 "
		  "for a quarter of iax2.calls_max, and 32 at least." },
	{ "limits.half_open_per_address", CONF_U32,
	  NODE(limits.half_open_per_address), .min = 1, .max = 8192, .dflt = 4,
	  .help = "Those of one address." },
	{ "limits.calls_per_s", CONF_U32, NODE(limits.calls_per_s), .min = 1,
	  .max = 1000, .dflt = 4, .unit = "a second",
	  .help = "New calls of one address." },
	{ "limits.auth_failures_per_min", CONF_U32,
	  NODE(limits.auth_failures_per_min), .min = 1, .max = 1000, .dflt = 10,
	  .unit = "a minute",
	  .help = "Failed authentications of one number at an address, and 16 "
		  "times as many of the address, before its calls are refused "
		  "for a while." },
	{ "open.spray", CONF_BOOL, NODE(open.spray), .dflt = true,
	  .help = "Probe many ports when a port-translating NAT is in the "
		  "way." },
	{ "open.spray_packets", CONF_U32, NODE(open.spray_packets), .max = 8192,
	  .dflt = 2048, .help = "Datagrams that one such probing may take." },
	{ "open.spray_sockets", CONF_U32, NODE(open.spray_sockets), .max = 1024,
	  .dflt = 256, .help = "Sockets that one such probing may take." },
	{ "map.enabled", CONF_BOOL, NODE(map.enabled), .dflt = true,
	  .help = "Ask the router, by PCP, NAT-PMP or UPnP, to let callers "
		  "through to iax2.port." },
	{ "map.lifetime_s", CONF_U32, NODE(map.lifetime_s), .min = 120,
	  .max = 86400, .dflt = 3600, .unit = "s",
	  .help = "How long the router is to keep that up when this node no "
		  "longer asks; it is renewed in time." },
	{ "relay.use", CONF_CHOICE, NODE(relay.use), .words = relay_words,
	  .dflt = CONF_RELAY_LAST,
	  .help = "Whether to use a registrar's relay: \"last\" when nothing "
		  "else leads to a node, \"always\" to have an address for "
		  "plain IAX2 callers too, from which calls to plain nodes "
		  "leave, \"never\"." },
	{ "radio.type", CONF_CHOICE, NODE(radio.type), .words = radio_words,
	  .dflt = CONF_RADIO_NONE,
	  .help = "The radio interface: \"cm108\" is a USB sound fob that also "
		  "keys, \"alsa\" a sound card that is keyed by other means or "
		  "not at all, \"sim\" needs no hardware." },
	{ "radio.timeout_s", CONF_U32, NODE(radio.timeout_s), .min = 10,
	  .max = 600, .dflt = 180, .unit = "s", .flags = CONF_RELOAD,
	  .help = "The transmitter is unkeyed after this long without a "
		  "pause." },
	{ "radio.hang_ms", CONF_U32, NODE(radio.hang_ms), .max = 5000,
	  .unit = "ms", .flags = CONF_RELOAD,
	  .help = "How long the transmitter stays keyed after the last word." },
	{ "radio.duplex", CONF_U32, NODE(radio.duplex), .max = 5, .dflt = 5,
	  .flags = CONF_RELOAD,
	  .help = "0: half duplex without tones and hang time; 1: half duplex, "
		  "nothing is transmitted while somebody is received; 2: a "
		  "repeater; 3: keyed as a repeater, but the radio repeats by "
		  "itself; 4: as 2, but not during a telephone patch; 5: as 1, "
		  "but a simulated radio transmits what the links say while it "
		  "receives." },
	{ "cor.source", CONF_CHOICE, NODE(cor.source), .words = cor_words,
	  .dflt = CONF_COR_AUTO, .flags = CONF_RELOAD,
	  .help = "What tells that somebody is received: the radio's squelch "
		  "(cor), its CTCSS output or cor.ctcss (ctcss), the sound "
		  "itself (vox); + is both, / is either, \"auto\" is vox for "
		  "radio.type \"alsa\" and cor for others." },
	{ "cor.attack_ms", CONF_U32, NODE(cor.attack_ms), .max = 1000,
	  .dflt = 20, .unit = "ms", .flags = CONF_RELOAD,
	  .help = "It counts once it has lasted so long." },
	{ "cor.release_ms", CONF_U32, NODE(cor.release_ms), .max = 2000,
	  .dflt = 40, .unit = "ms", .flags = CONF_RELOAD,
	  .help = "It is over once it has been gone for so long." },
	{ "cor.tail_ms", CONF_U32, NODE(cor.tail_ms), .max = 1000, .unit = "ms",
	  .flags = CONF_RELOAD,
	  .help = "How long received sound is held back, so that the noise "
		  "before the squelch shuts can be cut off: of what came in "
		  "the last tail_ms less release_ms nothing is heard." },
	{ "cor.kerchunk_ms", CONF_U32, NODE(cor.kerchunk_ms), .max = 2000,
	  .unit = "ms", .flags = CONF_RELOAD,
	  .help = "After a long silence, what is shorter than this is not "
		  "heard; what is longer is heard from its start, so much "
		  "later. 0 for no such filter, else more than attack_ms." },
	{ "cor.kerchunk_idle_s", CONF_U32, NODE(cor.kerchunk_idle_s),
	  .max = 3600, .dflt = 60, .unit = "s", .flags = CONF_RELOAD,
	  .help = "How long that silence is." },
	{ "cor.stuck_s", CONF_U32, NODE(cor.stuck_s), .min = 30, .max = 3600,
	  .dflt = 600, .unit = "s", .flags = CONF_RELOAD,
	  .help = "A receiver that is open for longer is not believed until "
		  "it has closed." },
	{ "cor.vox_db", CONF_U32, NODE(cor.vox_db), .min = 6, .max = 60,
	  .dflt = 30, .unit = "dB", .flags = CONF_RELOAD,
	  .help = "How far below full scale sound still counts, for vox." },
	{ "cor.vox_ms", CONF_U32, NODE(cor.vox_ms), .max = 5000, .dflt = 800,
	  .unit = "ms", .flags = CONF_RELOAD,
	  .help = "How long a pause between words may be, for vox." },
	{ "cor.ctcss", CONF_STRING, NODE(cor.ctcss), .ok = conf_text_is_ctcss,
	  .allowed = "a tone from \"60.0\" to \"260.0\" Hz",
	  .flags = CONF_RELOAD,
	  .help = "The CTCSS tone to look for in the received sound, such as "
		  "\"88.5\"; empty for none." },
	{ "ptt.key_up_ms", CONF_U32, NODE(ptt.key_up_ms), .max = 1000,
	  .unit = "ms", .flags = CONF_RELOAD,
	  .help = "How long the transmitter takes to be heard; all sound waits "
		  "for it, so that no syllable is lost." },
	{ "ptt.courtesy_hz", CONF_U32, NODE(ptt.courtesy_hz), .max = 4000,
	  .unit = "Hz", .flags = CONF_RELOAD,
	  .help = "A tone after each over, at least 100 Hz; 0 for none." },
	{ "ptt.courtesy_ms", CONF_U32, NODE(ptt.courtesy_ms), .max = 2000,
	  .dflt = 100, .unit = "ms", .flags = CONF_RELOAD,
	  .help = "How long it sounds." },
	{ "ptt.courtesy_wait_ms", CONF_U32, NODE(ptt.courtesy_wait_ms),
	  .max = 2000, .dflt = 300, .unit = "ms", .flags = CONF_RELOAD,
	  .help = "How long after the over." },
	{ "ptt.announce_hz", CONF_U32, NODE(ptt.announce_hz), .max = 4000,
	  .dflt = 440, .unit = "Hz", .flags = CONF_RELOAD,
	  .help = "A tone before radio.timeout_s unkeys the transmitter, at "
		  "least 100 Hz; 0 for none." },
	{ "ptt.announce_ms", CONF_U32, NODE(ptt.announce_ms), .max = 5000,
	  .dflt = 1000, .unit = "ms", .flags = CONF_RELOAD,
	  .help = "How long it sounds, in place of the links." },
	{ "ptt.tone_db", CONF_U32, NODE(ptt.tone_db), .max = 40, .dflt = 20,
	  .unit = "dB", .flags = CONF_RELOAD,
	  .help = "How far below full scale these tones are." },
	{ "ptt.ctcss", CONF_STRING, NODE(ptt.ctcss), .ok = conf_text_is_ctcss,
	  .allowed = "a tone from \"60.0\" to \"260.0\" Hz",
	  .flags = CONF_RELOAD,
	  .help = "The CTCSS tone to transmit, such as \"88.5\"; empty for "
		  "none." },
	{ "ptt.ctcss_db", CONF_U32, NODE(ptt.ctcss_db), .min = 6, .max = 40,
	  .dflt = 20, .unit = "dB", .flags = CONF_RELOAD,
	  .help = "How far below full scale it is." },
	{ "ptt.ctcss_off_ms", CONF_U32, NODE(ptt.ctcss_off_ms), .max = 1000,
	  .dflt = 180, .unit = "ms", .flags = CONF_RELOAD,
	  .help = "How long before the carrier it ends, so that receivers shut "
		  "without noise." },
	{ "ptt.ctcss_end", CONF_CHOICE, NODE(ptt.ctcss_end),
	  .words = ctcss_end_words, .flags = CONF_RELOAD,
	  .help = "What it is followed by: silence, or itself with its phase "
		  "reversed." },
	{ "telemetry.announce", CONF_CHOICE, NODE(telemetry.announce),
	  .words = switch_words, .dflt = CONF_SWITCH_AUTO, .flags = CONF_RELOAD,
	  .help = "Whether links that come and go, what functions did and the "
		  "time-out are announced on the air; \"auto\" is on but "
		  "for a simulated radio." },
	{ "telemetry.others", CONF_CHOICE, NODE(telemetry.others),
	  .words = others_words, .dflt = CONF_OTHERS_ASKED,
	  .flags = CONF_RELOAD,
	  .help = "Whether what other nodes tell of their links and functions "
		  "is announced, too: not, for two minutes after a function "
		  "was used here, or always." },
	{ "telemetry.sounds", CONF_PATH, NODE(telemetry.sounds),
	  .help = "A folder with sounds of your own, NAME.wav, in place of "
		  "those in the usual one; empty for none." },
	{ "telemetry.wpm", CONF_U32, NODE(telemetry.wpm), .min = 5, .max = 60,
	  .dflt = 20, .unit = "words a minute", .flags = CONF_RELOAD,
	  .help = "How fast Morse code is sent." },
	{ "telemetry.hz", CONF_U32, NODE(telemetry.hz), .min = 100, .max = 4000,
	  .dflt = 800, .unit = "Hz", .flags = CONF_RELOAD,
	  .help = "Its tone." },
	{ "telemetry.tone_db", CONF_U32, NODE(telemetry.tone_db), .max = 40,
	  .dflt = 20, .unit = "dB", .flags = CONF_RELOAD,
	  .help = "How far below full scale it is." },
	{ "telemetry.duck_db", CONF_U32, NODE(telemetry.duck_db), .max = 60,
	  .dflt = 12, .unit = "dB", .flags = CONF_RELOAD,
	  .help = "How much quieter announcements are while somebody "
		  "speaks." },
	{ "id.text", CONF_STRING, NODE(id.text), .ok = is_identification,
	  .allowed = "at most 31 capitals, digits, / and spaces",
	  .flags = CONF_RELOAD,
	  .help = "The identification to transmit, such as the callsign; "
		  "empty for none." },
	{ "id.speech", CONF_BOOL, NODE(id.speech), .flags = CONF_RELOAD,
	  .help = "Spell it; else it is sent in Morse code." },
	{ "id.interval_s", CONF_U32, NODE(id.interval_s), .max = 3600,
	  .dflt = 540, .unit = "s", .flags = CONF_RELOAD,
	  .help = "How long after the last one, when something was "
		  "transmitted since; the first comes with the first pause. "
		  "0: by command only." },
	{ "id.late_s", CONF_U32, NODE(id.late_s), .max = 300, .dflt = 30,
	  .unit = "s", .flags = CONF_RELOAD,
	  .help = "How long it then waits for a pause, before it is sent "
		  "under the voices." },
	{ "parrot.enabled", CONF_BOOL, NODE(parrot.enabled),
	  .help = "Whether each over is played back to whoever said it, for "
		  "all to try their sound; functions turn that on and off as "
		  "well." },
	{ "parrot.max_s", CONF_U32, NODE(parrot.max_s), .max = 120, .dflt = 30,
	  .unit = "s",
	  .help = "As much of an over is recorded; 0: there is no parrot." },
	{ "hooks.program", CONF_PATH, NODE(hooks.program), .flags = CONF_RELOAD,
	  .help = "A program to run for each event, which it reads from its "
		  "standard input, as one line of JSON; empty for none. It "
		  "runs as the daemon's user and within the limits of its "
		  "service." },
	{ "hooks.timeout_s", CONF_U32, NODE(hooks.timeout_s), .min = 1,
	  .max = 300, .dflt = 10, .unit = "s", .flags = CONF_RELOAD,
	  .help = "It is killed when it takes longer." },
	{ "hooks.events", CONF_TEXTS,
	  LIST(hooks.events, conf_events, CONF_EVENTS_MAX),
	  .flags = CONF_RELOAD,
	  .help = "The events to run it for, by their names in "
		  "keyhole-events(7), such as \"link_up\"; empty for all." },
	{ "rx.deemphasis", CONF_BOOL, NODE(rx.deemphasis), .flags = CONF_RELOAD,
	  .help = "Whether to de-emphasise: the sound comes from the "
		  "receiver's discriminator." },
	{ "rx.highpass", CONF_CHOICE, NODE(rx.highpass), .words = switch_words,
	  .dflt = CONF_SWITCH_AUTO, .flags = CONF_RELOAD,
	  .help = "Whether to take out what is below 300 Hz, CTCSS above all; "
		  "\"auto\" is on but for a simulated radio." },
	{ "rx.agc_db", CONF_U32, NODE(rx.agc_db), .max = 24, .unit = "dB",
	  .flags = CONF_RELOAD,
	  .help = "By how much those who speak softly or loudly are made "
		  "louder or softer, at most; 0 for not at all." },
	{ "rx.agc_to_db", CONF_U32, NODE(rx.agc_to_db), .min = 6, .max = 40,
	  .dflt = 12, .unit = "dB", .flags = CONF_RELOAD,
	  .help = "How far below full scale their average is to be." },
	{ "rx.limit_db", CONF_U32, NODE(rx.limit_db), .max = 40, .unit = "dB",
	  .flags = CONF_RELOAD,
	  .help = "No peak is to come closer to full scale; it takes 5 ms. 0 "
		  "for no limiter." },
	{ "rx.dtmf", CONF_CHOICE, NODE(rx.dtmf), .words = dtmf_words,
	  .dflt = CONF_DTMF_DECODE, .flags = CONF_RELOAD,
	  .help = "Whether to listen for DTMF digits; \"mute\" also keeps them "
		  "from the links, which takes 40 ms." },
	{ "tx.preemphasis", CONF_BOOL, NODE(tx.preemphasis),
	  .flags = CONF_RELOAD,
	  .help = "Whether to pre-emphasise: the sound goes to the "
		  "transmitter's modulator. Set tx.limit_db with it." },
	{ "tx.limit_db", CONF_U32, NODE(tx.limit_db), .max = 40, .unit = "dB",
	  .flags = CONF_RELOAD,
	  .help = "No peak is to come closer to full scale, so that the "
		  "deviation stays within its limit; it takes 5 ms. 0 for no "
		  "limiter." },
	{ "fob.serial", CONF_STRING, NODE(fob.serial),
	  .help = "The serial number of the USB fob that is this node's; "
		  "empty: any. Needed, or fob.port, when more than one is "
		  "plugged in." },
	{ "fob.port", CONF_STRING, NODE(fob.port), .ok = conf_text_is_usb_port,
	  .allowed = "a USB port as Linux names it, such as 1-1.2",
	  .help = "The USB port that it is plugged into, such as \"1-1.2\"; "
		  "empty: any." },
	{ "fob.hwtype", CONF_CHOICE, NODE(fob.hwtype), .words = hwtype_words,
	  .dflt = CONF_HWTYPE_FOB,
	  .help = "How it is wired, in the order of app_rpt's hwtype 0 to 3. "
		  "\"fob\" is nearly every one: PTT on GPIO3, COR on volume "
		  "down, CTCSS on volume up." },
	{ "fob.ptt_pin", CONF_U32, NODE(fob.ptt_pin), .max = 8,
	  .help = "The GPIO that keys; 0: as fob.hwtype has it." },
	{ "fob.ptt_inverted", CONF_BOOL, NODE(fob.ptt_inverted),
	  .help = "A low pin keys. Such a transmitter may key by itself when "
		  "the fob is unplugged or this machine is off." },
	{ "fob.cor", CONF_CHOICE, NODE(fob.cor), .words = line_words,
	  .dflt = CONF_LINE_AUTO,
	  .help = "The input that says that the receiver hears a carrier; "
		  "\"auto\": as fob.hwtype has it." },
	{ "fob.cor_sense", CONF_CHOICE, NODE(fob.cor_sense),
	  .words = sense_words, .dflt = CONF_SENSE_USBINVERT,
	  .help = "When it is active, in app_rpt's words: \"usbinvert\" when "
		  "the bit is set, which is a button's pin pulled low and a "
		  "GPIO that is high, as most radios do; \"usb\" when it is "
		  "not; \"no\" never." },
	{ "fob.ctcss", CONF_CHOICE, NODE(fob.ctcss), .words = line_words,
	  .dflt = CONF_LINE_AUTO,
	  .help = "The input that says that it hears the right CTCSS tone." },
	{ "fob.ctcss_sense", CONF_CHOICE, NODE(fob.ctcss_sense),
	  .words = sense_words, .dflt = CONF_SENSE_NO,
	  .help = "When that one is active, as for fob.cor_sense." },
	{ "audio.capture", CONF_STRING, NODE(audio.capture), .text = "default",
	  .allowed = "at most 127 characters",
	  .help = "For radio.type \"alsa\": the PCM that is received from, by "
		  "ALSA's name for it, such as \"hw:CARD=Device\"; empty for "
		  "none." },
	{ "audio.playback", CONF_STRING, NODE(audio.playback),
	  .text = "default", .allowed = "at most 127 characters",
	  .help = "The PCM that is transmitted to; empty for none." },
	{ "audio.levels", CONF_CHOICE, NODE(audio.levels),
	  .words = levels_words, .flags = CONF_RELOAD,
	  .help = "Where the following levels come from: here, or \"eeprom\", "
		  "the USB fob's own memory, where keyhole(1) levels and "
		  "app_rpt's programs store them. Those here hold until it "
		  "was read, or when it keeps none." },
	{ "audio.rx_db", CONF_DB, NODE(audio.rx_db), .min = (uint32_t)-60,
	  .max = 40, .unit = "dB", .flags = CONF_RELOAD,
	  .help = "The sound card's capture volume, as its mixer counts it." },
	{ "audio.tx_a_db", CONF_DB, NODE(audio.tx_a_db), .min = (uint32_t)-60,
	  .max = 40, .unit = "dB", .flags = CONF_RELOAD,
	  .help = "Its playback volume, left." },
	{ "audio.tx_b_db", CONF_DB, NODE(audio.tx_b_db), .min = (uint32_t)-60,
	  .max = 40, .unit = "dB", .flags = CONF_RELOAD,
	  .help = "Its playback volume, right." },
	{ "audio.boost", CONF_BOOL, NODE(audio.boost), .flags = CONF_RELOAD,
	  .help = "Whether its microphone boost or automatic gain is on." },
	{ "sim.rx_wav", CONF_PATH, NODE(sim.rx_wav),
	  .help = "The WAV file that the simulated radio hears; empty for "
		  "silence." },
	{ "sim.tx_wav", CONF_PATH, NODE(sim.tx_wav),
	  .help = "Where to write what it transmits; empty for nowhere." },
	{ "sim.autoplay", CONF_BOOL, NODE(sim.autoplay),
	  .help = "Play sim.rx_wav at the start." },
	{ "jitter.min_ms", CONF_U32, NODE(jitter.min_ms), .min = 0, .max = 500,
	  .dflt = 10, .unit = "ms", .flags = CONF_RELOAD,
	  .help = "The least delay that the jitter buffer adds." },
	{ "jitter.max_ms", CONF_U32, NODE(jitter.max_ms), .min = 20, .max = 500,
	  .dflt = 400, .unit = "ms", .flags = CONF_RELOAD,
	  .help = "The greatest; not less than jitter.min_ms." },
	{ "https.ca_file", CONF_PATH, NODE(https.ca_file),
	  .help = "A file with the certificates (PEM) of the authorities that "
		  "are trusted to vouch for web servers; empty: the "
		  "system's." },
	{ "stats.url", CONF_STRING, NODE(stats.url), .ok = conf_text_is_url,
	  .allowed = "an address http://HOST/PATH or https://HOST/PATH",
	  .help = "Where to report what this node does: its number, its links, "
		  "how long and how often it was keyed. AllStarLink's is "
		  "http://stats.allstarlink.org/uhandler. Empty: nowhere." },
	{ "stats.interval_s", CONF_U32, NODE(stats.interval_s), .min = 60,
	  .max = 600, .dflt = 180, .unit = "s", .help = "How often." },
	{ "control.socket", CONF_PATH, NODE(control.socket), .min = 1,
	  .text = "/run/keyhole/keyholed.sock",
	  .help = "The socket that the console uses." },
	{ "control.group", CONF_STRING, NODE(control.group), .min = 1,
	  .text = "keyhole", .ok = conf_text_is_group_name,
	  .allowed = "a group's name of at most 32 characters",
	  .help = "Who may use it." },
	{ "log.level", CONF_CHOICE, NODE(log.level), .words = log_words,
	  .dflt = CONF_LOG_INFO, .flags = CONF_RELOAD,
	  .help = "Log this and what is more severe." },
};

static bool jitter_is_ordered(const void *conf)
{
	const struct conf_node *c = conf;

	return c->jitter.max_ms >= c->jitter.min_ms;
}

static bool digits_are_ordered(const void *conf)
{
	const struct conf_node *c = conf;

	return c->lookup.digits_max >= c->lookup.digits_min;
}

static bool fetched_file_has_a_name(const void *conf)
{
	const struct conf_node *c = conf;

	return c->lookup.extnodes_url[0] == '\0' ||
	       c->lookup.extnodes[0] != '\0';
}

static bool dns_keys_have_a_domain(const void *conf)
{
	const struct conf_node *c = conf;

	return !c->accept.by_dns_key || c->lookup.domain[0] != '\0';
}

static bool dialled_digits_are_ordered(const void *conf)
{
	const struct conf_node *c = conf;

	return c->commands.number_max >= c->commands.number_min;
}

static bool kerchunk_outlasts_attack(const void *conf)
{
	const struct conf_node *c = conf;

	return c->cor.kerchunk_ms == 0 || c->cor.kerchunk_ms > c->cor.attack_ms;
}

static bool is_none_or_audible(uint32_t hz)
{
	return hz == 0 || hz >= 100;
}

static bool courtesy_is_audible(const void *conf)
{
	return is_none_or_audible(
		((const struct conf_node *)conf)->ptt.courtesy_hz);
}

static bool announcement_is_audible(const void *conf)
{
	return is_none_or_audible(
		((const struct conf_node *)conf)->ptt.announce_hz);
}

static bool ctcss_has_a_source(const void *conf)
{
	const struct conf_node *c = conf;

	return c->radio.type != CONF_RADIO_ALSA || c->cor.ctcss[0] ||
	       (c->cor.source != CONF_COR_CTCSS &&
		c->cor.source != CONF_COR_VOX_AND_CTCSS);
}

static bool node_has_a_family(const void *conf)
{
	const struct conf_node *c = conf;

	return c->iax2.bind4[0] || c->iax2.bind6[0];
}

static bool nobody_is_both(const void *conf)
{
	const struct conf_node *c = conf;

	for (size_t i = 0; i < c->accept.deny_n; i++) {
		for (size_t j = 0; j < c->accept.allow_n; j++) {
			if (conf_callers.same(&c->accept.deny[i],
					      &c->accept.allow[j]))
				return false;
		}
	}
	return true;
}

static bool links_lead_elsewhere(const void *conf)
{
	const struct conf_node *c = conf;

	for (size_t i = 0; i < c->links_n; i++) {
		if (strcmp(c->links[i].node, c->node.number) == 0)
			return false;
	}
	return true;
}

static const struct conf_rule node_rules[] = {
	{ "links", links_lead_elsewhere,
	  "links has this node's own number; allowed: those of others" },
	{ "jitter.max_ms", jitter_is_ordered,
	  "jitter.max_ms is less than jitter.min_ms; allowed: the same or "
	  "more" },
	{ "lookup.digits_max", digits_are_ordered,
	  "lookup.digits_max is less than lookup.digits_min; allowed: the same "
	  "or more" },
	{ "accept.by_dns_key", dns_keys_have_a_domain,
	  "accept.by_dns_key is set and lookup.domain is not; allowed: with "
	  "the domain whose DNS has the keys" },
	{ "lookup.extnodes_url", fetched_file_has_a_name,
	  "lookup.extnodes_url is set and lookup.extnodes is not; allowed: "
	  "with the file that it is written to" },
	{ "commands.number_max", dialled_digits_are_ordered,
	  "commands.number_max is less than commands.number_min; allowed: the "
	  "same or more" },
	{ "cor.kerchunk_ms", kerchunk_outlasts_attack,
	  "cor.kerchunk_ms is not more than cor.attack_ms; allowed: more, or "
	  "0" },
	{ "ptt.courtesy_hz", courtesy_is_audible,
	  "ptt.courtesy_hz is too low; allowed: 100 to 4000 Hz, or 0" },
	{ "ptt.announce_hz", announcement_is_audible,
	  "ptt.announce_hz is too low; allowed: 100 to 4000 Hz, or 0" },
	{ "cor.source", ctcss_has_a_source,
	  "cor.source names ctcss, which a sound card does not tell; allowed: "
	  "with the tone in cor.ctcss" },
	{ "iax2.bind6", node_has_a_family,
	  "iax2.bind4 and iax2.bind6 are both empty; allowed: one of them" },
	{ "accept.deny", nobody_is_both,
	  "a caller is both in accept.allow and in accept.deny; allowed: one "
	  "of them" },
};

const struct conf_table conf_node_table = {
	.scope = { .rows = node_rows,
		   .n = COUNT(node_rows),
		   .size = sizeof(struct conf_node) },
	.rules = node_rules,
	.rules_n = COUNT(node_rules),
	.file = "/etc/keyhole/keyholed.conf",
	.about = "keyholed, the node daemon",
};

void conf_node_defaults(struct conf_node *out)
{
	conf_values_default(&conf_node_table.scope, out);
}

#define HALF_OPEN_MIN 32U

uint32_t conf_half_open(const struct conf_node *c)
{
	const uint32_t share = c->iax2.calls_max / 4;

	if (c->limits.half_open != 0)
		return c->limits.half_open;
	return share > HALF_OPEN_MIN ? share : HALF_OPEN_MIN;
}

void conf_node_free(struct conf_node *c)
{
	conf_values_free(&conf_node_table.scope, c);
}
