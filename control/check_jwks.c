/* SPDX-License-Identifier: BSD-3-Clause */
#include <curl/curl.h>
#include <openssl/x509_vfy.h>

#include "checking.h"

/** True when url has the part. */
static bool check_url_has(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK && text[0] != '\0';

	curl_free(text);
	return has;
}

/** Read by the parser that the fetch uses: two parsers could see two hosts. */
static const char *check_url(const char *text)
{
	CURLU *url = curl_url();
	const char *why = NULL;

	if (url == NULL || curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK ||
	    !check_url_has(url, CURLUPART_HOST))
		why = "not a URL";
	else if (check_url_has(url, CURLUPART_USER) || check_url_has(url, CURLUPART_PASSWORD))
		why = "a user or password cannot stand here";
	else if (check_url_has(url, CURLUPART_FRAGMENT))
		why = "a fragment cannot stand here";
	curl_url_cleanup(url);
	return why;
}

static bool check_is_ca_file(const char *path)
{
	X509_STORE *store = X509_STORE_new();
	bool good = store != NULL && X509_STORE_load_file(store, path) == 1;

	X509_STORE_free(store);
	return good;
}

static void check_https(const struct check *c, const struct config_issuer *issuer)
{
	const char *why = check_url(issuer->jwks.text);

	check_plain(c, "issuers[].jwks", issuer->jwks);
	if (why != NULL)
		check_refuse(c, issuer->jwks.line, "issuers[].jwks: %s", why);
	if (check_given(issuer->jwks_ca) &&
	    !check_is_ca_file(config_path(c->config, issuer->jwks_ca)))
		check_refuse(c, issuer->jwks_ca.line,
			     "issuers[].jwks_ca: \"%s\" has no certificate that can be read",
			     issuer->jwks_ca.text);
}

void check_jwks(const struct check *c, struct config_issuer *issuer)
{
	struct option_text path = issuer->jwks;
	struct keys_source source = {.file = c->config->file,
				     .line = path.line,
				     .algorithms = issuer->algorithm_bits};

	if (!check_given(path) || issuer->algorithm_bits == 0)
		return;
	if (config_issuer_fetches(issuer)) {
		check_https(c, issuer);
		return;
	}
	if (check_given(issuer->jwks_ca))
		check_refuse(c, issuer->jwks_ca.line, "issuers[].jwks_ca: only for https");
	if (strncmp(path.text, "file:", 5) != 0 || path.text[5] == '\0') {
		check_refuse(c, path.line,
			     "issuers[].jwks: file:PATH or https://HOST/PATH expected");
		return;
	}
	path.text += 5;
	source.path = config_path(c->config, path);
	keys_load(&source, c->config->arena, &issuer->keys, c->problems);
}
