# SPDX-License-Identifier: BSD-3-Clause
# Names the jobs; meson builds, into build/. `make demo` and `make test` work on a fresh Debian.

SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
PROGRAMS := wicgate wicctl wicgate-wwsf wicgate-load

PACKAGES_BUILD := gcc meson ninja-build pkg-config libdpdk-dev libpcap-dev libssl-dev libjwt-dev libjansson-dev \
	libuv1-dev libyaml-dev libsystemd-dev libmicrohttpd-dev libcurl4-openssl-dev libunbound-dev libhyperscan-dev \
	libexpat1-dev libcmocka-dev
PACKAGES_TEST := python3 python3-cryptography openssl iproute2 iputils-ping ethtool procps util-linux mount tcpdump \
	chromium kamailio kamailio-outbound-modules kamailio-tls-modules kamailio-ims-modules kamailio-presence-modules \
	testssl.sh sip-tester
PACKAGES_BENCH := libosip2-dev libsofia-sip-ua-dev iproute2 ethtool python3 util-linux openssl nginx-light kamailio \
	kamailio-websocket-modules kamailio-tls-modules
PACKAGES_FUZZ := clang llvm

.PHONY: all install-dep install-dep-test install-dep-bench install-dep-fuzz npm test demo demo-hold bench \
	fuzz soak matrix install clean

all: install-dep
	@tests/build.sh build --buildtype=release -Dtests=false

install-dep:
	@tests/packages.sh $(PACKAGES_BUILD)

install-dep-test: install-dep
	@tests/packages.sh $(PACKAGES_TEST)
	@command -v npm >/dev/null || tests/packages.sh nodejs npm

install-dep-bench: install-dep
	@tests/packages.sh $(PACKAGES_BENCH)

install-dep-fuzz: install-dep
	@tests/packages.sh $(PACKAGES_FUZZ)

npm: install-dep-test
	@tests/npm.sh

test: npm
	@$(SUDO) python3 tests/run.py

demo: npm
	@tests/build.sh build --buildtype=release -Dtests=false
	@$(SUDO) node tests/e2e/demo.mjs

demo-hold: npm
	@tests/build.sh build --buildtype=release -Dtests=false
	@$(SUDO) node tests/e2e/demo.mjs --hold

bench: install-dep-bench
	@tests/build.sh build-bench --buildtype=release -Dbench=true
	@$(SUDO) tests/bench/run.sh build-bench

fuzz: install-dep-fuzz
	@tests/fuzz/run.sh

# TCP against the kernel's, all cases: for MATRIX_S seconds, from where the last call has ended
MATRIX_S ?= 600
matrix: install-dep-test
	@tests/build.sh build-asan -Ddebug=true -Doptimization=1 -Db_sanitize=address,undefined -Db_lundef=false
	@$(SUDO) env WICGATE_BUILD=$(CURDIR)/build-asan python3 tests/matrix/matrix.py --all build-asan/matrix.json \
		--seconds $(MATRIX_S)

soak: npm
	@tests/build.sh build --buildtype=release -Dtests=true
	@$(SUDO) tests/load/churn.sh
	@$(SUDO) tests/load/crowd.sh
	@$(SUDO) tests/load/pool.sh
	@$(SUDO) env WICGATE_E2E_REGISTERS=100000 WICGATE_E2E_CALLS=20000 WICGATE_E2E_SESSION_S=120 WICGATE_E2E_SCRIPT_S=7200 \
		node tests/e2e/run.mjs 72- 73- 75- 76-

install: all
	@$(SUDO) meson install -C build

clean:
	rm -rf build build-*
