/* SPDX-License-Identifier: BSD-3-Clause */
#include "jwks_https.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <time.h>

#include "jwks_freshness.h"

enum {
	HTTPS_TIMEOUT_MS = 5000,
	HTTPS_HEAD_MAX = 64 * 1024, /* bytes of the whole head */
	HTTPS_WHY_MAX = CURL_ERROR_SIZE + 64,
};

struct jwks_https {
	struct jwks_https_config config;
	CURLM *multi;
	uv_timer_t timer; /* libcurl's */
};

struct jwks_flight {
	struct jwks_https *https;
	struct jwks_request request;
	CURL *easy;
	struct jwks_freshness freshness;
	uint32_t head_len;
	const char *refused; /* by us, or NULL */
	char curl_why[CURL_ERROR_SIZE];
	uint32_t len;
	uint8_t body[KEYS_BYTES_MAX];
};

/** A socket of libcurl's that the loop watches. */
struct https_socket {
	struct jwks_https *https;
	curl_socket_t fd;
	uv_poll_t poll;
};

/* ---- what comes in --------------------------------------------------------------------------- */

/** Each returns fewer bytes than it was given to end the fetch. */
static size_t https_on_head(char *at, size_t size, size_t count, void *context)
{
	struct jwks_flight *flight = context;
	size_t len = size * count;

	if (len > HTTPS_HEAD_MAX - flight->head_len) {
		flight->refused = "the head of the answer is too long";
		return 0;
	}
	flight->head_len += (uint32_t)len;
	jwks_freshness_line(&flight->freshness, span_of(at, (uint32_t)len));
	return len;
}

static size_t https_on_body(char *at, size_t size, size_t count, void *context)
{
	struct jwks_flight *flight = context;
	size_t len = size * count;

	if (len > KEYS_BYTES_MAX - flight->len) {
		flight->refused = "longer than a key set may be";
		return 0;
	}
	memcpy(flight->body + flight->len, at, len);
	flight->len += (uint32_t)len;
	return len;
}

/** Why the fetch came to nothing, or NULL. */
static const char *https_why(struct jwks_flight *flight, CURLcode result, char why[HTTPS_WHY_MAX])
{
	long status = 0;

	if (flight->refused != NULL)
		return flight->refused;
	if (result == CURLE_FILESIZE_EXCEEDED)
		return "longer than a key set may be";
	if (result != CURLE_OK)
		return flight->curl_why[0] != '\0' ? flight->curl_why : curl_easy_strerror(result);
	curl_easy_getinfo(flight->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200)
		return NULL;
	snprintf(why, HTTPS_WHY_MAX, "HTTP status %ld", status);
	return why;
}

static void https_end(struct jwks_flight *flight)
{
	curl_multi_remove_handle(flight->https->multi, flight->easy);
	curl_easy_cleanup(flight->easy);
	free(flight);
}

static void https_done(struct jwks_flight *flight, CURLcode result)
{
	char why[HTTPS_WHY_MAX];
	const struct jwks_answer answer = {
		.why = https_why(flight, result, why),
		.body = span_of(flight->body, flight->len),
		.fresh_s = jwks_freshness_left(&flight->freshness, (uint64_t)time(NULL)),
	};

	flight->request.done(flight->request.context, &answer);
	https_end(flight);
}

static void https_collect(struct jwks_https *https)
{
	struct jwks_flight *flight;
	const CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(https->multi, &left)) != NULL) {
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &flight);
		https_done(flight, message->data.result);
	}
}

/* ---- libcurl on the loop --------------------------------------------------------------------- */

static void https_act(struct jwks_https *https, curl_socket_t socket, int what)
{
	int running;

	curl_multi_socket_action(https->multi, socket, what, &running);
	https_collect(https);
}

static void https_on_ready(uv_poll_t *poll, int status, int events)
{
	const struct https_socket *socket = poll->data;
	int what = status < 0 ? CURL_CSELECT_ERR : 0;

	if (events & UV_READABLE)
		what |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		what |= CURL_CSELECT_OUT;
	https_act(socket->https, socket->fd, what);
}

static void https_socket_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static struct https_socket *https_watch(struct jwks_https *https, curl_socket_t fd)
{
	struct https_socket *socket = calloc(1, sizeof(*socket));

	if (socket == NULL)
		return NULL;
	if (uv_poll_init_socket(https->config.loop, &socket->poll, fd) != 0) {
		free(socket);
		return NULL;
	}
	socket->https = https;
	socket->fd = fd;
	socket->poll.data = socket;
	curl_multi_assign(https->multi, fd, socket);
	return socket;
}

static int https_on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *known)
{
	struct https_socket *socket = known;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (socket != NULL)
			uv_close((uv_handle_t *)&socket->poll, https_socket_closed);
		return 0;
	}
	if (socket == NULL)
		socket = https_watch(context, fd);
	if (socket == NULL)
		return 0; /* nobody watches it: the fetch ends by its time */
	if (what != CURL_POLL_OUT)
		events |= UV_READABLE;
	if (what != CURL_POLL_IN)
		events |= UV_WRITABLE;
	uv_poll_start(&socket->poll, events, https_on_ready);
	return 0;
}

static void https_on_time(uv_timer_t *timer)
{
	https_act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int https_on_timer(CURLM *multi, long timeout_ms, void *context)
{
	struct jwks_https *https = context;

	(void)multi;
	if (timeout_ms < 0)
		uv_timer_stop(&https->timer);
	else
		uv_timer_start(&https->timer, https_on_time, (uint64_t)timeout_ms, 0);
	return 0;
}

/* ---- a fetch --------------------------------------------------------------------------------- */

/** What may be asked for, and how: PROTOCOL 3.8, 12.3. */
static void https_confine(CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* nor what the environment says */
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L); /* a changed file counts at once */
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXFILESIZE, (long)KEYS_BYTES_MAX);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* do not wait for a resolver that hangs */
}

static void https_prepare(struct jwks_flight *flight)
{
	CURL *easy = flight->easy;

	https_confine(easy);
	curl_easy_setopt(easy, CURLOPT_URL, flight->request.url);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)flight->https->config.timeout_ms);
	if (flight->request.ca != NULL) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, flight->request.ca);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* else the system's count too */
	}
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "wicgate");
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, flight->curl_why);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, https_on_head);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, flight);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, https_on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, flight);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, flight);
}

static struct jwks_flight *https_start(void *context, const struct jwks_request *request)
{
	struct jwks_flight *flight = calloc(1, sizeof(*flight));
	struct jwks_https *https = context;

	if (flight == NULL)
		return NULL;
	flight->https = https;
	flight->request = *request;
	flight->easy = curl_easy_init();
	if (flight->easy == NULL) {
		free(flight);
		return NULL;
	}
	https_prepare(flight);
	if (curl_multi_add_handle(https->multi, flight->easy) != CURLM_OK) {
		https_end(flight);
		return NULL;
	}
	return flight;
}

static void https_cancel(void *context, struct jwks_flight *flight)
{
	(void)context;
	https_end(flight);
}

struct jwks_fetcher jwks_https_fetcher(struct jwks_https *https)
{
	return (struct jwks_fetcher){https_start, https_cancel, https};
}

/* ---- life ------------------------------------------------------------------------------------ */

struct jwks_https *jwks_https_new(const struct jwks_https_config *config)
{
	struct jwks_https *https = calloc(1, sizeof(*https));

	if (https == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(https);
		return NULL;
	}
	https->config = *config;
	if (https->config.timeout_ms == 0)
		https->config.timeout_ms = HTTPS_TIMEOUT_MS;
	https->multi = curl_multi_init();
	if (https->multi == NULL) {
		curl_global_cleanup();
		free(https);
		return NULL;
	}
	uv_timer_init(config->loop, &https->timer);
	https->timer.data = https;
	curl_multi_setopt(https->multi, CURLMOPT_SOCKETFUNCTION, https_on_socket);
	curl_multi_setopt(https->multi, CURLMOPT_SOCKETDATA, https);
	curl_multi_setopt(https->multi, CURLMOPT_TIMERFUNCTION, https_on_timer);
	curl_multi_setopt(https->multi, CURLMOPT_TIMERDATA, https);
	return https;
}

static void https_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void jwks_https_close(struct jwks_https *https)
{
	if (https == NULL)
		return;
	curl_multi_cleanup(https->multi);
	curl_global_cleanup();
	uv_close((uv_handle_t *)&https->timer, https_closed);
}
