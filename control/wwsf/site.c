/* SPDX-License-Identifier: BSD-3-Clause */
#include "site.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>
#include <microhttpd.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "path.h"

enum {
	SITE_PEM_MAX = 256 * 1024, /* bytes of a certificate chain or key */
	SITE_CONNECTIONS =
		400, /* each may hold a file open: together below the usual limit of 1024 */
	SITE_IDLE_S = 15,
	SITE_USER_SIZE = 256, /* bytes of a user name, decoded */
	SITE_SUBJECT_SIZE = SITE_USER_SIZE + 8,
	SITE_VISITOR = 16,		      /* random bytes that name an anonymous visitor */
	SITE_VISITOR_TEXT = 2 * SITE_VISITOR, /* in hexadecimal */
	SITE_HANDLE = 8,		      /* bytes of its hash that his tokens say */
};

struct site {
	struct site_config config;
	struct file certificate;
	struct file key;
	int root;	     /* folder of the files, -1 before it is open */
	atomic_bool serving; /* libmicrohttpd's words are kept only until then */
	struct reason log;
	struct MHD_Daemon *daemon;
};

/** One answer. response is taken by site_answer(); NULL means no memory. */
struct site_answer {
	unsigned int status;
	const char *type;  /* Content-Type */
	const char *cache; /* Cache-Control */
	struct MHD_Response *response;
	uint64_t retry_s; /* Retry-After; 0: none */
};

/** Who asks for a token: sub, and what an anonymous one is to say next time. */
struct site_visitor {
	char sub[SITE_SUBJECT_SIZE];
	char handle[SITE_VISITOR_TEXT + 1]; /* "": he has signed in */
};

/** On every answer. The page may open WebSockets anywhere: the gateway has another name than the
 * site. */
static const struct {
	const char *name;
	const char *value;
} site_headers[] = {
	{"Strict-Transport-Security", "max-age=31536000"},
	{"Content-Security-Policy",
	 "default-src 'self'; connect-src 'self' wss:; img-src 'self' data:; media-src 'self' "
	 "blob:; "
	 "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
	{"Permissions-Policy", "camera=(self), microphone=(self), geolocation=()"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Referrer-Policy", "no-referrer"},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
};

static enum MHD_Result site_answer(struct MHD_Connection *connection, struct site_answer answer)
{
	enum MHD_Result result;
	char seconds[24];

	if (answer.response == NULL)
		return MHD_NO; /* closes the connection */
	MHD_add_response_header(answer.response, MHD_HTTP_HEADER_CONTENT_TYPE, answer.type);
	MHD_add_response_header(answer.response, MHD_HTTP_HEADER_CACHE_CONTROL, answer.cache);
	if (answer.status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(answer.response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	for (size_t i = 0; i < sizeof(site_headers) / sizeof(site_headers[0]); i++)
		MHD_add_response_header(answer.response, site_headers[i].name,
					site_headers[i].value);
	if (answer.retry_s > 0) {
		snprintf(seconds, sizeof(seconds), "%" PRIu64, answer.retry_s);
		MHD_add_response_header(answer.response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
	}
	result = MHD_queue_response(connection, answer.status, answer.response);
	MHD_destroy_response(answer.response);
	return result;
}

/** Puts a JSON text from jansson, which is freed here, into the answer and sends it. */
static enum MHD_Result site_answer_json(struct MHD_Connection *connection,
					struct site_answer answer, json_t *json_owned)
{
	char *text = json_owned == NULL ? NULL : json_dumps(json_owned, JSON_COMPACT);

	answer.type = "application/json";
	answer.cache = "no-store";
	json_decref(json_owned);
	if (text == NULL)
		return MHD_NO;
	answer.response =
		MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	if (answer.response == NULL)
		free(text);
	return site_answer(connection, answer);
}

static enum MHD_Result site_refuse(struct MHD_Connection *connection, unsigned int status,
				   const char *why)
{
	return site_answer_json(connection, (struct site_answer){.status = status},
				json_pack("{s:s}", "error", why));
}

/** Refuses without reading on: what follows on the connection may be a body. */
static enum MHD_Result site_refuse_and_close(struct MHD_Connection *connection, unsigned int status,
					     const char *why)
{
	struct site_answer answer = {.status = status, .type = "text/plain", .cache = "no-store"};

	answer.response = MHD_create_response_from_buffer(strlen(why), (void *)(uintptr_t)why,
							  MHD_RESPMEM_PERSISTENT);
	if (answer.response != NULL)
		MHD_add_response_header(answer.response, MHD_HTTP_HEADER_CONNECTION, "close");
	return site_answer(connection, answer);
}

/** A query argument as it came, spaces where it had +. at is NULL when there is none. */
static struct span site_argument(struct MHD_Connection *connection, const char *name)
{
	const char *value = NULL;
	size_t len = 0;

	if (MHD_lookup_connection_value_n(connection, MHD_GET_ARGUMENT_KIND, name, strlen(name),
					  &value, &len) != MHD_YES ||
	    value == NULL)
		return (struct span){0};
	return span_of(value, (uint32_t)len);
}

static enum MHD_Result site_token_answer(struct MHD_Connection *connection, const struct pair *pair,
					 const char *token, const struct site_visitor *visitor,
					 uint32_t lifetime_s)
{
	json_t *json = json_pack("{s:s,s:s,s:I}", "access_token", token, "impu", pair->impu,
				 "expires_in", (json_int_t)lifetime_s);

	if (json != NULL && pair->impi[0] != '\0')
		json_object_set_new(json, "impi", json_string(pair->impi));
	if (json != NULL && visitor->handle[0] != '\0')
		json_object_set_new(json, "visitor", json_string(visitor->handle));
	return site_answer_json(connection, (struct site_answer){.status = MHD_HTTP_OK}, json);
}

/** time: the iat of the token. */
static enum MHD_Result site_token_issue(const struct site *site, struct MHD_Connection *connection,
					const struct pair *pair, const struct site_visitor *visitor,
					uint64_t now_s, uint32_t lifetime_s)
{
	const struct issuer_claims claims = {
		.sub = visitor->sub,
		.impi = pair->impi,
		.impu = pair->impu,
		.now_s = now_s,
		.lifetime_s = lifetime_s,
		.scn = site->config.assignments == NULL ? NULL : "pool",
	};
	enum MHD_Result result;
	char *token;

	if (issuer_token(site->config.issuer, &claims, &token) != GW_OK)
		return site_refuse(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "no token");
	result = site_token_answer(connection, pair, token, visitor, lifetime_s);
	free(token);
	return result;
}

/** The handle is the visitor's secret, so the gateway is told a hash of it. */
static bool site_visitor_name(struct site_visitor *visitor)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	struct writer w;

	if (EVP_Digest(visitor->handle, SITE_VISITOR_TEXT, digest, NULL, EVP_sha256(), NULL) != 1)
		return false;
	writer_init(&w, visitor->sub, sizeof(visitor->sub));
	writer_text(&w, "anon-");
	writer_hex(&w, span_of(digest, SITE_HANDLE));
	writer_u8(&w, '\0');
	return writer_ok(&w);
}

/** A visitor who has not been here before, or not signed in. */
static bool site_visitor_new(struct site_visitor *visitor)
{
	uint8_t bytes[SITE_VISITOR];
	struct writer w;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	writer_init(&w, visitor->handle, sizeof(visitor->handle));
	writer_hex(&w, span_of(bytes, sizeof(bytes)));
	writer_u8(&w, '\0');
	return writer_ok(&w) && site_visitor_name(visitor);
}

/** The visitor that an earlier answer has named. */
static bool site_visitor_again(struct span handle, struct site_visitor *visitor)
{
	if (handle.len != SITE_VISITOR_TEXT)
		return false;
	memcpy(visitor->handle, handle.at, handle.len);
	visitor->handle[handle.len] = '\0';
	return strspn(visitor->handle, "0123456789abcdef") == SITE_VISITOR_TEXT &&
	       site_visitor_name(visitor);
}

static bool site_user_name(struct span user, struct site_visitor *visitor)
{
	struct writer w;

	writer_init(&w, visitor->sub, sizeof(visitor->sub));
	writer_text(&w, "web-");
	writer_put(&w, user);
	writer_u8(&w, '\0');
	return writer_ok(&w);
}

/** Reads argument user into name. False: it is missing or malformed. */
static bool site_user(struct MHD_Connection *connection, struct writer *name)
{
	struct span user = site_argument(connection, "user");

	return user.at != NULL && path_unescape(user, name) == GW_OK;
}

/** Lends a pair to whoever asks: GET /token[?user=NAME|?visitor=HANDLE][&lifetime=SECONDS] */
static enum MHD_Result site_lend(const struct site *site, struct MHD_Connection *connection,
				 uint32_t lifetime_s)
{
	struct span handle = site_argument(connection, "visitor");
	struct site_visitor visitor = {"", ""};
	uint64_t now_s = (uint64_t)time(NULL);
	struct site_answer full = {.status = MHD_HTTP_SERVICE_UNAVAILABLE};
	struct assignment given;
	char name[SITE_USER_SIZE];
	struct writer w;
	bool known;

	writer_init(&w, name, sizeof(name));
	if (site_argument(connection, "user").at != NULL)
		known = site_user(connection, &w) && site_user_name(writer_span(&w), &visitor);
	else
		known = handle.at == NULL ? site_visitor_new(&visitor)
					  : site_visitor_again(handle, &visitor);
	if (!known)
		return site_refuse(connection, MHD_HTTP_BAD_REQUEST, "user or visitor malformed");
	switch (assignments_lend(site->config.assignments, span_text(visitor.sub), now_s,
				 now_s + lifetime_s, &given)) {
	case GW_OK:
		return site_token_issue(site, connection, given.pair, &visitor, now_s, lifetime_s);
	case GW_POOL_EMPTY:
		full.retry_s = given.retry_s;
		return site_answer_json(connection, full,
					json_pack("{s:s}", "error", "no identity is free"));
	default:
		return site_refuse(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "no token");
	}
}

/** The pair of a user: GET /token?user=NAME[&lifetime=SECONDS] */
static enum MHD_Result site_look_up(const struct site *site, struct MHD_Connection *connection,
				    uint32_t lifetime_s)
{
	struct site_visitor visitor = {"", ""};
	char name[SITE_USER_SIZE];
	const struct pair *pair;
	struct writer w;

	writer_init(&w, name, sizeof(name));
	if (!site_user(connection, &w))
		return site_refuse(connection, MHD_HTTP_BAD_REQUEST, "user missing or malformed");
	pair = pairs_find(site->config.pairs, writer_span(&w));
	if (pair == NULL || !site_user_name(pair->user, &visitor))
		return site_refuse(connection, MHD_HTTP_NOT_FOUND, "unknown user");
	return site_token_issue(site, connection, pair, &visitor, (uint64_t)time(NULL), lifetime_s);
}

static enum MHD_Result site_token(const struct site *site, struct MHD_Connection *connection)
{
	struct span lifetime = site_argument(connection, "lifetime");
	uint32_t lifetime_s = site->config.lifetime_s;

	if (lifetime.at != NULL && !issuer_lifetime_read(lifetime, lifetime_s, &lifetime_s))
		return site_refuse(connection, MHD_HTTP_BAD_REQUEST, "lifetime out of range");
	if (site->config.assignments != NULL)
		return site_lend(site, connection, lifetime_s);
	return site_look_up(site, connection, lifetime_s);
}

/** GET /jwks.json; a gateway may keep it for five minutes (PROTOCOL 3.8: HTTP freshness). */
static enum MHD_Result site_jwks(const struct site *site, struct MHD_Connection *connection)
{
	const char *jwks = issuer_jwks(site->config.issuer);
	struct site_answer answer = {.status = MHD_HTTP_OK,
				     .type = "application/json",
				     .cache = "public, max-age=300"};

	answer.response = MHD_create_response_from_buffer(strlen(jwks), (void *)(uintptr_t)jwks,
							  MHD_RESPMEM_PERSISTENT);
	return site_answer(connection, answer);
}

static enum MHD_Result site_file(const struct site *site, struct MHD_Connection *connection,
				 struct span path)
{
	struct site_answer answer = {.status = MHD_HTTP_OK, .cache = "no-cache"};
	char name[PATH_SIZE];
	uint64_t size;
	int fd;

	if (path_read(path, name) != GW_OK)
		return site_refuse(connection, MHD_HTTP_BAD_REQUEST, "malformed path");
	fd = path_open(site->root, name, &size);
	if (fd < 0)
		return site_refuse(connection, MHD_HTTP_NOT_FOUND, "no such file");
	answer.type = path_content_type(name);
	answer.response = MHD_create_response_from_fd64(size, fd);
	if (answer.response == NULL)
		close(fd);
	return site_answer(connection, answer);
}

static bool site_has_body(struct MHD_Connection *connection)
{
	const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
							 MHD_HTTP_HEADER_CONTENT_LENGTH);

	return (length != NULL && strcmp(length, "0") != 0) ||
	       MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
					   MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
}

/** libmicrohttpd calls twice: when the header is there, with *seen NULL, and when the request is
 * complete. */
static enum MHD_Result site_request(void *cls, struct MHD_Connection *connection, const char *url,
				    const char *method, const char *version, const char *upload,
				    size_t *upload_len, void **seen)
{
	const struct site *site = cls;

	(void)version, (void)upload, (void)upload_len;
	if (*seen == NULL) {
		*seen = cls;
		if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
		    strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
			return site_refuse_and_close(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
						     "GET and HEAD only\n");
		if (site_has_body(connection))
			return site_refuse_and_close(connection, MHD_HTTP_BAD_REQUEST,
						     "no body, please\n");
		return MHD_YES;
	}
	if (strcmp(url, "/token") == 0)
		return site_token(site, connection);
	if (strcmp(url, "/jwks.json") == 0)
		return site_jwks(site, connection);
	return site_file(site, connection, span_text(url)); /* terminated by libmicrohttpd */
}

/** Leaves escapes as they came: path_unescape() refuses what libmicrohttpd would let pass. */
static size_t site_keep_escapes(void *unused, struct MHD_Connection *connection, char *text)
{
	(void)unused, (void)connection;
	return strlen(text);
}

__attribute__((format(printf, 2, 0))) static void site_log(void *cls, const char *format,
							   va_list values)
{
	struct site *site = cls;

	if (!atomic_load(&site->serving)) /* later only peers would fill the log */
		vsnprintf(site->log.text, sizeof(site->log.text), format, values);
}

/** A bound, listening socket, or -1 with errno. */
static int site_listen(const struct site_config *config)
{
	int fd = socket(config->address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1, saved;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(fd, config->address, config->address_len) == 0 && listen(fd, SOMAXCONN) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/** Gives the socket to a libmicrohttpd of one thread, which closes it even if it cannot start. */
static enum gw_err site_serve(struct site *site, int listening_owned, struct reason *reason)
{
	char tls[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE";
	struct MHD_OptionItem options[] = {
		{MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)site_log, site}, /* first: hears the rest */
		{MHD_OPTION_LISTEN_SOCKET, listening_owned, NULL},
		{MHD_OPTION_HTTPS_MEM_CERT, 0, site->certificate.text},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, site->key.text},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, tls},
		{MHD_OPTION_CONNECTION_LIMIT, SITE_CONNECTIONS, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, SITE_IDLE_S, NULL},
		{MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
		{MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)site_keep_escapes, NULL},
		{MHD_OPTION_END, 0, NULL},
	};

	site->daemon =
		MHD_start_daemon(MHD_USE_TLS | MHD_USE_ERROR_LOG | MHD_USE_AUTO_INTERNAL_THREAD, 0,
				 NULL, NULL, site_request, site, MHD_OPTION_ARRAY, options,
				 MHD_OPTION_END);
	if (site->daemon != NULL) {
		atomic_store(&site->serving, true);
		return GW_OK;
	}
	site->log.text[strcspn(site->log.text, "\r\n")] = '\0';
	reason_set(reason, "%s, %s: %.200s", site->config.certificate, site->config.key,
		   site->log.text);
	return GW_CONFIG;
}

static enum gw_err site_open(struct site *site, struct reason *reason)
{
	const struct site_config *config = &site->config;
	enum gw_err err;
	int listening;

	err = file_load(config->certificate, SITE_PEM_MAX, &site->certificate, reason);
	if (err != GW_OK)
		return err;
	err = file_load(config->key, SITE_PEM_MAX, &site->key, reason);
	if (err != GW_OK)
		return err;
	site->root = open(config->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (site->root < 0) {
		reason_set(reason, "%s: %s", config->root, strerror(errno));
		return GW_SYSTEM;
	}
	listening = site_listen(config);
	if (listening < 0) {
		reason_set(reason, "cannot listen: %s", strerror(errno));
		return GW_SYSTEM;
	}
	return site_serve(site, listening, reason);
}

enum gw_err site_start(const struct site_config *config, struct site **made, struct reason *reason)
{
	struct site *site = calloc(1, sizeof(*site));
	enum gw_err err;

	if (site == NULL) {
		reason_set(reason, "no memory");
		return GW_NO_MEMORY;
	}
	site->config = *config;
	site->root = -1;
	err = site_open(site, reason);
	if (err != GW_OK) {
		site_stop(site);
		return err;
	}
	*made = site;
	return GW_OK;
}

void site_stop(struct site *site)
{
	if (site == NULL)
		return;
	if (site->daemon != NULL)
		MHD_stop_daemon(site->daemon); /* closes the listening socket */
	if (site->root >= 0)
		close(site->root);
	file_fini(&site->certificate);
	file_fini(&site->key);
	free(site);
}

uint16_t site_port(const struct site *site)
{
	return MHD_get_daemon_info(site->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}
