#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# ethdev_inside.sh PROGRAM KIND [QUEUES]   runs PROGRAM in a network namespace of its own, on a device of that kind; needs root
set -eu
if [ -z "${ETHDEV_INSIDE:-}" ]; then
	exec unshare -n env ETHDEV_INSIDE=1 "$0" "$@"
fi
program=$1 kind=$2 queues=${3:-1}

# veth hands over unfinished packets (partial checksums, GSO): the peer is to finish them first
pair() { # NAME PEER
	ip link add "$1" type veth peer name "$2"
	ip link set "$1" up
	ip link set "$2" up
	for feature in tx tso gso tx-udp-segmentation; do
		ethtool -K "$2" "$feature" off >/dev/null 2>&1 || true # tx off takes some of the others with it
	done
}

command -v ethtool >/dev/null || { echo "ethtool is not installed: package ethtool" >&2; exit 1; }
ip link set lo up
case $kind in
tap)
	exec "$program" "$queues" gw0 net_tap0,iface=gw0 ;;
af_packet)
	pair gw0 peer0
	exec "$program" "$queues" peer0 "net_af_packet0,iface=gw0,qpairs=$queues" ;;
af_packet_wide) # more sockets than workers
	pair gw0 peer0
	"$program" 1 peer0 net_af_packet0,iface=gw0,qpairs=2 2>&1 | grep 'it has 2 queues for 1 workers' ;;
af_xdp)
	pair gw0 peer0
	# libxdp keeps 80 bytes of a closed device: the sanitizers' build would fail on them
	exec env ASAN_OPTIONS=detect_leaks=0 "$program" "$queues" peer0 net_af_xdp0,iface=gw0,busy_budget=0 ;;
pcap)
	pair gw0 peer0
	exec "$program" "$queues" peer0 net_pcap0,iface=gw0 ;;
bond) # the second member leads nowhere: mode 1 uses one at a time
	pair gw0 peer0
	pair gw1 peer1
	member=$("$program" member)
	exec "$program" "$queues" peer0 "net_bonding0,mode=1,$member=net_af_packet0,$member=net_af_packet1" \
		net_af_packet0,iface=gw0 net_af_packet1,iface=gw1 ;;
*)
	echo "unknown kind $kind" >&2
	exit 2 ;;
esac
