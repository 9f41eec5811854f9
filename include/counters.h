/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#include "gw_err.h"

/**
 * What a worker counts. One writer (the worker), any number of readers (control): relaxed loads and
 * stores compile to plain moves. Names are what `wicctl stats` and the metrics print; _live and
 * _max are gauges, the rest only grow.
 */
#define COUNTER_LIST(X) \
	X(loop_turns, "turns of the worker loop") \
	X(loop_sleeps, "times the worker slept") \
	X(loop_wakes, "times a message of another thread woke it") \
	X(loop_longest_us, "longest turn since start, us") \
	X(loop_long_turns, "turns of 2 ms and longer") \
	X(net_rx_packets, "frames received on packet ports") \
	X(net_rx_bytes, "bytes of them") \
	X(net_tx_packets, "frames sent on packet ports") \
	X(net_tx_bytes, "bytes of them") \
	X(net_tx_blocked, "times a device took fewer frames than were offered") \
	X(net_handed_out, "packets handed to the worker they belong to") \
	X(net_handed_in, "packets taken from another worker") \
	X(net_udp_in, "UDP datagrams received on packet ports") \
	X(net_udp_out, "UDP datagrams sent on packet ports") \
	X(net_fragments_in, "IP fragments received from trusted peers") \
	X(net_fragments_out, "IP fragments sent") \
	X(net_reassembled, "datagrams put together from fragments") \
	X(net_arp_in, "ARP packets received") \
	X(net_arp_out, "ARP packets sent") \
	X(net_ndp_in, "neighbour discovery packets received") \
	X(net_ndp_out, "neighbour discovery packets sent") \
	X(net_icmp_in, "ICMP packets received, neighbour discovery left out") \
	X(net_icmp_out, "ICMP packets sent, neighbour discovery left out") \
	X(net_path_mtu, "path MTUs learned from ICMP") \
	X(net_captured, "frames captured") \
	X(net_capture_lost, "frames that the capture should have had: ring full") \
	X(tcp_in, "TCP segments received on packet ports") \
	X(tcp_out, "TCP segments sent on packet ports") \
	X(tcp_data_in, "bytes received in order") \
	X(tcp_data_out, "bytes sent for the first time") \
	X(tcp_misdirected, "TCP segments that the device gave to another worker than their own") \
	X(tcp_retransmits, "TCP segments sent again") \
	X(tcp_spurious, "of them in vain: the peer had the first") \
	X(tcp_timeouts, "retransmission timeouts") \
	X(tcp_probes, "tail loss probes") \
	X(tcp_recoveries, "loss recoveries begun") \
	X(tcp_undone, "loss recoveries undone: nothing was lost") \
	X(tcp_reneged, "peers that dropped what they had acknowledged by SACK") \
	X(tcp_window_probes, "probes of a closed window") \
	X(tcp_out_of_order, "TCP segments received out of order") \
	X(tcp_duplicates, "TCP segments received again") \
	X(tcp_resets_out, "resets sent") \
	X(tcp_challenges_out, "challenge acknowledgements sent") \
	X(tcp_syn_in, "SYNs received") \
	X(tcp_cookies_out, "SYN cookies sent") \
	X(tcp_cookies_in, "SYN cookies accepted") \
	X(tcp_half_open_live, \
	  "half-open connections now, and those that wait for their first byte") \
	X(tcp_time_wait_live, "connections in TIME-WAIT now") \
	X(tcp_time_wait_evicted, "TIME-WAITs ended early: table full") \
	X(tcp_path_mtu, "path MTUs learned by connections") \
	X(tcp_black_holes, "segment sizes lowered because full segments were lost") \
	X(tcp_timer_late_max_us, "latest a TCP timer ran, us") \
	X(conn_accepted, "TCP connections accepted") \
	X(conn_refused, "TCP connections refused by a limit") \
	X(conn_closed, "TCP connections ended") \
	X(conn_live, "TCP connections now") \
	X(tls_handshakes, "TLS handshakes finished") \
	X(tls_resumed, "of them by a ticket") \
	X(tls_postponed, "TLS handshakes that waited for a later turn") \
	X(tls_failures, "TLS handshakes failed") \
	X(http_upgrades, "WebSocket upgrades answered 101") \
	X(http_refused, "WebSocket upgrades refused") \
	X(upgrade_forgotten, "addresses and WWSFs forgotten by the limits: table full") \
	X(upgrade_unlimited, "connections that no limit of their address or WWSF counts") \
	X(proxy_headers, "PROXY headers believed") \
	X(ws_messages_in, "WebSocket messages from WICs") \
	X(ws_messages_out, "WebSocket messages to WICs") \
	X(ws_pings, "pings sent") \
	X(ws_keepalives, "CRLF keep-alives answered") \
	X(session_live, "open WebSocket sessions now") \
	X(sip_requests_in, "SIP requests from WICs") \
	X(sip_responses_in, "SIP responses from WICs") \
	X(sip_refused, "SIP requests from WICs answered with an error here") \
	X(rate_connection, "requests refused for the rate of their connection") \
	X(rate_binding, "requests refused for the rate of their binding") \
	X(rate_wwsf, "registrations refused for the rate of their WWSF") \
	X(rate_calls, "calls refused for others that their binding sets up") \
	X(sip_unparsable, "messages that are not SIP") \
	X(token_verified, "tokens accepted") \
	X(token_refused, "tokens refused") \
	X(token_cached, "tokens whose signature had been found good before") \
	X(token_refused_again, "of the refused ones, those that had been refused before") \
	X(keys_wanted, "times an unknown key made us ask for its issuer's keys") \
	X(parked, "requests that waited for the keys of their issuer") \
	X(parked_live, "requests that wait for them now") \
	X(parked_repeated, "repeats of a waiting request, dropped") \
	X(verify_jobs, "signatures submitted to the driver") \
	X(verify_live, "signature checks under way") \
	X(register_in, "REGISTERs from WICs") \
	X(register_ok, "REGISTERs answered 200 by the core") \
	X(register_failed, "REGISTERs answered otherwise by the core") \
	X(register_challenged, "REGISTERs whose WIC was asked for a Digest by the core") \
	X(binding_live, "bindings now") \
	X(binding_expired, "bindings ended by time") \
	X(binding_removed, "bindings ended by de-registration") \
	X(binding_lost, "bindings that lost their connection") \
	X(binding_grace_over, "of them, those that got no other in time") \
	X(binding_replaced, "bindings whose registration another connection has taken over") \
	X(binding_revoked, "bindings ended because their token or WWSF was taken back") \
	X(binding_core_ended, "bindings ended by a registration event of the core") \
	X(reg_event_live, "subscriptions to registration events now") \
	X(reg_event_out, "SUBSCRIBEs of this node for registration events") \
	X(reg_event_failed, \
	  "of them, those refused or not answered; subscriptions the core ended") \
	X(reg_event_full, "registrations without a subscription: no room") \
	X(reg_event_in, "NOTIFYs for this node") \
	X(reg_event_unknown, "of them, those of no subscription: answered 481") \
	X(reg_event_refused, "of them, those that could not be read or came late") \
	X(reg_event_old, "registration events that were older than the one before") \
	X(reg_event_gaps, "registration events before which one was missed: the core was asked") \
	X(reg_event_unsure, "ends that may be older than the registration: the core was asked") \
	X(reg_event_unshown, "full states whose contacts were never known as ours") \
	X(barred, "pairs and tokens barred by registration events") \
	X(barred_refused, "REGISTERs refused because of that") \
	X(barred_forgotten, "such bars forgotten early: table full") \
	X(deregister_out, "de-REGISTERs of this node for bindings that ended here first") \
	X(deregister_ok, "of them, those that the core took, or had nothing to do for") \
	X(deregister_failed, \
	  "bindings that the core may hold to its end: it refused, or never answered") \
	X(wildcard_live, "connections now whose user is not registered and has shown a token") \
	X(wildcard_requests, "requests that such users have begun") \
	X(wildcard_cached, "of them, those by the token that the connection had shown before") \
	X(wildcard_revoked, "such users whose token, WWSF or identity was taken back") \
	X(home_live, "entries now that say where a registration is") \
	X(held, "requests in dialogs that waited for a WIC to come back") \
	X(held_live, "requests that wait for one now") \
	X(held_delivered, "of them, those that it came back for") \
	X(held_full, "requests that could not wait: too long, or no room") \
	X(lease_live, "pool pairs now that somebody has or asks for, whose home is this worker") \
	X(lease_granted, "times a pool pair was granted to a connection") \
	X(lease_refused, "times it was not: somebody else has it, or no room") \
	X(lease_ring_full, "times its home worker could not be asked: ring full") \
	X(lease_forgotten, "pool pairs whose last token was forgotten early: table full") \
	X(destination_refused, "requests of WICs refused for their destination") \
	X(pool_conflicts, "tokens of two users for one pool pair at one time, or with one jti") \
	X(block_up, "blocks that the core holds now, whose home is this worker") \
	X(block_out, "REGISTERs of this node for blocks") \
	X(block_failed, "of them, those that failed") \
	X(block_ended, "registrations of blocks that the core has ended by an event") \
	X(block_differs, "times the core named another wildcard than the configured one") \
	X(block_refused, "blocks that found no room") \
	X(block_calls, "requests of the core for blocks") \
	X(block_absent, "of them, those for an identity that nobody has registered") \
	X(block_foreign, "of them, those for an identity outside of the block") \
	X(block_forks, "of them, those that went to all bindings of an identity at once") \
	X(block_fork_full, "of them, those that went to its youngest alone for want of room") \
	X(block_branch_lost, "branches of such that ended because a ring was full, or lost their " \
			     "response to it") \
	X(block_way_forgotten, "ways of such requests forgotten early: table full") \
	X(registrar_live, "bindings of blocks now, whose home is this worker") \
	X(registrar_refused, "bindings of blocks that found no room") \
	X(registrar_ring_full, "times a home worker could not be asked, or answer: ring full") \
	X(clock_stepped, "steps of the wall's clock, by which the ends of tokens were found anew") \
	X(binding_restored, "bindings of pools that a restart has given back") \
	X(journal_kept, "words about their ends that waited for room in control's ring") \
	X(journal_lost, "of such words, those that found no room to wait in") \
	X(home_refused, "registrations that got no such entry: table full") \
	X(outbox_kept, "messages for another worker that waited for room") \
	X(outbox_dropped, "of such messages, those that found no room to wait in") \
	X(transaction_live, "live transactions now") \
	X(transaction_finished, "finished transactions now that absorb what comes again") \
	X(transaction_forgotten, "finished transactions forgotten early: table full") \
	X(transaction_copy_forgotten, "messages of theirs that are not said again: table full") \
	X(transaction_timeout, "transactions without a final response in time") \
	X(mw_requests_out, "requests sent to the core") \
	X(mw_requests_in, "requests from the core, as they arrive here") \
	X(mw_responses_in, "responses from the core") \
	X(mw_responses_out, "responses sent to the core") \
	X(mw_retransmits, "UDP retransmissions to the core") \
	X(mw_absorbed, "retransmissions from the core absorbed") \
	X(mw_untrusted, "Mw messages from sources outside mw.trusted") \
	X(mw_unmatched, "Mw responses that match no transaction") \
	X(mw_options_out, "OPTIONS sent to next hops") \
	X(mw_hop_failures, "times a next hop was found to be down") \
	X(mw_pings_out, "keep-alives sent on connections to the core") \
	X(mw_names_wanted, "times a host of a Route was not known and control was asked for it") \
	X(mw_failovers, "requests sent again to another next hop") \
	X(mw_stranded, "requests inside dialogs that waited for a next hop that was away") \
	X(mw_stranded_lost, "of them, those for which it did not come back in time") \
	X(mw_connects, "TCP connections opened to the core") \
	X(mw_connect_failures, "TCP connections to the core that failed") \
	X(mw_tls_failures, "TLS connections with the core that were refused by either side") \
	X(mw_delivered_local, "core requests that arrived at the owner of their flow") \
	X(mw_delivered_remote, "core requests handed to the worker that owns their flow") \
	X(flow_forged, "flow tokens with a wrong MAC") \
	X(flow_gone, "flow tokens of an ended flow") \
	X(tna_challenged, "auth-done REGISTERs, and requests of users who are not registered, " \
			  "that the core challenged") \
	X(deliver_out, "messages handed to another worker") \
	X(deliver_in, "messages taken from another worker") \
	X(reply_out, "responses handed back to another worker") \
	X(mailbox_full, "messages for another thread dropped: ring full") \
	X(mailbox_stale, "messages for something that has ended") \
	X(traced, "SIP messages given to a trace") \
	X(trace_lost, "SIP messages that a trace should have had: ring full, or too many") \
	X(event_dropped, "log events dropped: ring full") \
	X(slow_output, "connections cut for not reading") \
	X(invariant_broken, "internal invariants broken: report this")

struct counters {
#define COUNTER_FIELD(name, text) _Atomic uint64_t name;
	COUNTER_LIST(COUNTER_FIELD)
#undef COUNTER_FIELD
	_Atomic uint64_t errors[GW_ERR_COUNT]; /* every refusal, counted in one place */
};

/** Adds n. Only the owning worker calls it. */
static inline void counter_add(_Atomic uint64_t *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

/** Takes n away, for gauges. Only the owning worker calls it. */
static inline void counter_sub(_Atomic uint64_t *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) - n,
			      memory_order_relaxed);
}

/** Raises a maximum. Only the owning worker calls it. */
static inline void counter_max(_Atomic uint64_t *c, uint64_t value)
{
	if (value > atomic_load_explicit(c, memory_order_relaxed))
		atomic_store_explicit(c, value, memory_order_relaxed);
}

/** A number read from any thread. */
static inline uint64_t counter_read(const _Atomic uint64_t *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

#endif
