/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/jwks_https.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"
#include "folder.h"

enum { PIECES = 10 };

/** A loop that fetches, and the server that lies to it (lying_server.py). */
struct world {
	struct folder folder;
	pid_t server;
	int server_in;
	char ports[256]; /* "good=40001 expired=40002 ..." */
	uv_loop_t loop;
	uv_timer_t heart;
	uint32_t beats; /* of the loop, while a fetch is under way */
	struct jwks_https *https;
	struct jwks_fetcher fetcher;
	/* of the last fetch */
	bool done;
	char why[512];
	char *body;
	uint32_t len, fresh_s;
};

static void beat(uv_timer_t *timer)
{
	((struct world *)timer->data)->beats++;
}

static void run_server(const struct world *w, int in, int out)
{
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	execlp("python3", "python3", LYING_SERVER, w->folder.path, (char *)NULL);
	_exit(127);
}

static void start_server(struct world *w)
{
	int in[2], out[2];
	FILE *said;

	assert_int_equal(0, pipe2(in, O_CLOEXEC));
	assert_int_equal(0, pipe2(out, O_CLOEXEC));
	w->server = fork();
	assert_true(w->server >= 0);
	if (w->server == 0)
		run_server(w, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	w->server_in = in[1];
	said = fdopen(out[0], "r");
	assert_non_null(fgets(w->ports, sizeof(w->ports), said));
	fclose(said);
}

static void begin(struct world *w, uint32_t timeout_ms)
{
	struct jwks_https_config config = {.loop = &w->loop, .timeout_ms = timeout_ms};

	signal(SIGPIPE, SIG_IGN); /* as the daemon does */
	memset(w, 0, sizeof(*w));
	folder_make(&w->folder);
	start_server(w);
	uv_loop_init(&w->loop);
	uv_timer_init(&w->loop, &w->heart);
	w->heart.data = w;
	uv_timer_start(&w->heart, beat, 1, 1);
	w->https = jwks_https_new(&config);
	assert_non_null(w->https);
	w->fetcher = jwks_https_fetcher(w->https);
}

static void end(struct world *w)
{
	jwks_https_close(w->https);
	uv_close((uv_handle_t *)&w->heart, NULL);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	EXPECT_EQ(0, uv_loop_close(&w->loop)); /* nothing was left open */
	close(w->server_in);
	assert_int_equal(w->server, waitpid(w->server, NULL, 0));
	folder_remove(&w->folder);
	free(w->body);
}

static void done(void *context, const struct jwks_answer *answer)
{
	struct world *w = context;

	assert_false(w->done);
	w->done = true;
	snprintf(w->why, sizeof(w->why), "%s", answer->why != NULL ? answer->why : "");
	free(w->body);
	w->body = calloc(1, answer->body.len + 1);
	if (answer->body.len > 0)
		memcpy(w->body, answer->body.at, answer->body.len);
	w->len = answer->body.len;
	w->fresh_s = answer->fresh_s;
	uv_stop(&w->loop);
}

static struct jwks_flight *start(struct world *w, const char *url, const char *ca)
{
	const struct jwks_request request = {url, ca, done, w};
	struct jwks_flight *flight;

	w->done = false;
	w->beats = 0;
	flight = w->fetcher.start(w->fetcher.context, &request);
	assert_non_null(flight);
	EXPECT(!w->done); /* never from inside */
	return flight;
}

static uint32_t port(const struct world *w, const char *name)
{
	char key[32];
	const char *at;

	snprintf(key, sizeof(key), "%s=", name);
	at = strstr(w->ports, key);
	assert_non_null(at);
	return (uint32_t)atoi(at + strlen(key));
}

/** Fetches path of the server that has this certificate; why it failed, "" when it did not. */
static const char *fetch(struct world *w, const char *server, const char *path)
{
	char url[128], ca[160];

	strcpy(ca, folder_path(&w->folder, "ca.pem"));
	snprintf(url, sizeof(url), "https://localhost:%u%s", port(w, server), path);
	start(w, url, ca);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	EXPECT(w->done);
	return w->why;
}

static void expect_why(struct world *w, const char *server, const char *path, const char *part)
{
	const char *why = fetch(w, server, path);

	if (strstr(why, part) == NULL || why[0] == '\0')
		fail_msg("%s%s: \"%s\" is not in \"%s\"", server, path, part, why);
}

TEST(jwks_https, brings_a_body_and_how_long_it_is_fresh)
{
	struct world w;

	begin(&w, 0);
	EXPECT_TEXT("", fetch(&w, "good", "/good"));
	EXPECT_EQ(0, strncmp("{\"keys\":[{\"kty\":\"EC\"", w.body, 20));
	EXPECT_EQ(500, w.fresh_s);
	EXPECT_TEXT("", fetch(&w, "good", "/full"));
	EXPECT_EQ(KEYS_BYTES_MAX, w.len);
	EXPECT_TEXT("", fetch(&w, "good", "/empty"));
	EXPECT_EQ(0, w.len);
	EXPECT_TEXT("", fetch(&w, "good", "/bytes"));
	EXPECT_EQ(256, w.len);
	end(&w);
}

TEST(jwks_https, sends_no_more_than_it_must)
{
	struct world w;

	begin(&w, 0);
	setenv("https_proxy", "http://127.0.0.1:1", 1); /* nobody is there */
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	EXPECT_TEXT("", fetch(&w, "good", "/good")); /* sets a cookie */
	EXPECT_TEXT("", fetch(&w, "good", "/echo"));
	EXPECT_EQ(0, strncmp("GET /echo HTTP/1.1\r\n", w.body, 20));
	EXPECT(strcasestr(w.body, "\r\nCookie:") == NULL);
	EXPECT(strcasestr(w.body, "\r\nAuthorization:") == NULL);
	EXPECT(strcasestr(w.body, "\r\nAccept-Encoding:") == NULL);
	unsetenv("https_proxy");
	unsetenv("ALL_PROXY");
	end(&w);
}

TEST(jwks_https, believes_only_the_server_that_is_named)
{
	struct world w;
	char url[128];

	begin(&w, 0);
	expect_why(&w, "expired", "/good", "certificate has expired");
	expect_why(&w, "other", "/good", "no alternative certificate subject name matches");
	expect_why(&w, "stranger", "/good", "certificate");
	expect_why(&w, "old", "/good", "SSL");
	expect_why(&w, "plain", "/good", "SSL");
	/* the CAs of the system do not know the test's */
	snprintf(url, sizeof(url), "https://localhost:%u/good", port(&w, "good"));
	start(&w, url, NULL);
	uv_run(&w.loop, UV_RUN_DEFAULT);
	EXPECT(strstr(w.why, "certificate") != NULL);
	end(&w);
}

TEST(jwks_https, speaks_https_only)
{
	struct world w;
	char url[160];

	begin(&w, 0);
	snprintf(url, sizeof(url), "http://localhost:%u/good", port(&w, "plain"));
	start(&w, url, NULL);
	uv_run(&w.loop, UV_RUN_DEFAULT);
	EXPECT(strstr(w.why, "not supported or disabled") != NULL);
	snprintf(url, sizeof(url), "file://%s/ca.pem", w.folder.path);
	start(&w, url, NULL);
	uv_run(&w.loop, UV_RUN_DEFAULT);
	EXPECT(strstr(w.why, "not supported or disabled") != NULL);
	end(&w);
}

TEST(jwks_https, takes_no_other_answer_than_200)
{
	struct world w;

	begin(&w, 0);
	expect_why(&w, "good", "/redirect", "HTTP status 302");
	expect_why(&w, "good", "/error", "HTTP status 500");
	expect_why(&w, "good", "/0.9", "HTTP/0.9");
	expect_why(&w, "good", "/close", "Empty reply");
	expect_why(&w, "good", "/cut", "closed");
	end(&w);
}

TEST(jwks_https, ends_what_is_too_long_while_it_comes)
{
	struct world w;

	begin(&w, 60000); /* not by time */
	expect_why(&w, "good", "/told", "longer than a key set may be");
	expect_why(&w, "good", "/over", "longer than a key set may be");
	expect_why(&w, "good", "/big", "longer than a key set may be");
	expect_why(&w, "good", "/head", "too");
	end(&w);
}

TEST(jwks_https, waits_for_nobody_beyond_its_time_and_holds_the_loop_up_for_nobody)
{
	struct world w;

	begin(&w, 700);
	expect_why(&w, "good", "/hang", "timed out");
	EXPECT(w.beats > PIECES);
	expect_why(&w, "good", "/drip", "timed out");
	EXPECT(w.beats > PIECES);
	end(&w);
}

TEST(jwks_https, sees_a_set_that_rotates_while_others_are_fetched)
{
	struct world w;
	char kid[16];

	begin(&w, 0);
	for (uint32_t i = 1; i <= PIECES; i++) {
		EXPECT_TEXT("", fetch(&w, "good", "/rotate"));
		snprintf(kid, sizeof(kid), "\"k%u\"", i);
		EXPECT(strstr(w.body, kid) != NULL);
		EXPECT_EQ(77, w.fresh_s);
	}
	end(&w);
}

TEST(jwks_https, ends_a_fetch_that_is_cancelled_without_a_word)
{
	struct jwks_flight *flight;
	struct world w;
	char url[128];

	begin(&w, 0);
	snprintf(url, sizeof(url), "https://localhost:%u/hang", port(&w, "good"));
	flight = start(&w, url, NULL);
	w.fetcher.cancel(w.fetcher.context, flight);
	flight = start(&w, url, NULL);
	while (w.beats < PIECES)
		uv_run(&w.loop, UV_RUN_ONCE);
	if (!w.done) /* it may have failed meanwhile: the system's CAs do not know it */
		w.fetcher.cancel(w.fetcher.context, flight);
	end(&w);
}

TEST_MAIN("jwks_https", RUN(jwks_https, brings_a_body_and_how_long_it_is_fresh),
	  RUN(jwks_https, sends_no_more_than_it_must),
	  RUN(jwks_https, believes_only_the_server_that_is_named),
	  RUN(jwks_https, speaks_https_only), RUN(jwks_https, takes_no_other_answer_than_200),
	  RUN(jwks_https, ends_what_is_too_long_while_it_comes),
	  RUN(jwks_https, waits_for_nobody_beyond_its_time_and_holds_the_loop_up_for_nobody),
	  RUN(jwks_https, sees_a_set_that_rotates_while_others_are_fetched),
	  RUN(jwks_https, ends_a_fetch_that_is_cancelled_without_a_word))
