/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peers.h"

/* The other side is the program openssl, over a Unix socket: nothing of it is ours. */

#define PATIENCE_MS 10000
#define ARGUMENTS_MAX 24

enum { FILE_AUTHORITY, FILE_OWN, FILE_KEY, FILE_SOCKET, FILES };

struct program {
	struct peers *peers; /* certificates and contexts; our own side's connection is here */
	char folder[32];
	char path[FILES][64];
	pid_t pid;
	int in, out; /* its standard input and output */
	int wire;    /* to it; -1 before */
	struct fake fake;
	struct tls *tls;
};

static void path_write(const char *path, struct span bytes)
{
	FILE *file = fopen(path, "w");

	EXPECT(file != NULL);
	EXPECT_EQ(bytes.len, fwrite(bytes.at, 1, bytes.len, file));
	EXPECT_EQ(0, fclose(file));
}

/** The program is to have the certificate of that side. */
static struct program *program_new(enum peer_side side)
{
	static const char *const names[] = {"authority.pem", "own.pem", "key.pem", "socket"};
	struct program *g = calloc(1, sizeof(*g));

	g->peers = peers_new(0);
	strcpy(g->folder, "/tmp/tls-openssl-XXXXXX");
	EXPECT(mkdtemp(g->folder) != NULL);
	for (int i = 0; i < FILES; i++)
		snprintf(g->path[i], sizeof(g->path[i]), "%s/%s", g->folder, names[i]);
	path_write(g->path[FILE_AUTHORITY], g->peers->authority.chain);
	path_write(g->path[FILE_OWN], g->peers->own[side].chain);
	path_write(g->path[FILE_KEY], g->peers->own[side].key);
	g->wire = -1;
	fake_init(&g->fake);
	return g;
}

static void program_free(struct program *g)
{
	tls_libssl.free(g->tls);
	fake_fini(&g->fake);
	close(g->wire);
	close(g->in);
	close(g->out);
	kill(g->pid, SIGKILL);
	EXPECT_EQ(g->pid, waitpid(g->pid, NULL, 0));
	for (int i = 0; i < FILES; i++)
		unlink(g->path[i]);
	EXPECT_EQ(0, rmdir(g->folder));
	peers_free(g->peers);
	free(g);
}

static void program_run(struct program *g, const char *what, const char *const more[])
{
	const char *arguments[ARGUMENTS_MAX] = {"openssl",
						what,
						"-unix",
						g->path[FILE_SOCKET],
						"-cert",
						g->path[FILE_OWN],
						"-key",
						g->path[FILE_KEY],
						"-CAfile",
						g->path[FILE_AUTHORITY],
						"-verify_return_error",
						"-quiet"};
	int in[2], out[2], n = 0;

	while (arguments[n] != NULL)
		n++;
	for (int i = 0; more[i] != NULL; i++)
		arguments[n++] = more[i];
	EXPECT_EQ(0, pipe2(in, O_CLOEXEC));
	EXPECT_EQ(0, pipe2(out, O_CLOEXEC));
	g->pid = fork();
	if (g->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 2);
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
		execvp("openssl", (char *const *)(uintptr_t)arguments);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	g->in = in[1];
	g->out = out[0];
}

static struct sockaddr_un socket_address(const struct program *g)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	strcpy(address.sun_path, g->path[FILE_SOCKET]);
	return address;
}

/** To a program that may not listen yet. */
static void wire_connect(struct program *g)
{
	struct sockaddr_un address = socket_address(g);
	int tries = 0;

	g->wire = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	while (connect(g->wire, (struct sockaddr *)&address, sizeof(address)) != 0) {
		EXPECT(++tries < PATIENCE_MS / 10);
		usleep(10000);
	}
}

static int wire_listen(const struct program *g)
{
	struct sockaddr_un address = socket_address(g);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	EXPECT_EQ(0, bind(listener, (struct sockaddr *)&address, sizeof(address)));
	EXPECT_EQ(0, listen(listener, 1));
	return listener;
}

static bool readable(int from)
{
	struct pollfd look = {.fd = from, .events = POLLIN};

	return poll(&look, 1, PATIENCE_MS) == 1;
}

/** Sends what is to be sent and waits for more. False: nothing comes any more. */
static bool wire_carry(struct program *g)
{
	uint8_t bytes[4096];
	ssize_t n;

	EXPECT_EQ(g->fake.tx_len, send(g->wire, g->fake.tx, g->fake.tx_len, MSG_NOSIGNAL));
	fake_leave(&g->fake, g->fake.tx_len);
	if (!readable(g->wire))
		return false;
	n = read(g->wire, bytes, sizeof(bytes));
	if (n > 0)
		fake_arrive(&g->fake, span_of(bytes, (uint32_t)n));
	return n > 0;
}

static void wire_handshake(struct program *g)
{
	uint8_t to[1];

	while (tls_libssl.open(g->tls, to, 0).err == GW_AGAIN && !tls_libssl.ready(g->tls))
		EXPECT(wire_carry(g));
	EXPECT(tls_libssl.ready(g->tls));
}

static void expect_opened(struct program *g, const char *text)
{
	uint8_t to[64];
	struct tls_result result;

	while ((result = tls_libssl.open(g->tls, to, sizeof(to))).err == GW_AGAIN)
		EXPECT(wire_carry(g));
	EXPECT_EQ(GW_OK, result.err);
	EXPECT_EQ(strlen(text), result.n);
	EXPECT_BYTES(text, to, result.n);
}

static void expect_server(const char *version, const char *option)
{
	struct program *g = program_new(PEER_SERVER);

	program_run(g, "s_server",
		    (const char *const[]){option, "-Verify", "4", "-rev", "-naccept", "1", NULL});
	wire_connect(g);
	g->tls = tls_libssl.connect(g->peers->context[PEER_CLIENT], &g->fake.conn,
				    SPAN("icscf.home1.net"));
	wire_handshake(g);
	EXPECT_TEXT(version, tls_libssl.info(g->tls).version);
	EXPECT(tls_libssl.peer_is(g->tls, SPAN("icscf.home1.net")));
	EXPECT_EQ(GW_OK, tls_libssl.seal(g->tls, SPAN("OPTIONS\n")).err);
	expect_opened(g, "SNOITPO\n");
	program_free(g);
}

TEST(tls_openssl, serves_us)
{
	expect_server("TLSv1.3", "-tls1_3");
	expect_server("TLSv1.2", "-tls1_2");
}

TEST(tls_openssl, refuses_us_when_we_are_a_stranger)
{
	struct program *g = program_new(PEER_SERVER);
	struct tls_certificate stranger = pem_make("DNS:wic.home1.net", PEM_P256);
	struct tls_config config = peers_config(g->peers, PEER_CLIENT);
	struct tls_result result;
	uint8_t to[8];

	config.certificate = &stranger;
	peers_context(g->peers, PEER_CLIENT, config);
	program_run(g, "s_server", (const char *const[]){"-Verify", "4", "-naccept", "1", NULL});
	wire_connect(g);
	g->tls = tls_libssl.connect(g->peers->context[PEER_CLIENT], &g->fake.conn,
				    SPAN("icscf.home1.net"));
	while ((result = tls_libssl.open(g->tls, to, sizeof(to))).err == GW_AGAIN)
		EXPECT(wire_carry(g));
	EXPECT_EQ(GW_TLS_ALERT, result.err);
	EXPECT_TEXT("peer sent alert unknown CA", tls_libssl.info(g->tls).failure);
	program_free(g);
	pem_free(&stranger);
}

static void expect_client(const char *version, const char *option)
{
	struct program *g = program_new(PEER_CLIENT);
	int listener = wire_listen(g);
	char got[8];

	program_run(g, "s_client",
		    (const char *const[]){option, "-servername", "elsewhere.home1.net", NULL});
	EXPECT(readable(listener));
	g->wire = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	g->tls = tls_libssl.accept(g->peers->context[PEER_SERVER], &g->fake.conn);
	wire_handshake(g);
	EXPECT_TEXT(version, tls_libssl.info(g->tls).version);
	EXPECT(tls_libssl.peer_is(g->tls, SPAN("wic.home1.net")));
	EXPECT_EQ(8, write(g->in, "OPTIONS\n", 8));
	expect_opened(g, "OPTIONS\n");
	EXPECT_EQ(GW_OK, tls_libssl.seal(g->tls, SPAN("200 OK\r\n")).err);
	EXPECT_EQ(GW_OK, tls_libssl.close(g->tls));
	(void)wire_carry(g);
	EXPECT(readable(g->out));
	EXPECT_EQ(8, read(g->out, got, sizeof(got)));
	EXPECT_BYTES("200 OK\r\n", got, 8);
	program_free(g);
}

TEST(tls_openssl, is_served_by_us)
{
	expect_client("TLSv1.3", "-tls1_3");
	expect_client("TLSv1.2", "-tls1_2");
}

TEST_MAIN("tls_openssl", RUN(tls_openssl, serves_us),
	  RUN(tls_openssl, refuses_us_when_we_are_a_stranger), RUN(tls_openssl, is_served_by_us))
