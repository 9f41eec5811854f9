/* SPDX-License-Identifier: BSD-3-Clause */
#include "site.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>
#include <microhttpd.h>

#include "path.h"

enum {
	SITE_PEM_MAX = 256 * 1024, /* bytes of a certificate chain or key */
	SITE_CONNECTIONS =
		400, /* each may hold a file open: together below the usual limit of 1024 */
	SITE_IDLE_S = 15,
	SITE_USER_SIZE = 256, /* bytes of a user name, decoded */
	SITE_SUBJECT_SIZE = SITE_USER_SIZE + 8,
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

	if (answer.response == NULL)
		return MHD_NO; /* closes the connection */
	MHD_add_response_header(answer.response, MHD_HTTP_HEADER_CONTENT_TYPE, answer.type);
	MHD_add_response_header(answer.response, MHD_HTTP_HEADER_CACHE_CONTROL, answer.cache);
	if (answer.status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(answer.response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	for (size_t i = 0; i < sizeof(site_headers) / sizeof(site_headers[0]); i++)
		MHD_add_response_header(answer.response, site_headers[i].name,
					site_headers[i].value);
	result = MHD_queue_response(connection, answer.status, answer.response);
	MHD_destroy_response(answer.response);
	return result;
}

/** Answers with a JSON text from jansson, which is freed here. */
static enum MHD_Result site_answer_json(struct MHD_Connection *connection, unsigned int status,
					json_t *json_owned)
{
	char *text = json_owned == NULL ? NULL : json_dumps(json_owned, JSON_COMPACT);
	struct site_answer answer = {status, "application/json", "no-store", NULL};

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
	return site_answer_json(connection, status, json_pack("{s:s}", "error", why));
}

/** Refuses without reading on: what follows on the connection may be a body. */
static enum MHD_Result site_refuse_and_close(struct MHD_Connection *connection, unsigned int status,
					     const char *why)
{
	struct site_answer answer = {status, "text/plain", "no-store", NULL};

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
					 const char *token, uint32_t lifetime_s)
{
	json_t *json = json_pack("{s:s,s:s,s:I}", "access_token", token, "impu", pair->impu,
				 "expires_in", (json_int_t)lifetime_s);

	if (json != NULL && pair->impi[0] != '\0')
		json_object_set_new(json, "impi", json_string(pair->impi));
	return site_answer_json(connection, MHD_HTTP_OK, json);
}

static enum MHD_Result site_token_issue(const struct site *site, struct MHD_Connection *connection,
					const struct pair *pair, uint32_t lifetime_s)
{
	struct issuer_claims claims = {NULL, pair->impi, pair->impu, (uint64_t)time(NULL),
				       lifetime_s};
	char subject[SITE_SUBJECT_SIZE];
	enum MHD_Result result;
	struct writer w;
	char *token;

	writer_init(&w, subject, sizeof(subject));
	writer_text(&w, "web-");
	writer_put(&w, pair->user);
	writer_u8(&w, '\0');
	claims.sub = subject;
	if (!writer_ok(&w) || issuer_token(site->config.issuer, &claims, &token) != GW_OK)
		return site_refuse(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "no token");
	result = site_token_answer(connection, pair, token, lifetime_s);
	free(token);
	return result;
}

/** GET /token?user=NAME[&lifetime=SECONDS] */
static enum MHD_Result site_token(const struct site *site, struct MHD_Connection *connection)
{
	struct span user = site_argument(connection, "user");
	struct span lifetime = site_argument(connection, "lifetime");
	uint32_t lifetime_s = site->config.lifetime_s;
	char name[SITE_USER_SIZE];
	const struct pair *pair;
	struct writer w;

	writer_init(&w, name, sizeof(name));
	if (user.at == NULL || path_unescape(user, &w) != GW_OK)
		return site_refuse(connection, MHD_HTTP_BAD_REQUEST, "user missing or malformed");
	if (lifetime.at != NULL && !issuer_lifetime_read(lifetime, lifetime_s, &lifetime_s))
		return site_refuse(connection, MHD_HTTP_BAD_REQUEST, "lifetime out of range");
	pair = pairs_find(site->config.pairs, writer_span(&w));
	if (pair == NULL)
		return site_refuse(connection, MHD_HTTP_NOT_FOUND, "unknown user");
	return site_token_issue(site, connection, pair, lifetime_s);
}

/** GET /jwks.json; a gateway may keep it for five minutes (PROTOCOL 3.8: HTTP freshness). */
static enum MHD_Result site_jwks(const struct site *site, struct MHD_Connection *connection)
{
	const char *jwks = issuer_jwks(site->config.issuer);
	struct site_answer answer = {MHD_HTTP_OK, "application/json", "public, max-age=300", NULL};

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
